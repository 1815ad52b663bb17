-- A small push took ten milliseconds, nearly all of it under its workspace's clock lock, and most of that for planning:
-- statements on the tables that it writes were executed as text, and plans for arrays were made anew each time. Now the
-- statements are written from the columns of the tables, and a small push keeps its plans.

drop function convoy.with_known(convoy.change[],convoy.known_row[]);
drop function convoy.judge_parents(convoy.change[],convoy.link[],convoy.parent_row[]);
drop function convoy.conclude(convoy.change[],convoy.change[]);
drop type convoy.known_row;
drop type convoy.parent_row;
create type convoy.found_row as (
  table_name text, id uuid, workspace_id uuid, revision bigint, deleted boolean, field_revisions jsonb
);

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
      row_tables text[] := '{}';
      row_parts json[] := '{}';
      deleted_tables text[] := '{}';
      deleted_parts json[] := '{}';
      -- The effects of a push are of few tables.
      picked constant text[] := array(select distinct i.table_name from unnest(picks) i);
    begin
      if cardinality(ranges) > 0 or cardinality(picks) > 0 then
        %s
      end if;
      select coalesce(json_object_agg(x.name, x.part), '{}') into rows from unnest(row_tables, row_parts) x (name, part);
      select coalesce(json_object_agg(x.name, x.part), '{}') into deleted
        from unnest(deleted_tables, deleted_parts) x (name, part);
    end
    $body$
  $function$, pages);
  revoke execute on function convoy.read_page(convoy.page_range[], convoy.pick[]) from public;
end
$outer$;

create or replace function convoy.parse_changes(changes jsonb) returns convoy.change[]
language plpgsql stable set search_path = '' as $$
begin
  return (select coalesce(array_agg(row(
    e.n,
    t.name,
    e.op,
    case when e.sound_id then e.id::uuid end,
    case when e.sound_workspace then e.workspace_id::uuid end,
    e.base,
    -- A change that names no group is one of its own.
    coalesce(e.group_no, -e.n),
    case when jsonb_typeof(e.payload) = 'object'
      then (e.payload - t.ignored) || coalesce(i.spelled, '{}') else '{}' end,
    case when jsonb_typeof(e.edited_at) = 'object' then e.edited_at else '{}' end,
    case
      when jsonb_typeof(e.c) <> 'object' then convoy.rejection('malformed', null, 'A change is an object.')
      when jsonb_typeof(e.c -> 'table') is distinct from 'string'
        then convoy.rejection('malformed', null, 'A change names its table.')
      when t.name is null
        then convoy.rejection('unknown_table', null, 'There is no table ' || quote_ident(e.table_name) || '.')
      when e.op is null or e.op not in ('insert', 'update', 'delete')
        then convoy.rejection('malformed', null, 'A change is an insert, an update or a delete.')
      when not e.sound_id
        then convoy.rejection('malformed', 'id', 'The id must be a UUID.')
      when not e.sound_workspace
        then convoy.rejection('malformed', 'workspace_id', 'The workspace must be a UUID.')
      when e.group_no is null
        then convoy.rejection('malformed', null, 'A change names its group by a number.')
      when e.base is null and coalesce(e.c -> 'base', 'null') <> 'null'
        then convoy.rejection('malformed', null, 'The base must be a revision or null.')
      when coalesce(jsonb_typeof(e.payload), 'absent')
          not in ('object', case when e.op = 'delete' then 'absent' else 'object' end)
        then convoy.rejection('malformed', null, 'The values must be an object.')
      when coalesce(jsonb_typeof(e.edited_at), 'object') <> 'object'
        then convoy.rejection('malformed', null, 'The edit times must be an object.')
      when t.name = 'workspaces' and e.id <> e.workspace_id
        then convoy.rejection('malformed', 'workspace_id', 'A workspace is its own scope.')
      when e.op <> 'delete' and e.payload - t.pushable - t.ignored <> '{}'
        then (select convoy.rejection('unknown_column', k, 'Clients do not write the column ' || quote_ident(k) || '.')
          from jsonb_object_keys(e.payload - t.pushable - t.ignored) k order by k limit 1)
      when i.unsound is not null then convoy.rejection('invalid_value', i.unsound, 'The value must be a UUID.')
      when f.column_name is not null then convoy.rejection('invalid_value', f.column_name, f.message)
    end,
    e.nth,
    null, null, null, null, null
  )::convoy.change order by e.n), '{}')
  from (
    -- Each part is read out of the JSON once.
    select s.*,
      coalesce(convoy.is_uuid(s.id), false) as sound_id,
      coalesce(convoy.is_uuid(s.workspace_id), false) as sound_workspace,
      row_number() over (partition by s.id, s.table_name, s.op order by s.n) as nth
    from (
      select e.n, e.c, e.c ->> 'table' as table_name, e.c ->> 'op' as op, lower(e.c ->> 'id') collate "C" as id,
        lower(e.c ->> 'workspace_id') as workspace_id, convoy.to_count(e.c -> 'base') as base,
        convoy.to_count(e.c -> 'group') as group_no, e.c -> 'values' as payload, e.c -> 'edited_at' as edited_at
      from jsonb_array_elements(changes) with ordinality e (c, n)
      offset 0
    ) s
    offset 0
  ) e
  left join convoy.synced_tables t on t.name = e.table_name
  -- PostgreSQL takes a UUID in several spellings; an id in a second one would match nothing it is compared with.
  left join lateral (
    select jsonb_object_agg(k, lower(e.payload ->> k)) as spelled,
      min(k) filter (where not convoy.is_uuid(e.payload ->> k)) as unsound
    from unnest(t.ids) k
    where e.payload ?| t.ids and e.payload ->> k !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
  ) i on true
  left join lateral convoy.json_fault(e.payload) f on e.op <> 'delete');
