-- What `supabase db lint` and `supabase db advisors` find: defaults and results that PL/pgSQL would convert from text at
-- every call, a record that a loop might not have filled, an unused variable, functions without a search path, and a
-- foreign key without an index. Nothing behaves differently.

create index invitations_invited_by on public.invitations (invited_by);

create or replace function convoy.make_synced(
  table_name text,
  table_position integer,
  refs jsonb default '{}',
  parents text[] default '{}',
  units jsonb default '{}',
  server_set text[] default '{}',
  ignored text[] default '{}'
) returns void
language plpgsql set search_path = '' as $$
declare
  common constant text[] := array['id', 'workspace_id', 'revision', 'field_revisions', 'created_at',
    'updated_at', 'deleted_at', 'deletion_id', 'last_modified_by'];
  columns text[];
  defaults jsonb := '{}'::jsonb;
  item record;
  value jsonb;
begin
  select array_agg(a.attname::text order by a.attnum) into columns
    from pg_catalog.pg_attribute a
    where a.attrelid = format('public.%I', table_name)::regclass
      and a.attnum > 0 and not a.attisdropped and a.attname <> all (common);
  for item in
    select a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid) as expression
    from pg_catalog.pg_attrdef d
    join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
    where d.adrelid = format('public.%I', table_name)::regclass
      and a.attname = any (columns) and a.attname <> all (server_set || make_synced.ignored)
  loop
    execute format('select to_jsonb(%s)', item.expression) into value;
    defaults := defaults || jsonb_build_object(item.attname, value);
  end loop;

  delete from convoy.synced_columns c where c.table_name = make_synced.table_name;
  insert into convoy.synced_tables as t (name, position, pushable, ignored, defaults, ids, sent)
    values (
      table_name, table_position,
      array(select c from unnest(columns) c where c <> all (server_set || make_synced.ignored)),
      make_synced.ignored,
      defaults,
      array(
        select a.attname::text from pg_catalog.pg_attribute a
        where a.attrelid = format('public.%I', table_name)::regclass
          and a.attname = any (columns) and a.attname <> all (server_set || make_synced.ignored)
          and a.atttypid = 'uuid'::regtype
        order by a.attnum),
      array['id', 'workspace_id'] || columns || array['revision', 'created_at', 'updated_at', 'last_modified_by'])
    on conflict (name) do update
      set position = excluded.position, pushable = excluded.pushable, ignored = excluded.ignored,
          defaults = excluded.defaults, ids = excluded.ids, sent = excluded.sent;
  insert into convoy.synced_columns (table_name, name, unit, refers_to, is_parent)
    select make_synced.table_name, c, units ->> c, refs ->> c, c = any (parents) from unnest(columns) c;

  perform convoy.write_stamp_function(table_name, columns);
  execute format('revoke execute on function convoy.%I() from public', 'stamp_' || table_name);
  -- Triggers fire in the order of their names: the clock is locked before anything is checked.
  execute format('create or replace trigger a_stamp before insert or update or delete on public.%I
    for each row execute function convoy.%I()', table_name, 'stamp_' || table_name);
  execute format('create or replace trigger z_cascade after update on public.%I
    referencing old table as old_rows new table as new_rows
    for each statement execute function convoy.cascade_deletion()', table_name);

  execute format('create index if not exists %I on public.%I (workspace_id, revision, id)',
    table_name || '_pull', table_name);
  execute format('create index if not exists %I on public.%I (deletion_id) where deletion_id is not null',
    table_name || '_deletion', table_name);
  execute format('create index if not exists %I on public.%I (workspace_id, revision) where deleted_at is not null',
    table_name || '_tombstones', table_name);
  execute format('alter table public.%I enable row level security', table_name);
  execute format('drop policy if exists members_read on public.%I', table_name);
  -- Of a deleted row a member learns its id by a pull, and never its text: it may have been deleted before they came.
  -- Nor are rows shown that wait to be deleted, or to be restored, with what they stand under (U44).
  execute format('create policy members_read on public.%1$I for select to authenticated
    using (deleted_at is null and workspace_id = any (array(select convoy.visible_scopes()))
      and not (workspace_id = any (array(select convoy.unsettled_scopes())) and convoy.hidden_by(%1$L, id) is not null))', table_name);
  execute format('revoke all on public.%I from public, anon, authenticated', table_name);
  execute format('grant select on public.%I to authenticated', table_name);
  execute format('grant all on public.%I to service_role', table_name);
end
$$;

create or replace function convoy.reserved_activities() returns text[] language sql immutable set search_path = ''
  return array['task_created', 'task_updated', 'task_deleted', 'stage_changed', 'dependency_added',
    'dependency_removed', 'conflict_settled'];

create or replace function convoy.restorable_dependencies(ids uuid[]) returns uuid[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  waiting uuid[];
  awaited uuid[];
  live record;
  graph record;
  fixed integer;
begin
  select array_agg(d.id), array_agg(d.task_id), array_agg(d.depends_on_task_id) into ids, waiting, awaited
    from (
      select distinct on (d.task_id, d.depends_on_task_id) d.id, d.task_id, d.depends_on_task_id
      from public.task_dependencies d
      where d.id = any (ids)
      order by d.task_id, d.depends_on_task_id, d.deleted_at desc, d.id
    ) d
    where not exists (
      select from public.task_dependencies l
      where l.task_id = d.task_id and l.depends_on_task_id = d.depends_on_task_id and l.deleted_at is null);
  if ids is null then
    return '{}'::uuid[];
  end if;
  select * into live from convoy.reach_dependencies(waiting || awaited);
  fixed := cardinality(live.waiting);
  select * into graph from convoy.number_nodes(live.waiting || waiting, live.awaited || awaited);
  return array(
    select i.id from unnest(ids) with ordinality i (id, n)
    where i.n + fixed not in (
      select e from unnest(convoy.closing_edges(cardinality(graph.nodes), graph.sources, graph.targets, fixed)) e));
end
$$;

create or replace function convoy.restore_rows(deletions uuid[], scope uuid, with_members boolean) returns uuid[]
language plpgsql set search_path = '' as $$
declare
  t record;
  tasks uuid[];
  members uuid[];
  dependencies uuid[];
  restored uuid[] := '{}'::uuid[];
  in_table uuid[];
begin
  -- What can come back is decided under the clock's lock.
  perform from convoy.scope_clocks c where c.scope_id = scope for update;
  execute 'select array(select c.id from public.tasks c where c.deletion_id = any ($1) and c.workspace_id = $2)'
    into tasks using deletions, scope;
  for t in
    select s.name from convoy.synced_tables s
    where s.name not in ('workspace_members', 'task_dependencies', 'deletions') order by s.position
  loop
    execute format(
      'select array(select distinct r.deletion_id from public.%I r where r.deletion_id = any ($1) and r.workspace_id = $2)',
      t.name) into in_table using deletions, scope;
    if cardinality(in_table) > 0 then
      execute format('update public.%I set deleted_at = null where deletion_id = any ($1) and workspace_id = $2', t.name)
        using deletions, scope;
      restored := restored || in_table;
    end if;
  end loop;
  members := case when with_members then convoy.restorable_members(deletions, scope) end;
  if cardinality(members) > 0 then
    restored := restored || array(select m.deletion_id from public.workspace_members m where m.id = any (members));
    update public.workspace_members set deleted_at = null where id = any (members);
  end if;
  dependencies := convoy.restorable_dependencies(convoy.freed_dependencies(deletions, scope, tasks));
  if cardinality(dependencies) > 0 then
    restored := restored || array(select d.deletion_id from public.task_dependencies d where d.id = any (dependencies));
    update public.task_dependencies set deleted_at = null where id = any (dependencies);
  end if;
  return restored;
end
$$;

create or replace function convoy.held_by(deletion uuid) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  t record;
  counts jsonb;
  held jsonb := '{}'::jsonb;
begin
  for t in select s.name from convoy.synced_tables s loop
    execute format(
      'select coalesce(jsonb_object_agg(workspace_id, n), ''{}'') from (
         select workspace_id, count(*) + coalesce(($2 ->> workspace_id::text)::bigint, 0) as n
         from public.%I where deletion_id = $1 group by workspace_id) c', t.name)
      into counts using deletion, held;
    held := held || counts;
  end loop;
  return held;
end
$$;

create or replace function convoy.build_pages() returns void
language plpgsql set search_path = '' as $outer$
declare
  t record;
  keys text := '';
  counts text := '';
  pages text := '';
begin
  for t in
    select s.name, s.sent,
      -- Long text stored out of line tells its size without being read; JSON does not.
      (select string_agg(case a.atttypid
          when 'text'::regtype then format('coalesce(octet_length(t.%I), 0)', a.attname)
          else format('coalesce(case when pg_column_size(t.%1$I) < 500 then pg_column_size(t.%1$I) else octet_length(t.%1$I::text) end, 0)', a.attname)
        end, ' + ')
        from pg_catalog.pg_attribute a
        where a.attrelid = format('public.%I', s.name)::regclass and a.attname = any (s.sent)
          and a.atttypid in ('text'::regtype, 'jsonb'::regtype)) as bytes
    from convoy.synced_tables s order by s.position
  loop
    -- One array for each column is half the size of objects, and built and read in half the time.
    execute format($function$
      create or replace function convoy.%3$I(
        ranges convoy.page_range[], ids uuid[], out rows json, out deleted json
      ) language plpgsql stable set search_path = '' as $body$
      begin
        select case when count(*) filter (where t.deleted_at is null) > 0 then json_build_object(%2$s) end,
            to_json(array_agg(t.id) filter (where t.deleted_at is not null))
          into rows, deleted
          from (
            select t.* from unnest(ranges) r
            cross join lateral (
              select * from public.%1$I t
              where t.workspace_id = r.scope
                and (t.revision, t.id) > (r.from_revision, r.from_id)
                and (t.revision, t.id) <= (r.to_revision, r.to_id)
                and t.revision <> all (r.skip)
                and (r.tables is null or %1$L = any (r.tables))
            ) t
            union all
            select t.* from unnest(ids) i (id) join public.%1$I t on t.id = i.id
          ) t;
      end
      $body$
    $function$, t.name, convoy.pick_columns(t.sent, 't.deleted_at is null'), 'page_' || t.name);
    execute format('revoke execute on function convoy.%I(convoy.page_range[], uuid[]) from public', 'page_' || t.name);

    keys := keys || case when keys = '' then '' else ' union all ' end || format($query$
      (select t.revision, t.id, %s as bytes
        from public.%I t
        where t.workspace_id = $1 and (t.revision, t.id) > ($2, $3) and t.revision <= $4 and t.revision <> all ($5)
          and ($8 is null or %L = any ($8))
        order by t.revision, t.id limit least($6, $7 / 300 + 1) + 1)$query$, '300 + ' || coalesce(t.bytes, '0'), t.name, t.name);
    counts := counts || case when counts = '' then '' else ' + ' end || format($query$
      (select count(*) from public.%I t
        where t.workspace_id = $1 and (t.revision, t.id) > ($2, $3) and t.revision <= $4 and t.revision <> all ($5)
          and ($6 is null or %L = any ($6)))$query$,
      t.name, t.name);
    pages := pages || format($code$
        if cardinality(ranges) > 0 or %2$L = any (picked) then
          select p.rows, p.deleted into part
            from convoy.%1$I(ranges, array(select i.id from unnest(picks) i where i.table_name = %2$L)) p;
          if part.rows is not null then
            row_tables := row_tables || %2$L::text;
            row_parts := row_parts || part.rows;
          end if;
          if part.deleted is not null then
            deleted_tables := deleted_tables || %2$L::text;
            deleted_parts := deleted_parts || part.deleted;
          end if;
        end if;$code$, 'page_' || t.name, t.name);
  end loop;

  -- The last row that fits. Two tables may hold the same id: a page takes all rows at its end, and
  -- is complete only if nothing lies behind it.
  execute format($function$
    create or replace function convoy.find_page_end(
      scope uuid, from_revision bigint, from_id uuid, target bigint, skip bigint[], max_rows bigint, max_bytes bigint,
      tables text[]
    ) returns convoy.page_end
    language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    declare
      result convoy.page_end;
    begin
      with keys as materialized (
        -- No row counts for less than 300 bytes.
        select * from (%s) k order by revision, id limit least($6, $7 / 300 + 1) + 1
      ), counted as (
        select revision, id,
          row_number() over (order by revision, id) as n,
          sum(bytes) over (order by revision, id rows unbounded preceding) as total
        from keys
      ), fitting as (
        select * from counted c where c.n = 1 or (c.n <= $6 and c.total <= $7)
      )
      select f.revision, f.id, f.n, f.total,
        (select count(*) from keys) <= least($6, $7 / 300 + 1)
          and not exists (select from keys k where (k.revision, k.id) > (f.revision, f.id))
      into result
      from fitting f order by f.n desc limit 1;
      return result;
    end
    $body$
  $function$, keys);
  revoke execute on function convoy.find_page_end(uuid, bigint, uuid, bigint, bigint[], bigint, bigint, text[]) from public;

  execute format($function$
    create or replace function convoy.count_rows(
      scope uuid, from_revision bigint, from_id uuid, target bigint, skip bigint[], tables text[]
    ) returns bigint
    language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    begin
      return %s;
    end
    $body$
  $function$, counts);
  revoke execute on function convoy.count_rows(uuid, bigint, uuid, bigint, bigint[], text[]) from public;

  -- The rows of the ranges and the picked ones, as the wire has them (Page in protocol.ts).
  execute format($function$
    create or replace function convoy.read_page(
      ranges convoy.page_range[], picks convoy.pick[], out rows json, out deleted json
    ) language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    declare
      part record;
      row_tables text[] := '{}'::text[];
      row_parts json[] := '{}'::json[];
      deleted_tables text[] := '{}'::text[];
      deleted_parts json[] := '{}'::json[];
      -- The effects of a push are of few tables.
      picked constant text[] := array(select distinct i.table_name from unnest(picks) i);
    begin
      if cardinality(ranges) > 0 or cardinality(picks) > 0 then
        %s
      end if;
      rows := '{}';
      deleted := '{}';
      if cardinality(row_tables) > 0 then
        select json_object_agg(x.name, x.part) into rows from unnest(row_tables, row_parts) x (name, part);
      end if;
      if cardinality(deleted_tables) > 0 then
        select json_object_agg(x.name, x.part) into deleted from unnest(deleted_tables, deleted_parts) x (name, part);
      end if;
    end
    $body$
  $function$, pages);
  revoke execute on function convoy.read_page(convoy.page_range[], convoy.pick[]) from public;
end
$outer$;

create or replace function convoy.failure(code text, message text default null) returns jsonb language sql stable set search_path = ''
  return jsonb_build_object('error', jsonb_strip_nulls(jsonb_build_object('code', code, 'message', message)));

create or replace function convoy.read_cursors(cursors jsonb, skips jsonb) returns convoy.cursor_position[]
language plpgsql stable set search_path = '' as $$
declare
  result convoy.cursor_position[] := '{}'::convoy.cursor_position[];
  item record;
  skip bigint[];
begin
  cursors := coalesce(nullif(cursors, 'null'), '{}');
  skips := coalesce(nullif(skips, 'null'), '{}');
  if jsonb_typeof(cursors) <> 'object' or jsonb_typeof(skips) <> 'object' then
    raise exception 'cursors and skip must be objects.' using errcode = 'SN009';
  end if;
  for item in
    select coalesce(c.key, s.key) as key, c.value, s.value as skips
    from jsonb_each(cursors) c full join jsonb_each(skips) s using (key)
  loop
    if not convoy.is_uuid(item.key) then
      raise exception 'Cursors and skip are named by scope.' using errcode = 'SN009';
    end if;
    if item.value is not null and (
      convoy.to_count(item.value -> 'revision') is null
      or jsonb_typeof(item.value -> 'tag') is distinct from 'string'
      or coalesce(item.value -> 'target', 'null') <> 'null' and convoy.to_count(item.value -> 'target') is null
      or coalesce(item.value -> 'after', 'null') <> 'null' and not convoy.is_uuid(item.value ->> 'after')
      or coalesce(item.value -> 'own', 'null') <> 'null' and (
        convoy.to_count(item.value -> 'own' -> 'revision') is null
        or jsonb_typeof(item.value -> 'own' -> 'tag') is distinct from 'string'))
    then
      raise exception 'The cursor of scope % is malformed.', item.key using errcode = 'SN009';
    end if;
    skip := '{}';
    if item.skips is not null then
      if jsonb_typeof(item.skips) <> 'array' then
        raise exception 'skip holds lists of revisions.' using errcode = 'SN009';
      end if;
      skip := array(select convoy.to_count(s) from jsonb_array_elements(item.skips) s);
      if array_position(skip, null) is not null then
        raise exception 'skip holds lists of revisions.' using errcode = 'SN009';
      end if;
    end if;
    result := result || row(
      item.key::uuid,
      convoy.to_count(item.value -> 'revision'),
      item.value ->> 'tag',
      convoy.to_count(nullif(item.value -> 'target', 'null')),
      (item.value ->> 'after')::uuid,
      coalesce(item.value -> 'whole' = 'true', false),
      convoy.to_count(item.value -> 'own' -> 'revision'),
      item.value -> 'own' ->> 'tag',
      skip)::convoy.cursor_position;
  end loop;
  return result;
end
$$;

create or replace function convoy.read_refills(refills jsonb) returns convoy.refill[]
language plpgsql stable set search_path = '' as $$
declare
  result convoy.refill[] := '{}'::convoy.refill[];
  item record;
begin
  if refills is null then
    return result;
  end if;
  if jsonb_typeof(refills) <> 'object' then
    raise exception 'refill must be an object.' using errcode = 'SN009';
  end if;
  for item in select r.key, r.value from jsonb_each(refills) r loop
    if not convoy.is_uuid(item.key)
      or jsonb_typeof(item.value -> 'tables') is distinct from 'array'
      or convoy.to_count(item.value -> 'revision') is null
      or convoy.to_count(item.value -> 'target') is null
      or item.value -> 'after' is not null and not coalesce(convoy.is_uuid(item.value ->> 'after'), false)
    then
      raise exception 'The refill of % is malformed.', item.key using errcode = 'SN009';
    end if;
    result := result || row(
      item.key::uuid,
      array(select jsonb_array_elements_text(item.value -> 'tables')),
      convoy.to_count(item.value -> 'revision'),
      (item.value ->> 'after')::uuid,
      convoy.to_count(item.value -> 'target'))::convoy.refill;
  end loop;
  return result;
end
$$;

create or replace function convoy.plan_pull(me uuid, known convoy.cursor_position[]) returns convoy.pull_turn[]
language plpgsql stable set search_path = '' as $$
declare
  no_id constant uuid := '00000000-0000-0000-0000-000000000000'::uuid;
  last_id constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid;
  scope record;
  turn convoy.pull_turn;
  turns convoy.pull_turn[] := '{}'::convoy.pull_turn[];
begin
  for scope in
    select v.id, v.role, c.revision as head, c.tag as head_tag, c.purged_to, k.revision, k.tag, k.target, k.after,
      coalesce(k.whole, false) as whole, k.own_revision, coalesce(k.skip, '{}') as skip, k as cursor_position
    from (
      select m.workspace_id as id, m.role from public.workspace_members m
        where m.user_id = me and m.deleted_at is null
      union all
      select '00000000-0000-7000-8000-000000000000', 'reference'
    ) v
    join convoy.scope_clocks c on c.scope_id = v.id
    left join unnest(known) k on k.scope = v.id
    order by v.id
  loop
    turn := row(scope.id, scope.role, scope.head, scope.head_tag, false, false, false, false, false, scope.whole,
      scope.revision, coalesce(scope.after, last_id), coalesce(scope.target, scope.head), scope.head_tag, scope.skip)::convoy.pull_turn;
    -- A cursor that stands at the head with the head's tag needs no look at the history.
    if scope.revision is not null and (scope.revision <> scope.head or scope.tag <> scope.head_tag
      or scope.target is not null or scope.own_revision is not null)
    then
      if convoy.knows_cursor(scope.cursor_position)
        and scope.revision <= coalesce(scope.target, scope.revision)
      then
        turn.is_later_page := scope.target is not null;
        -- Tombstones were purged while the device was paging: its remaining pages may miss deletions (P16).
        turn.expired := turn.is_later_page and not scope.whole and scope.revision < scope.purged_to;
        turn.reset := turn.expired;
        if turn.is_later_page then
          turn.target_tag := scope.tag;
        end if;
      else
        turn.reset := true;
        turn.expired := convoy.knew_cursor(scope.cursor_position) and not convoy.knows_cursor(scope.cursor_position);
      end if;
    end if;
    turn.from_start := scope.revision is null or turn.reset;
    turn.is_paging := scope.target is not null and not turn.reset;
    if turn.from_start then
      turn.whole := true;
      turn.from_revision := 0;
      turn.from_id := no_id;
      turn.target := scope.head;
      turn.target_tag := scope.head_tag;
      -- In another history these revisions are other transactions'.
      turn.skip := '{}';
    end if;
    turns := turns || turn;
  end loop;
  return turns;
end
$$;

create or replace function convoy.fill_page(
  turns convoy.pull_turn[], refills convoy.refill[], max_rows bigint,
  out ranges convoy.page_range[], out pending convoy.page_range[], out cursors jsonb, out refilled jsonb
) language plpgsql stable set search_path = '' as $$
declare
  page_bytes constant bigint := 1000000;
  last_id constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid;
  page convoy.page_filling := row('{}', '{}', max_rows, page_bytes, false, null, null, null)::convoy.page_filling;
  turn convoy.pull_turn;
  refill convoy.refill;
  reached jsonb;
begin
  cursors := '{}';
  refilled := '{}';
  foreach turn in array turns loop
    continue when not turn.from_start and not turn.is_paging and turn.from_revision = turn.target;
    page := convoy.fill_from(page,
      row(turn.scope, turn.from_revision, turn.from_id, turn.target, last_id, turn.skip, null)::convoy.page_range);
    reached := convoy.cursor_after(turn, page);
    if reached is not null then
      cursors := cursors || jsonb_build_object(turn.scope, reached);
    end if;
  end loop;
  foreach refill in array refills loop
    page := convoy.fill_from(page, row(refill.scope, refill.revision, coalesce(refill.after, last_id), refill.target,
      last_id, '{}', refill.tables)::convoy.page_range);
    if page.taken <> 'waits' then
      refilled := refilled || jsonb_build_object(refill.scope, case
        when page.taken = 'part' then jsonb_build_object('revision', page.reached_revision, 'after', page.reached_id)
        else jsonb_build_object('revision', refill.target) end);
    end if;
  end loop;
  ranges := page.ranges;
  pending := page.pending;
end
$$;

create or replace function convoy.wanted_rows(wanted jsonb, turns convoy.pull_turn[]) returns convoy.pick[]
language plpgsql stable set search_path = '' as $$
declare
  most_wanted constant integer := 100;
  result convoy.pick[] := '{}'::convoy.pick[];
  found convoy.pick[];
  named record;
begin
  if wanted is null then
    return result;
  end if;
  if jsonb_typeof(wanted) <> 'array' or jsonb_array_length(wanted) > most_wanted then
    raise exception 'wanted must be a list of at most % rows.', most_wanted using errcode = 'SN009';
  end if;
  if exists (
    select from jsonb_array_elements(wanted) w
    where jsonb_typeof(w -> 'table') is distinct from 'string' or not coalesce(convoy.is_uuid(w ->> 'id'), false))
  then
    raise exception 'A wanted row is named by table and id.' using errcode = 'SN009';
  end if;
  for named in
    select s.name, array_agg((w ->> 'id')::uuid) as ids
    from jsonb_array_elements(wanted) w join convoy.synced_tables s on s.name = w ->> 'table'
    group by s.name
  loop
    execute format(
      'select array_agg(row(%1$L, r.id)::convoy.pick) from public.%1$I r join unnest($2) t on t.scope = r.workspace_id
         where r.id = any ($1) and not t.from_start and (r.revision, r.id) <= (t.from_revision, t.from_id)', named.name)
      into found using named.ids, turns;
    result := result || coalesce(found, '{}');
  end loop;
  return result;
end
$$;

create or replace function convoy.find_known(changes convoy.change[]) returns convoy.found_row[]
language plpgsql stable set search_path = '' as $$
declare
  wanted record;
  known convoy.found_row[] := '{}'::convoy.found_row[];
begin
  for wanted in
    select c.table_name, array_agg(c.id) as ids from unnest(changes) c where c.problem is null group by c.table_name
  loop
    known := known || convoy.find_rows(wanted.table_name, wanted.ids);
  end loop;
  return known;
end
$$;

create or replace function convoy.try_time(value text) returns timestamptz
language plpgsql stable set search_path = '' as $$
declare
  instant timestamptz;
begin
  instant := value::timestamptz;
  return case when instant between '0001-01-01T00:00:00Z' and '9999-12-31T23:59:59.999999Z' then instant end;
exception when data_exception then
  return null;
end
$$;

create or replace function convoy.decide_parents(changes convoy.change[], links convoy.link[]) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
declare
  wanted record;
  parents convoy.found_row[] := '{}'::convoy.found_row[];
begin
  for wanted in
    select l.parent_table, array_agg(distinct l.parent_id) as ids
    from unnest(links) l where l.provider is null and l.is_parent group by l.parent_table
  loop
    parents := parents || convoy.find_rows(wanted.parent_table, wanted.ids);
  end loop;
  return convoy.judge_parents(changes, links, parents);
end
$$;

create or replace function convoy.spread_refusals(
  changes convoy.change[], all_changes convoy.change[], links convoy.link[], decided convoy.decision[]
) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
declare
  b convoy.batch;
  verdicts "char"[];
  blockers uuid[];
  -- 0: to be decided; else the round a change was decided in, from 1, or -1 for before.
  rounds integer[];
  spread boolean[];
  queue integer[];
  first integer := 1;
  last integer;
  tail integer;
  n integer;
  m integer;
  verdict "char";
begin
  if cardinality(changes) = 0 or cardinality(decided) = 0 then
    return '{}'::convoy.decision[];
  end if;
  if not exists (
    select from unnest(decided) d where d.outcome ->> 'outcome' in ('rejected', 'blocked', 'gone', 'conflict'))
  then
    return '{}'::convoy.decision[];
  end if;
  b := convoy.batch_of(changes, all_changes, links, decided);
  verdicts := b.verdicts;
  blockers := b.blockers;
  rounds := array(select case when o.open then 0 else -1 end from unnest(b.open) with ordinality o (open, n) order by o.n);
  spread := array_fill(false, array[cardinality(b.begins)]);
  queue := array(select v.n from unnest(verdicts) with ordinality v (verdict, n) where v.verdict <> '-' order by v.n);
  last := cardinality(queue);
  tail := last;
  for round in 1 .. cardinality(b.positions) loop
    exit when first > last;
    for i in first .. last loop
      n := queue[i];
      continue when verdicts[n] = 'c';
      for at in b.follows[n] .. b.follows[n + 1] - 1 loop
        m := b.followers[at];
        verdict := case
          when verdicts[n] in ('r', 'b') then 'b'
          when not b.follow_parent[at] then '-'
          when b.follow_self[at] then 'g'
          else 'p' end;
        if verdict <> '-' and (rounds[m] = 0 or rounds[m] = round and verdicts[m] = 'b') then
          if rounds[m] = 0 then
            tail := tail + 1;
            queue[tail] := m;
          end if;
          rounds[m] := round;
          verdicts[m] := verdict;
          blockers[m] := b.follow_ids[at];
        end if;
      end loop;
    end loop;
    -- A refusal that the server has a code for counts before one that waits for another.
    foreach verdict in array '{r,b}'::"char"[] loop
      for i in first .. last loop
        n := queue[i];
        continue when spread[b.groups[n]] or verdicts[n] = 'g' or (verdicts[n] = 'r') <> (verdict = 'r');
        spread[b.groups[n]] := true;
        for at in b.begins[b.groups[n]] .. b.begins[b.groups[n] + 1] - 1 loop
          m := b.members[at];
          if rounds[m] = 0 then
            tail := tail + 1;
            queue[tail] := m;
            rounds[m] := round;
            verdicts[m] := verdict;
            blockers[m] := case when verdicts[n] = 'b' then blockers[n] else b.ids[n] end;
          end if;
        end loop;
      end loop;
    end loop;
    first := last + 1;
    last := tail;
  end loop;
  return array(
    select row(x.position, case x.verdict
        when 'r' then convoy.rejection('group', null, 'Another change of the same action was refused.')
        when 'b' then jsonb_build_object('outcome', 'blocked', 'by', x.blocker)
        when 'g' then '{"outcome": "gone", "which": "record"}'
        else '{"outcome": "gone", "which": "parent"}'
      end, false)::convoy.decision
    from unnest(b.positions, verdicts, blockers, rounds) x (position, verdict, blocker, round)
    where x.round > 0);
end
$$;

create or replace function convoy.is_transient(state text) returns boolean language sql immutable set search_path = ''
  return left(state, 2) in ('40', '53', '55', '57', '58', 'XX') or state = '25006';

create or replace function convoy.write_changes(changes convoy.change[]) returns void
language plpgsql set search_path = '' as $$
declare
  early convoy.change[] := '{}'::convoy.change[];
  deletions jsonb;
  step record;
begin
  if exists (select from unnest(changes) c where c.op = 'delete') then
    deletions := convoy.deletions_of(changes);
    early := convoy.early_deletes(changes);
    perform convoy.delete_rows('task_dependencies', early, deletions);
  end if;
  -- Parents first; updates of a table before the next one's inserts, which may rely on them. Deletes last,
  -- and leaves first: a row that is deleted by itself is no part of its parent's deletion (U23).
  for step in
    select t.name, c.op, follows.along from unnest(changes) c
    join convoy.synced_tables t on t.name = c.table_name
    -- A row that the device deleted along with another record counts as part of that record's deletion.
    cross join lateral (select c.op = 'delete' and c.payload ? 'along_with' as along) follows
    group by t.name, t.position, c.op, follows.along
    order by c.op = 'delete', follows.along, case when c.op = 'delete' then -t.position else t.position end, c.op
  loop
    case step.op
      when 'insert' then perform convoy.insert_rows(step.name, changes);
      when 'update' then perform convoy.update_rows(step.name, changes);
      else perform convoy.delete_rows(step.name, array(
        select c from unnest(changes) c
        where c.table_name = step.name and c.op = 'delete' and (c.payload ? 'along_with') = step.along), deletions);
    end case;
  end loop;
end
$$;

create or replace function convoy.push_time() returns interval language sql immutable set search_path = ''
  return interval '4 seconds';

create or replace function convoy.write_halves(
  changes convoy.change[], links convoy.link[], ordered bigint[], any_tried boolean, ends_at timestamptz
) returns convoy.decision[]
language plpgsql set search_path = '' as $$
declare
  failed boolean := false;
  state text;
  table_name text;
  constraint_name text;
  column_name text;
  message text;
  half bigint[];
  part convoy.change[];
  refused convoy.decision[];
begin
  if cardinality(changes) = 0 then
    return '{}'::convoy.decision[];
  end if;
  if any_tried and clock_timestamp() > ends_at then
    return convoy.leave_untried(changes);
  end if;
  begin
    perform convoy.write_changes(changes);
  exception when others then
    get stacked diagnostics state = returned_sqlstate, table_name = table_name,
      constraint_name = constraint_name, column_name = column_name, message = message_text;
    if convoy.is_transient(state) then
      raise;
    end if;
    failed := true;
  end;
  if not failed then
    return '{}'::convoy.decision[];
  end if;
  if cardinality(changes) = 1 then
    return array[row(
      changes[1].position,
      convoy.rejection_of(state, table_name, constraint_name, column_name, message), false)::convoy.decision];
  end if;

  if ordered is null then
    select o.ordered into ordered from convoy.order_groups(changes, links) o;
  end if;
  if cardinality(ordered) = 1 then
    refused := array[convoy.find_culprit(changes)];
    return refused || convoy.spread_refusals(convoy.still_open(changes, refused), changes, links, refused);
  end if;
  half := ordered[: cardinality(ordered) / 2];
  part := convoy.changes_of(changes, half);
  refused := convoy.write_halves(part, convoy.links_of(links, part), half, any_tried, ends_at);
  half := ordered[cardinality(ordered) / 2 + 1 :];
  part := convoy.changes_of(changes, half);
  links := convoy.links_of(links, part);
  if cardinality(refused) > 0 and cardinality(links) > 0 then
    refused := refused || convoy.spread_refusals(part, part, links, refused);
    part := convoy.still_open(part, refused);
    links := convoy.links_of(links, part);
    half := convoy.groups_of(half, part);
  end if;
  return refused || convoy.write_halves(part, links, half, true, ends_at);
end
$$;

create or replace function convoy.pick_moved(changes convoy.change[], scopes uuid[], revisions bigint[]) returns convoy.pick[]
language plpgsql stable set search_path = '' as $$
begin
  if not exists (select from unnest(changes) c where c.table_name = 'tasks' and c.op = 'update' and c.payload ? 'milestone_id')
  then
    return '{}'::convoy.pick[];
  end if;
  return array(
    select row('tasks', t.id)::convoy.pick
    from unnest(scopes, revisions) s (scope, revision)
    join unnest(changes) c on c.workspace_id = s.scope and c.table_name = 'tasks' and c.op <> 'delete'
    join public.tasks t on t.id = c.id and t.workspace_id = s.scope and t.revision = s.revision
    where t.deleted_at is null and (t.field_revisions -> 'milestone_id' ->> 0)::bigint = s.revision
      and t.milestone_id::text is distinct from c.payload ->> 'milestone_id');
end
$$;

create or replace function public.get_context_part(
  part text, task_id uuid, scope uuid, project_id uuid, items integer, bytes bigint, room bigint
) returns jsonb
language plpgsql stable set search_path = '' as $$
#variable_conflict use_column
declare
  candidates refcursor;
  place bigint;
  entity jsonb;
  known bigint;
  size bigint;
  all_items bigint := 0;
  reached bigint := 0;
  taken jsonb[] := '{}'::jsonb[];
  places bigint[] := '{}'::bigint[];
  because text;
begin
  -- Each opens a query that orders ids, and reads a record only when it is fetched.
  case part
    when 'subtasks' then
      open candidates for
        select listed.place, listed.known,
          (select public.as_entity(to_jsonb(t)) from public.tasks t where t.id = listed.id)
        from (
          select s.id, count(*) over () as known, row_number() over (order by s.sort_order, s.id) as place
          from public.tasks s
          where s.parent_task_id = get_context_part.task_id and s.deleted_at is null
          order by s.status in ('done', 'cancelled'), s.sort_order, s.id
          limit items + 1) listed;
    when 'dependencies' then
      open candidates for
        select listed.place, listed.known,
          (select public.as_entity(to_jsonb(t)) from public.tasks t where t.id = listed.id)
        from (
          select d.id, count(*) over () as known, row_number() over (order by d.title collate "C", d.id) as place
          from public.task_dependencies link
          join public.tasks d on d.id = link.depends_on_task_id
          where link.task_id = get_context_part.task_id and link.deleted_at is null and d.deleted_at is null
          order by d.status in ('done', 'cancelled'), d.title collate "C", d.id
          limit items + 1) listed;
    when 'activities' then
      open candidates for
        select listed.place, total.known,
          (select public.as_entity(to_jsonb(a)) from public.activity_feed a where a.id = listed.id)
        from (
          -- As in get_task_activities.
          select latest.id,
            row_number() over (order by date_trunc('milliseconds', latest.created_at) desc, latest.id desc) as place
          from public.activity_feed latest
          where latest.task_id = get_context_part.task_id and latest.deleted_at is null
            and latest.created_at >= coalesce((
              select date_trunc('milliseconds', last_one.created_at) from public.activity_feed last_one
              where last_one.task_id = get_context_part.task_id and last_one.deleted_at is null
              order by last_one.created_at desc offset items limit 1), '-infinity')
          order by 2
          limit items + 1) listed
        cross join (
          select count(*) as known from public.activity_feed each
          where each.task_id = get_context_part.task_id and each.deleted_at is null) total
        order by listed.place;
    when 'patterns' then
      open candidates for
        select listed.place, listed.known,
          (select public.as_entity(to_jsonb(p)) from public.patterns p where p.id = listed.id)
        from (
          select k.id, count(*) over () as known, row_number() over (order by k.name collate "C", k.id) as place
          from public.patterns k
          where k.workspace_id in (get_context_part.scope, '00000000-0000-7000-8000-000000000000')
            and (k.project_id is null or k.project_id = get_context_part.project_id) and k.deleted_at is null
          order by k.workspace_id = '00000000-0000-7000-8000-000000000000', k.project_id is null,
            k.name collate "C", k.id
          limit items + 1) listed;
    when 'best_practices' then
      open candidates for
        select listed.place, listed.known,
          (select public.as_entity(to_jsonb(p)) from public.best_practices p where p.id = listed.id)
        from (
          select k.id, count(*) over () as known, row_number() over (order by k.name collate "C", k.id) as place
          from public.best_practices k
          where k.workspace_id in (get_context_part.scope, '00000000-0000-7000-8000-000000000000')
            and (k.project_id is null or k.project_id = get_context_part.project_id) and k.deleted_at is null
          order by k.workspace_id = '00000000-0000-7000-8000-000000000000', k.project_id is null,
            k.name collate "C", k.id
          limit items + 1) listed;
  end case;
  loop
    fetch candidates into place, known, entity;
    exit when not found;
    all_items := known;
    if cardinality(taken) = items then
      because := 'items';
      exit;
    end if;
    size := public.text_bytes(entity);
    if reached + size > bytes or reached + size > room then
      because := 'bytes';
      -- Nothing may follow what the whole has no room for, however short it is.
      if reached + size <= bytes then room := -1; end if;
      exit;
    end if;
    reached := reached + size;
    taken := array_append(taken, entity);
    places := array_append(places, place);
  end loop;
  close candidates;
  return jsonb_build_object(
    'items', coalesce((
      select jsonb_agg(shown.entity order by shown.place) from unnest(taken, places) shown (entity, place)), '[]'),
    'all', all_items,
    'because', because,
    'room', case when room < 0 then room else room - reached end);
end
$$;

create or replace function public.get_bounded_context(task_id uuid, limits jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  most_items constant bigint := 10000;
  most_bytes constant bigint := 64 * 1024 * 1024;
  parts constant text[] := array['subtasks', 'dependencies', 'activities', 'patterns', 'best_practices'];
  -- Every limit, by its name. What is no number is as absent, and a number is rounded down and held within its range: devices
  -- refuse such limits before they ask (src/domain/contextLimits.ts), so that whoever sends them gets what they can mean.
  held constant jsonb := (
    select jsonb_object_agg(given.name, case when jsonb_typeof(given.value) = 'number'
        then least(greatest(floor(given.value::numeric), 0), given.most) else given.most end)
    from (
      select 'bytes' as name, limits -> 'bytes' as value, most_bytes as most
      union all
      select p || '.items', limits #> array[p, 'items'], most_items from unnest(parts) p
      union all
      select p || '.bytes', limits #> array[p, 'bytes'], most_bytes from unnest(parts) p
    ) given);
  context jsonb;
  scope uuid;
  project uuid;
  room bigint;
  part text;
  answer jsonb;
  left_out jsonb := '{}'::jsonb;
begin
  select jsonb_build_object(
      'task', public.as_entity(to_jsonb(t)),
      'milestone', public.as_entity(to_jsonb(m)),
      'project', public.as_entity(to_jsonb(p)),
      'workspace', public.as_entity(to_jsonb(w)),
      'parent_task', (
        select public.as_entity(to_jsonb(parent)) from public.tasks parent
        where parent.id = t.parent_task_id and parent.deleted_at is null),
      -- A task without a workflow follows the standard one (R5).
      'workflow', public.get_workflow(coalesce(t.workflow_id, '00000000-0000-7000-8000-000000000001'))),
    t.workspace_id, m.project_id
  into context, scope, project
  from public.tasks t
  left join public.milestones m on m.id = t.milestone_id and m.deleted_at is null
  left join public.projects p on p.id = m.project_id and p.deleted_at is null
  left join public.workspaces w on w.id = t.workspace_id and w.deleted_at is null
  where t.id = get_bounded_context.task_id and t.deleted_at is null;
  if not found then return null; end if;
  room := (held ->> 'bytes')::bigint - (
    select sum(case when jsonb_typeof(single.value) = 'object' then public.text_bytes(single.value) else 0 end)
    from jsonb_each(context) single);
  foreach part in array parts loop
    answer := public.get_context_part(part, get_bounded_context.task_id, scope, project,
      (held ->> (part || '.items'))::integer, (held ->> (part || '.bytes'))::bigint, room);
    context := context || jsonb_build_object(part, answer -> 'items');
    if answer ->> 'because' is not null then
      left_out := left_out || jsonb_build_object(part,
        jsonb_build_object('all', answer -> 'all', 'because', answer -> 'because'));
    end if;
    room := (answer ->> 'room')::bigint;
  end loop;
  return context || jsonb_build_object('missing', '[]'::jsonb, 'left_out', left_out);
end
$$;

create or replace function convoy.most_scope_topics() returns integer language sql immutable set search_path = ''
  return 80;

create or replace function convoy.most_tags() returns integer language sql immutable set search_path = ''
  return 1000000;

create or replace function convoy.grace(horizon interval) returns interval language sql immutable set search_path = ''
  return least(interval '1 day', horizon / 180);

create or replace function convoy.most_raised() returns integer language sql immutable set search_path = ''
  return 20000;

create or replace function convoy.nested_deletions(deletions uuid[], out below uuid[], out above uuid[])
language plpgsql stable set search_path = '' as $$
declare
  t record;
  found_below uuid[];
  found_above uuid[];
begin
  below := '{}';
  above := '{}';
  for t in
    select c.table_name, c.name, c.refers_to from convoy.synced_columns c
      where c.is_parent and c.table_name <> 'task_dependencies'
    union all
    select s.name, 'workspace_id', 'workspaces' from convoy.synced_tables s where s.name not in ('workspaces', 'deletions')
  loop
    execute format(
      'select coalesce(array_agg(n.below), ''{}'') as below, coalesce(array_agg(n.above), ''{}'') as above
         from (
           select distinct c.deletion_id as below, p.deletion_id as above
             from public.%1$I c join public.%2$I p on p.id = c.%3$I
            where c.deletion_id = any ($1) and p.deletion_id = any ($1) and p.deletion_id <> c.deletion_id) n',
      t.table_name, t.refers_to, t.name) into found_below, found_above using deletions;
    below := below || found_below;
    above := above || found_above;
  end loop;
end
$$;

create or replace function convoy.rank_ids(before uuid[], after uuid[]) returns convoy.ranked_id[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  graph record;
begin
  if cardinality(before) = 0 then
    return '{}'::convoy.ranked_id[];
  end if;
  select * into graph from convoy.number_nodes(before, after);
  return array(
    select row(graph.nodes[s.node], s.rank)::convoy.ranked_id
    from unnest(convoy.sort_nodes(cardinality(graph.nodes), graph.sources, graph.targets)) with ordinality s (node, rank));
end
$$;

create or replace function convoy.rank_changes(changes convoy.change[]) returns convoy.ranked_id[]
language plpgsql stable set search_path = '' as $$
declare
  deleted constant uuid[] := array(
    select c.id from unnest(changes) c where c.table_name = 'tasks' and c.op = 'delete');
  restored constant uuid[] := array(select c.id from unnest(changes) c where c.table_name = 'deletions');
  ranks convoy.ranked_id[] := '{}'::convoy.ranked_id[];
begin
  -- Most batches delete and restore nothing, or one record.
  if cardinality(deleted) > 1 then
    select ranks || convoy.rank_ids(a.tasks, a.parents) into ranks from convoy.climb_tasks(deleted) a;
  end if;
  if cardinality(restored) > 1 then
    select ranks || convoy.rank_ids(n.above, n.below) into ranks from convoy.nested_deletions(restored) n;
  end if;
  return ranks;
end
$$;

create or replace function convoy.chunk_records() returns integer language sql immutable set search_path = ''
  return 2000;

create or replace function convoy.most_devices() returns integer language sql immutable set search_path = ''
  return 200;

create or replace function convoy.is_small(changes convoy.change[]) returns boolean language sql immutable set search_path = ''
  return cardinality(changes) <= 100;

create or replace function convoy.build_pushes() returns void
language plpgsql set search_path = '' as $outer$
declare
  t record;
  -- The text of a statement that inserts or updates, with :changes and :round for its parameters.
  statement text;
  finds text := '';
  stamped text := '';
  inserts text := '';
  updates text := '';
begin
  for t in select s.name, s.pushable, s.defaults from convoy.synced_tables s order by s.position loop
    finds := finds || format($code$
        when %1$L then
          return array(
            select row(%1$L, t.id, t.workspace_id, t.revision, t.deleted_at is not null, t.field_revisions)::convoy.found_row
            from public.%1$I t where t.id = any (ids));$code$, t.name);

    stamped := stamped || format($code$
      if tables is null or %1$L = any (tables) then
        written := written || array(
          select row(%1$L, t.id, t.deleted_at is not null)::convoy.written_row
          from unnest(scopes, revisions) s (scope, revision)
          join public.%1$I t on t.workspace_id = s.scope
            and (t.revision, t.id) >= (s.revision, '00000000-0000-0000-0000-000000000000')
            and (t.revision, t.id) <= (s.revision, 'ffffffff-ffff-ffff-ffff-ffffffffffff'));
      end if;$code$, t.name);

    statement := format($query$
            insert into public.%1$I (id, workspace_id, created_at, %2$s)
              select c.id, c.workspace_id, convoy.to_time(c.edited_at ->> 'created_at'), %3$s
              from unnest(:changes) c
              cross join lateral jsonb_populate_record(null::public.%1$I, %4$L::jsonb || c.payload) r
              where c.table_name = %1$L and c.op = 'insert' order by c.position
              %5$s$query$,
      t.name,
      (select string_agg(quote_ident(p), ', ') from unnest(t.pushable) p),
      (select string_agg('r.' || quote_ident(p), ', ') from unnest(t.pushable) p),
      t.defaults,
      -- U10: a row that exists under another id is not inserted, and `conclude` finds its twin.
      case t.name
        when 'task_dependencies' then 'on conflict (task_id, depends_on_task_id) where deleted_at is null do nothing'
        else '' end);
    inserts := inserts || format($code$
        when %1$L then
          if convoy.is_small(changes) then %2$s;
          else
            execute %3$L using changes;
          end if;$code$, t.name, replace(statement, ':changes', 'changes'), replace(statement, ':changes', '$1'));

    -- The edit times go in the form of field_revisions, for the stamp trigger to complete: not later than now, and not
    -- earlier than the revision the edit was made on.
    statement := format($query$
            update public.%1$I t
              set %2$s, field_revisions = t.field_revisions || coalesce(c.times, '{}')
              from (
                select c.id, c.workspace_id, c.payload, (
                    select jsonb_object_agg(e.key, jsonb_build_array(null, case
                      when e.instant > now() then convoy.iso(now())
                      when e.instant < b.created_at then convoy.iso(b.created_at)
                      else convoy.iso(e.instant) end))
                    from (
                      select x.key, x.value, convoy.to_time(x.value) as instant
                      from jsonb_each_text(c.edited_at) x where c.payload ? x.key offset 0
                    ) e
                    where e.instant is not null
                  ) as times
                from unnest(:changes) c
                left join convoy.scope_revisions b on b.scope_id = c.workspace_id and b.revision = c.base
                where c.table_name = %1$L and c.op = 'update' and c.nth = :round
                offset 0
              ) c
              cross join lateral jsonb_populate_record(null::public.%1$I, c.payload) r
              -- The workspace is no part of what the row is found by, or the plan might go through all rows of it.
              where t.id = c.id and (t.workspace_id = c.workspace_id) is true$query$,
      t.name,
      (select string_agg(format('%1$I = case when c.payload ? %1$L then r.%1$I else t.%1$I end', p), ', ')
        from unnest(t.pushable) p));
    updates := updates || format($code$
        when %1$L then
          if convoy.is_small(changes) then %2$s;
          else
            execute %3$L using changes, round;
          end if;$code$, t.name, replace(replace(statement, ':changes', 'changes'), ':round', 'round'),
      replace(replace(statement, ':changes', '$1'), ':round', '$2'));
  end loop;

  -- The rows with these ids. A sequential scan would read a table that has grown since the plan was made.
  execute format($function$
    create or replace function convoy.find_rows(target text, ids uuid[]) returns convoy.found_row[]
    language plpgsql stable set search_path = '' set enable_seqscan = off as $body$
    begin
      case target %s
        else raise case_not_found;
      end case;
    end
    $body$
  $function$, finds);
  revoke execute on function convoy.find_rows(text, uuid[]) from public;

  -- The rows of these tables, or of all, at revisions of scopes. Comparing rows, and the planner settings, make it use
  -- the pull index, also where statistics lack the latest revisions.
  execute format($function$
    create or replace function convoy.written_rows(tables text[], scopes uuid[], revisions bigint[])
    returns convoy.written_row[]
    language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    declare
      written convoy.written_row[] := '{}'::convoy.written_row[];
    begin
      if cardinality(scopes) = 0 then
        return written;
      end if;%s
      return written;
    end
    $body$
  $function$, stamped);
  revoke execute on function convoy.written_rows(text[], uuid[], bigint[]) from public;

  execute format($function$
    create or replace function convoy.insert_rows(target text, changes convoy.change[]) returns void
    language plpgsql set search_path = '' as $body$
    begin
      case target %s
      end case;
    end
    $body$
  $function$, inserts);
  revoke execute on function convoy.insert_rows(text, convoy.change[]) from public;

  -- One statement updates a row once: a record that is changed twice takes a second round.
  execute format($function$
    create or replace function convoy.update_round(target text, changes convoy.change[], round bigint) returns void
    language plpgsql set search_path = '' as $body$
    begin
      case target %s
      end case;
    end
    $body$
  $function$, updates);
  revoke execute on function convoy.update_round(text, convoy.change[], bigint) from public;
end
$outer$;

create or replace function convoy.step_records() returns integer language sql immutable set search_path = ''
  return 2000;

create or replace function convoy.finish_restore(u convoy.unfinished_deletions) returns void
language plpgsql set search_path = '' as $$
declare
  root record;
  above uuid;
begin
  perform convoy.restore_rows(array[u.deletion_id], u.workspace_id, u.with_members);
  select d.entity_type as table_name, d.entity_id as id into root
    from public.deletions d where d.id = u.deletion_id and d.workspace_id = u.workspace_id;
  above := convoy.hidden_by(root.table_name, root.id);
  if above is not null and exists (
    select from convoy.unfinished_deletions x
    where x.deletion_id = above and x.workspace_id = u.workspace_id and x.restore_wanted)
  then
    -- That one is being restored as well.
    return;
  end if;
  if above is not null then
    execute format('update public.%I set deleted_at = now(), deletion_id = $1 where id = $2', root.table_name)
      using above, root.id;
    perform convoy.begin_steps(above, u.workspace_id, root.table_name, array[root.id]);
  end if;
end
$$;

create or replace function convoy.decide_activities(
  changes convoy.change[], all_changes convoy.change[], passing boolean
) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  settled text[];
begin
  changes := array(
    select c from unnest(changes) c
    where c.table_name = 'activity_feed' and c.op = 'insert'
      and c.payload ->> 'activity_type' = any (convoy.reserved_activities()));
  if cardinality(changes) = 0 then
    return '{}'::convoy.decision[];
  end if;
  -- What a change of another group does, none of these may tell of.
  all_changes := convoy.changes_of(all_changes, array(select distinct c.group_no from unnest(changes) c));
  settled := array(
    select k.workspace_id || ' ' || k.table_name || ' ' || k.record_id from convoy.conflicts k
    where k.user_id = auth.uid() and k.record_id = any (array(
      select coalesce(c.payload ->> 'task_id', c.payload ->> 'entity_id')::uuid from unnest(changes) c
      where c.payload ->> 'activity_type' = 'conflict_settled')));
  return array(
    with told as (
      select c.position, c.group_no, c.workspace_id, c.payload ->> 'activity_type' as activity_type,
        -- The feed of a deleted task goes with it, so that this one stands in the feed of its parent task.
        case when c.payload ->> 'activity_type' = 'task_deleted' then c.payload ->> 'entity_id'
          else coalesce(c.payload ->> 'task_id', c.payload ->> 'entity_id') end as subject,
        case when c.payload ->> 'activity_type' = 'task_deleted' or c.payload ->> 'task_id' is not null then 'tasks'
          else c.payload ->> 'entity_type' end as about,
        c.payload -> 'details' as details
      from unnest(changes) c
    ), removed as materialized (
      select d.id, d.workspace_id, d.task_id from public.task_dependencies d
      where d.id = any (array(
        select c.id from unnest(all_changes) c where c.table_name = 'task_dependencies' and c.op = 'delete'))
    ), made as (
      select distinct c.group_no, c.workspace_id, what.activity_type, what.subject, what.about
      from unnest(all_changes) c
      left join removed d on d.id = c.id and d.workspace_id = c.workspace_id
      cross join lateral (values
        ('task_created', c.id::text, 'tasks', c.table_name = 'tasks' and c.op = 'insert'),
        ('stage_changed', c.id::text, 'tasks',
          c.table_name = 'tasks' and (c.op = 'insert' or c.op = 'update' and c.payload ? 'current_stage')),
        ('task_updated', c.id::text, 'tasks', c.table_name = 'tasks' and c.op <> 'delete' and c.payload <> '{}'),
        ('task_deleted', c.id::text, 'tasks', c.table_name = 'tasks' and c.op = 'delete'),
        ('dependency_added', c.payload ->> 'task_id', 'tasks', c.table_name = 'task_dependencies' and c.op = 'insert'),
        ('dependency_removed', d.task_id::text, 'tasks', d.id is not null and c.op = 'delete'),
        ('conflict_settled', c.id::text, c.table_name, c.op <> 'delete' and c.payload <> '{}')
      ) what (activity_type, subject, about, holds)
      where what.holds
    )
    select case when passing then convoy.passed_over(t.position)
      else convoy.untold(t.position) end
    from told t
    left join made m
      on m.group_no = t.group_no and m.workspace_id = t.workspace_id
        and m.activity_type = t.activity_type and m.subject = t.subject and m.about = t.about
    where m.subject is null
        and not (t.activity_type = 'conflict_settled'
          and t.workspace_id || ' ' || t.about || ' ' || t.subject = any (settled))
      or t.activity_type = 'conflict_settled' and (
        t.about = 'workspace_members' or t.details ->> 'table' is distinct from t.about
        or t.details ->> 'record_id' is distinct from t.subject));
end
$$;

create or replace function convoy.decide_idle_activities(
  changes convoy.change[], all_changes convoy.change[], decided convoy.decision[]
) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  idle constant convoy.decision[] := array(
    select d from unnest(decided) d where d.outcome ->> 'outcome' in ('gone', 'conflict', 'applied'));
begin
  if cardinality(idle) = 0 then
    return '{}'::convoy.decision[];
  end if;
  return array(
    select case when i.is_done then convoy.passed_over(d.position)
      else row(d.position, jsonb_build_object('outcome', 'blocked', 'by', i.id), false)::convoy.decision end
    from unnest(convoy.decide_activities(changes, convoy.still_open(all_changes, idle), false)) d
    join unnest(changes) a on a.position = d.position
    join (
      select distinct on (c.group_no) c.group_no, c.id, x.is_done
      from unnest(all_changes) c
      join unnest(idle) d on d.position = c.position
      cross join lateral (select d.outcome ->> 'outcome' = 'applied' as is_done) x
      where c.table_name <> 'activity_feed'
      order by c.group_no, x.is_done, c.position
    ) i on i.group_no = a.group_no);
end
$$;

create or replace function convoy.decide_hidden(changes convoy.change[], links convoy.link[], locked uuid[]) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
begin
  if not exists (select from convoy.unfinished_deletions u where u.workspace_id = any (locked)) then
    return '{}'::convoy.decision[];
  end if;
  return array(
    with about as materialized (
      select c.position, c.id, c.op, c.workspace_id, c.row_revision, true as is_self, c.table_name as named, c.id as named_id
        from unnest(changes) c
        where c.row_workspace = c.workspace_id and not c.row_deleted
          and c.table_name not in ('workspaces', 'workspace_members', 'deletions')
      union all
      select c.position, c.id, c.op, c.workspace_id, c.row_revision, false, l.parent_table, l.parent_id
        from unnest(changes) c
        join unnest(links) l on l.position = c.position and l.provider is null and l.is_parent
    ), hidden as materialized (
      select n.named, n.named_id, convoy.hidden_by(n.named, n.named_id) as deletion
      from (select distinct a.named, a.named_id from about a) n
    )
    select distinct on (a.position) row(a.position, case
        when u.restores then jsonb_build_object('outcome', 'blocked', 'by', a.id)
        when not a.is_self then '{"outcome": "gone", "which": "parent"}'
        when a.op = 'delete' then jsonb_build_object('outcome', 'applied', 'revision', a.row_revision)
        else '{"outcome": "gone", "which": "record"}'
      end, false)::convoy.decision
    from about a
    join hidden h on h.named = a.named and h.named_id = a.named_id
    join convoy.unfinished_deletions u on u.deletion_id = h.deletion and u.workspace_id = a.workspace_id
    order by a.position, u.restores desc, a.is_self desc);
end
$$;

create or replace function convoy.unfinished_answer(changes convoy.change[], scopes uuid[]) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  unfinished constant uuid[] := array(
    select u.deletion_id from convoy.unfinished_deletions u
    where u.workspace_id = any (scopes) and coalesce(u.restorer, u.author) = auth.uid());
  place record;
  moved uuid[] := '{}'::uuid[];
  in_table uuid[];
begin
  if cardinality(unfinished) = 0 then
    return '{}'::jsonb;
  end if;
  for place in select c.table_name, c.name from convoy.synced_columns c where c.is_parent loop
    execute format(
      'select array_agg(t.id)
         from (
           select c.workspace_id as scope, min(c.base) as base from unnest($1) c
           where c.op = ''delete'' and c.base is not null and c.workspace_id = any ($2) group by c.workspace_id
         ) s
         join public.%I t on t.workspace_id = s.scope and t.revision > s.base
        where (t.field_revisions -> %L ->> 0)::bigint > s.base', place.table_name, place.name)
      into in_table using changes, scopes;
    moved := moved || coalesce(in_table, '{}');
  end loop;
  return jsonb_build_object('unfinished', unfinished, 'moved', moved);
end
$$;

-- Functions that are written from the columns of the tables.
select convoy.build_pages();
select convoy.build_pushes();