end
$$;

create or replace function convoy.find_known(changes convoy.change[]) returns convoy.found_row[]
language plpgsql stable set search_path = '' as $$
declare
  wanted record;
  known convoy.found_row[] := '{}';
begin
  for wanted in
    select c.table_name, array_agg(c.id) as ids from unnest(changes) c where c.problem is null group by c.table_name
  loop
    known := known || convoy.find_rows(wanted.table_name, wanted.ids);
  end loop;
  return known;
end
$$;

create or replace function convoy.look_up(changes convoy.change[]) returns convoy.change[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  known constant convoy.found_row[] := convoy.find_known(changes);
begin
  -- Most pushes of new records find none.
  if cardinality(known) = 0 then
    return changes;
  end if;
  return (
    select coalesce(array_agg(row(
      c.position, c.table_name, c.op, c.id, c.workspace_id, c.base, c.group_no, c.payload, c.edited_at,
      c.problem, c.nth, k.workspace_id, k.revision, k.deleted, k.field_revisions, c.conflicts
    )::convoy.change order by c.position), '{}')
    from unnest(changes) c
    left join unnest(known) k
      on k.table_name = c.table_name and k.id = c.id and (c.op = 'insert' or k.workspace_id = c.workspace_id));
end
$$;

create or replace function convoy.to_time(value text) returns timestamptz language sql stable
  return case
    when value ~ '^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+]00:00)$'
      then value::timestamptz
    when value is not null then convoy.try_time(value) end;

create or replace function convoy.decide_parents(changes convoy.change[], links convoy.link[]) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
declare
  wanted record;
  parents convoy.found_row[] := '{}';
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

create or replace function convoy.judge_parents(changes convoy.change[], links convoy.link[], parents convoy.found_row[])
returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select distinct on (c.position) row(c.position, case
        when p.deleted and p.workspace_id = c.workspace_id then '{"outcome": "gone", "which": "parent"}'
        else convoy.rejection('missing_parent', l.column_name, 'The record this one belongs to does not exist.')
      end, false)::convoy.decision
    from unnest(changes) c
    join unnest(links) l on l.position = c.position and l.provider is null and l.is_parent
    left join unnest(parents) p on p.table_name = l.parent_table and p.id = l.parent_id
    where p.id is null or p.workspace_id <> c.workspace_id or p.deleted
    order by c.position, coalesce(p.deleted and p.workspace_id = c.workspace_id, false) desc, l.column_name);
end
$$;

create or replace function convoy.update_rows(target text, changes convoy.change[]) returns void
language plpgsql set search_path = '' as $$
declare
  rounds constant bigint := (
    select max(c.nth) from unnest(changes) c where c.table_name = target and c.op = 'update' and c.payload <> '{}');
begin
  for round in 1 .. coalesce(rounds, 0) loop
    perform convoy.update_round(target, changes, round);
  end loop;
end
$$;

create or replace function convoy.conclude(before convoy.change[], after convoy.found_row[]) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select row(b.position, case
        -- The twin of a duplicate may have been deleted by the same push.
        when b.op = 'insert' and a.revision is null
          then coalesce(
            (select jsonb_build_object('outcome', 'duplicate', 'of', twin) from convoy.find_twin(b) twin
              where twin is not null),
            '{"outcome": "gone", "which": "record"}')
        when b.conflicts is not null
          then convoy.conflict_with(b, a.revision, b.conflicts)
        when b.op = 'update' and b.base is not null and b.row_revision > b.base
          then jsonb_build_object('outcome', 'merged', 'revision', a.revision)
        else jsonb_build_object('outcome', 'applied', 'revision', a.revision)
      end, case b.op
        when 'insert' then a.revision is null
          -- The server fills in defaults, and dates rows that claim a later time.
          or not b.payload ?& t.defaulted
          -- The feed takes no device id.
          or b.table_name = 'activity_feed' and b.payload -> 'details' ? 'device_id'
          or coalesce(convoy.to_time(b.edited_at ->> 'created_at') > now(), true)
        when 'update' then b.conflicts is not null or b.base is null or b.row_revision > b.base
          -- The server dates a restore, and its triggers move subtasks along.
          or b.table_name = 'deletions' or b.table_name = 'tasks' and b.payload ? 'milestone_id'
        else false
      end)::convoy.decision
    from unnest(before) b
    left join unnest(after) a
      on a.table_name = b.table_name and a.id = b.id and (b.op = 'insert' or a.workspace_id = b.workspace_id)
    join convoy.synced_tables t on t.name = b.table_name);
end
$$;

create or replace function public.sync_push(request jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = ''
set timezone = 'UTC'
set statement_timeout = '8s'
set lock_timeout = '5s'
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  reply jsonb := convoy.refuse_push(request);
  batch_no bigint;
  batch_key uuid;
  device uuid;
  digest bytea;
  settles boolean;
  cursors convoy.cursor_position[];
  changes convoy.change[];
  todo convoy.change[];
  links convoy.link[];
  decided convoy.decision[];
  refused convoy.decision[];
  locked uuid[];
begin
  if reply is not null then
    return reply;
  end if;
  begin
    cursors := convoy.read_cursors(request -> 'cursors', request -> 'skip');
  exception when sqlstate 'SN009' then
    return convoy.failure('malformed', sqlerrm);
  end;
  batch_no := convoy.to_count(request -> 'batch');
  batch_key := (request ->> 'key')::uuid;
  settles := coalesce(request -> 'settle' = 'true', false);
  device := (request ->> 'device_id')::uuid;
  digest := sha256(convert_to((request -> 'changes')::text, 'UTF8'));
  reply := convoy.answer_known_batch(device, batch_no, batch_key, digest, settles);
  if reply is not null then
    return reply;
  end if;
  if not convoy.knows_cursors(cursors) then
    -- A device id is its user's once a batch of it was applied; a refused request takes none.
    delete from convoy.devices d where d.device_id = device and d.batch = 0;
    return convoy.failure('history_changed');
  end if;
  if settles then
    -- The number is void from now on: a late copy of its batch is answered with device_conflict.
    update convoy.devices d
      set user_id = auth.uid(), batch = batch_no, key = batch_key, hash = null, answer = null, updated_at = now()
      where d.device_id = device;
    return convoy.void_answer(batch_no);
  end if;

  changes := convoy.parse_changes(request -> 'changes');
  -- A small push keeps its plans: the planner would make them anew for each, since it knows how many elements an array
  -- has and takes it for more in a plan that is kept. What takes rows along is planned for what it is.
  if not convoy.is_small(changes) or exists (select from unnest(changes) c where convoy.takes_along(c.table_name, c.op)) then
    perform set_config('plan_cache_mode', 'auto', true);
  end if;
  locked := convoy.lock_clocks(changes);
  select d.changes, d.links, d.decided into todo, links, decided from convoy.decide(changes, cursors, locked) d;
  refused := convoy.write_groups(todo, links, '{}', null);
  todo := convoy.still_open(todo, refused);
  decided := decided || refused || convoy.conclude(todo, convoy.find_known(todo));
  perform convoy.record_conflicts(changes, decided);
  reply := convoy.kept_answer(batch_no, changes, decided);
  update convoy.devices d
    set user_id = auth.uid(), batch = batch_no, key = batch_key, hash = digest, answer = reply, updated_at = now()
    where d.device_id = device;
  return convoy.spell_answer(reply);
end
$$;

create or replace function convoy.is_small(changes convoy.change[]) returns boolean language sql immutable
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
        when %1$L then
          select array_agg(t.id) filter (where t.deleted_at is null), array_agg(t.id) filter (where t.deleted_at is not null)
            into live, deleted
            from unnest(scopes, revisions) s (scope, revision)
            join public.%1$I t on t.workspace_id = s.scope
              and (t.revision, t.id) >= (s.revision, '00000000-0000-0000-0000-000000000000')
              and (t.revision, t.id) <= (s.revision, 'ffffffff-ffff-ffff-ffff-ffffffffffff');$code$, t.name);

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
              where t.id = c.id and t.workspace_id = c.workspace_id$query$,
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
      end case;
    end
    $body$
  $function$, finds);
  revoke execute on function convoy.find_rows(text, uuid[]) from public;

  -- The rows of a table at revisions of scopes. Comparing rows, and the planner settings, make it use the pull index,
  -- also where statistics lack the latest revisions.
  execute format($function$
    create or replace function convoy.rows_at(
      target text, scopes uuid[], revisions bigint[], out live uuid[], out deleted uuid[]
    ) language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    begin
      case target %s
      end case;
    end
    $body$
  $function$, stamped);
  revoke execute on function convoy.rows_at(text, uuid[], bigint[]) from public;

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

-- Functions that are written from the columns of the tables.
select convoy.build_pages();
select convoy.build_pushes();

revoke all on function convoy.find_known(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.judge_parents(convoy.change[],convoy.link[],convoy.found_row[]) from public, anon, authenticated, service_role;
revoke all on function convoy.conclude(convoy.change[],convoy.found_row[]) from public, anon, authenticated, service_role;
revoke all on function convoy.is_small(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.build_pushes() from public, anon, authenticated, service_role;
revoke all on function convoy.find_rows(text,uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.update_round(text,convoy.change[],bigint) from public, anon, authenticated, service_role;
