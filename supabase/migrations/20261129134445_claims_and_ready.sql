-- Claims, ready, and stage and status (docs/work-model.md): the functions and triggers by which the server alone writes claims, which
-- are no news; which task is next; and circles of tasks that wait for each other through subtasks and dependencies.

create index tasks_claimed_by on public.tasks (claimed_by) where claimed_by is not null;
create index tasks_next on public.tasks
  (milestone_id, priority, sort_order, date_trunc('milliseconds', created_at at time zone 'UTC'), id)
  where deleted_at is null and status in ('todo', 'in_progress');

drop function convoy.write_stamp_function(text,text[]);
drop function convoy.reach_dependencies(uuid[]);

create or replace function convoy.news_revision(revision bigint, field_revisions jsonb) returns bigint language sql immutable
  return case when (field_revisions -> 'news' ->> 0)::bigint = revision
    then (field_revisions -> 'news' ->> 1)::bigint else revision end;

create or replace function convoy.write_stamp_function(table_name text, columns text[], quiet text[] default '{}') returns void
language plpgsql set search_path = '' as $outer$
declare
  comparisons text;
  quiet_update text := '';
begin
  if cardinality(quiet) > 0 then
    select format($code$
        if (%s, new.deleted_at) is not distinct from (%s, old.deleted_at) then
          new.revision := stamp;
          new.field_revisions := old.field_revisions
            || jsonb_build_object('news', jsonb_build_array(stamp, convoy.news_revision(old.revision, old.field_revisions)));
          new.updated_at := old.updated_at;
          new.last_modified_by := old.last_modified_by;
          new.deleted_at := old.deleted_at;
          new.deletion_id := old.deletion_id;
          return new;
        end if;$code$,
        string_agg(format('new.%I', c.name), ', ' order by c.n), string_agg(format('old.%I', c.name), ', ' order by c.n))
      into quiet_update from unnest(columns) with ordinality c (name, n) where c.name <> all (quiet);
  end if;
  select string_agg(format($code$
    if new.%1$I is distinct from old.%1$I then
      fields := fields || jsonb_build_object(%1$L, jsonb_build_array(stamp, case
        when new.field_revisions -> %1$L is distinct from old.field_revisions -> %1$L
        then new.field_revisions -> %1$L -> 1 else to_jsonb(convoy.iso(now())) end));
    end if;$code$, name), '' order by ordinality)
  into comparisons from unnest(columns) with ordinality as c (name, ordinality) where c.name <> all (quiet);

  execute format($function$
    create or replace function convoy.%1$I() returns trigger
    language plpgsql security definer set search_path = '' as $body$
    declare
      stamp bigint;
      fields jsonb := '{}';
    begin
      if tg_op = 'DELETE' then
        if current_setting('convoy.purge', true) is distinct from 'on' then
          raise exception 'Rows are deleted by setting deleted_at.' using errcode = 'SN007';
        end if;
        return old;
      end if;
      if tg_op = 'UPDATE' then
        if new.id <> old.id or new.workspace_id <> old.workspace_id then
          raise exception 'A record stays in the workspace it was created in.'
            using errcode = 'SN005', column = 'workspace_id';
        end if;
        if (%2$s, new.deleted_at) is not distinct from (%3$s, old.deleted_at) then
          return old;
        end if;
      end if;

      select c.revision into stamp from convoy.scope_clocks c
        where c.scope_id = new.workspace_id and c.bumped_in = pg_current_xact_id() and c.bumped_at = now();
      if not found then
        stamp := convoy.bump(new.workspace_id);
      end if;

      if tg_op = 'INSERT' then
        new.created_at := least(coalesce(new.created_at, now()), now());
      else
        new.created_at := old.created_at;%5$s
        fields := old.field_revisions%6$s;
        %4$s
        if new.deleted_at is null then
          new.deletion_id := null;
        elsif old.deleted_at is null then
          new.deleted_at := now();
          new.deletion_id := coalesce(new.deletion_id, gen_random_uuid());
        else
          new.deleted_at := old.deleted_at;
          new.deletion_id := old.deletion_id;
        end if;
      end if;
      new.revision := stamp;
      new.field_revisions := fields;
      new.updated_at := now();
      new.last_modified_by := convoy.author();
      return new;
    end
    $body$
  $function$,
    'stamp_' || table_name,
    (select string_agg(format('new.%I', name), ', ') from unnest(columns) as name),
    (select string_agg(format('old.%I', name), ', ') from unnest(columns) as name),
    comparisons, quiet_update,
    -- All of a row that is written otherwise is news.
    case when cardinality(quiet) > 0 then $code$ - 'news'$code$ else '' end);
end
$outer$;

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

  perform convoy.write_stamp_function(table_name, columns, make_synced.ignored);
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

create or replace function convoy.check_parent_cycle() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off
set jit = off
as $$
declare
  moved uuid[];
  parents uuid[];
  above record;
  below record;
begin
  -- Most statements place no task under another.
  if not exists (
    select from new_rows n
    where n.parent_task_id is not null
      and (tg_op = 'INSERT' or (n.field_revisions -> 'parent_task_id' ->> 0)::bigint = n.revision))
  then
    return null;
  end if;
  if exists (
    with recursive above (id, parent_task_id) as (
      select n.id, n.parent_task_id from new_rows n
      where n.parent_task_id is not null
        and (tg_op = 'INSERT' or (n.field_revisions -> 'parent_task_id' ->> 0)::bigint = n.revision)
      union
      select p.id, p.parent_task_id from above a
      cross join lateral (
        select t.id, t.parent_task_id from public.tasks t where t.id = a.parent_task_id offset 0
      ) p
    ), below (id) as (
      select a.id from above a where a.parent_task_id is null
      union
      select a.id from below b join above a on a.parent_task_id = b.id
    )
    select from above a where a.id not in (select b.id from below b)
  ) then
    raise exception 'A task cannot be its own subtask.' using errcode = 'SN003', column = 'parent_task_id';
  end if;
  -- N5: nor may it wait, through dependencies too, for a task that waits for it. Nothing waits for a new task yet.
  if tg_op = 'INSERT' then
    return null;
  end if;
  select array_agg(n.id), array_agg(n.parent_task_id) into moved, parents from new_rows n
    where n.parent_task_id is not null and (n.field_revisions -> 'parent_task_id' ->> 0)::bigint = n.revision;
  select * into above from convoy.reach_events(parents, '{}');
  select * into below from convoy.reach_events('{}', moved);
  if exists (select unnest(moved) intersect select unnest(above.reached))
      and convoy.closes_circle(above.waiting, above.awaited, moved, parents)
    or exists (select convoy.finish_of(p) from unnest(parents) p intersect select unnest(below.reached))
      and convoy.closes_circle(below.waiting, below.awaited,
        array(select convoy.finish_of(p.id) from unnest(parents) with ordinality p (id, n) order by p.n),
        array(select convoy.finish_of(m.id) from unnest(moved) with ordinality m (id, n) order by m.n))
  then
    raise exception 'The tasks would wait for each other.' using errcode = 'SN003', column = 'parent_task_id';
  end if;
  return null;
end
$$;

create or replace function convoy.finish_of(task uuid) returns uuid language sql immutable
  return md5(task::text)::uuid;

create or replace function convoy.reach_events(
  begun uuid[], finished uuid[], out reached uuid[], out waiting uuid[], out awaited uuid[]
)
language plpgsql stable set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  ids uuid[];
  ends boolean[];
begin
  with recursive reached (id, is_end) as (
    select e.id, e.is_end
    from (select b, false from unnest(begun) b union all select f, true from unnest(finished) f) e (id, is_end)
    union
    select x.id, x.is_end from reached r
    cross join lateral (
      select l.depends_on_task_id as id, true as is_end from public.task_dependencies l
        where not r.is_end and l.task_id = r.id and l.deleted_at is null
      union all
      select t.parent_task_id, false from public.tasks t where not r.is_end and t.id = r.id and t.parent_task_id is not null
      union all
      select r.id, false where r.is_end
      union all
      select c.id, true from public.tasks c where r.is_end and c.parent_task_id = r.id
      offset 0
    ) x
  )
  select coalesce(array_agg(r.id), '{}'), coalesce(array_agg(r.is_end), '{}') into ids, ends from reached r;
  reached := array(
    select case when e.is_end then convoy.finish_of(e.id) else e.id end from unnest(ids, ends) e (id, is_end));
  select coalesce(array_agg(case when r.is_end then convoy.finish_of(r.id) else r.id end), '{}'),
      coalesce(array_agg(case when x.is_end then convoy.finish_of(x.id) else x.id end), '{}')
    into waiting, awaited
    from unnest(ids, ends) r (id, is_end)
    cross join lateral (
      select l.depends_on_task_id as id, true as is_end from public.task_dependencies l
        where not r.is_end and l.task_id = r.id and l.deleted_at is null
      union all
      select t.parent_task_id, false from public.tasks t where not r.is_end and t.id = r.id and t.parent_task_id is not null
      union all
      select r.id, false where r.is_end
      union all
      select c.id, true from public.tasks c where r.is_end and c.parent_task_id = r.id
      offset 0
    ) x;
end
$$;

create or replace function convoy.closes_circle(waiting uuid[], awaited uuid[], new_waiting uuid[], new_awaited uuid[]) returns boolean
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  graph record;
  sorted integer[];
  stuck uuid[];
begin
  select * into graph from convoy.number_nodes(waiting, awaited);
  sorted := convoy.sort_nodes(cardinality(graph.nodes), graph.sources, graph.targets);
  if cardinality(sorted) = cardinality(graph.nodes) then
    return false;
  end if;
  -- What is neither before nor behind all circles is on one, or between two.
  stuck := array(
    select n.id from unnest(graph.nodes) with ordinality n (id, node)
    join (
      select generate_series(1, cardinality(graph.nodes)) as node
      except select unnest(sorted)
      except select unnest(convoy.sort_nodes(cardinality(graph.nodes), graph.targets, graph.sources))
    ) s on s.node = n.node);
  return exists (
    select from unnest(new_waiting, new_awaited) e (waiting, awaited)
    join unnest(stuck) a (id) on a.id = e.waiting
    join unnest(stuck) b (id) on b.id = e.awaited);
end
$$;

create or replace function convoy.check_dependency_cycle() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  waiting uuid[];
  awaited uuid[];
  around record;
begin
  if tg_op = 'INSERT' then
    select array_agg(n.task_id), array_agg(n.depends_on_task_id) into waiting, awaited
      from new_rows n where n.deleted_at is null;
  else
    select array_agg(r.task_id), array_agg(r.depends_on_task_id) into waiting, awaited
      from (
        select n.id, n.task_id, n.depends_on_task_id from new_rows n where n.deleted_at is null
        except
        select o.id, o.task_id, o.depends_on_task_id from old_rows o where o.deleted_at is null
      ) r;
  end if;
  if waiting is null then
    return null;
  end if;
  select * into around from convoy.reach_events('{}', awaited);
  -- A circle leads back to a task that waits.
  if not exists (select unnest(waiting) intersect select unnest(around.reached)) then
    return null;
  end if;
  if convoy.closes_circle(around.waiting, around.awaited, waiting,
    array(select convoy.finish_of(a.id) from unnest(awaited) with ordinality a (id, n) order by a.n))
  then
    raise exception 'The tasks would wait for each other.' using errcode = 'SN003', column = 'depends_on_task_id';
  end if;
  return null;
end
$$;

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
  select * into live from convoy.reach_events(waiting, awaited);
  fixed := cardinality(live.waiting);
  select * into graph from convoy.number_nodes(live.waiting || waiting, live.awaited
    || array(select convoy.finish_of(a.id) from unnest(awaited) with ordinality a (id, n) order by a.n));
  return array(
    select i.id from unnest(ids) with ordinality i (id, n)
    where i.n + fixed not in (
      select e from unnest(convoy.closing_edges(cardinality(graph.nodes), graph.sources, graph.targets, fixed)) e));
end
$$;

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
      when e.expected is not null and (jsonb_typeof(e.expected) <> 'object' or e.op <> 'update')
        then convoy.rejection('malformed', null, 'An update expects values, as an object.')
      when t.name = 'workspaces' and e.id <> e.workspace_id
        then convoy.rejection('malformed', 'workspace_id', 'A workspace is its own scope.')
      when e.op <> 'delete' and e.payload - t.pushable - t.ignored <> '{}'
        then (select convoy.rejection('unknown_column', k, 'Clients do not write the column ' || quote_ident(k) || '.')
          from jsonb_object_keys(e.payload - t.pushable - t.ignored) k order by k limit 1)
      when e.expected is not null and e.expected - t.pushable - t.ignored <> '{}'
        then (select convoy.rejection('unknown_column', k, 'Clients do not write the column ' || quote_ident(k) || '.')
          from jsonb_object_keys(e.expected - t.pushable - t.ignored) k order by k limit 1)
      when i.unsound is not null then convoy.rejection('invalid_value', i.unsound, 'The value must be a UUID.')
      when f.column_name is not null then convoy.rejection('invalid_value', f.column_name, f.message)
      when x.column_name is not null then convoy.rejection('invalid_value', x.column_name, x.message)
    end,
    e.nth,
    null, null, null, null, null, e.expected
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
        convoy.to_count(e.c -> 'group') as group_no, e.c -> 'values' as payload, e.c -> 'edited_at' as edited_at,
        nullif(e.c -> 'expected', 'null') as expected
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
  left join lateral convoy.json_fault(e.payload) f on e.op <> 'delete'
  left join lateral convoy.expected_fault(e.expected) x on e.op = 'update' and e.expected is not null);
end
$$;

create or replace function convoy.decide_deletes(changes convoy.change[], cursors convoy.cursor_position[])
returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
declare
  frontier convoy.descendant[];
  next_frontier convoy.descendant[];
  found_rows convoy.descendant[];
  everything convoy.descendant[];
  moved_rows convoy.descendant[];
  moves convoy.change[];
  child record;
begin
  -- In a scope without revisions of others since the base no delete can conflict.
  frontier := array(
    select row(c.position, c.table_name, c.id, convoy.news_revision(c.row_revision, c.field_revisions))::convoy.descendant
    from unnest(changes) c
    left join unnest(cursors) k on k.scope = c.workspace_id
    where c.op = 'delete' and c.base is not null and c.row_revision is not null
      -- Whoever leaves or is removed is, whatever others did to the role or the name meanwhile.
      and c.table_name <> 'workspace_members'
      and exists (
        select from convoy.scope_revisions r
        where r.scope_id = c.workspace_id and r.revision > c.base and r.revision <> all (coalesce(k.skip, '{}'))));
  everything := frontier;
  moves := case when cardinality(frontier) > 0 then array(
    select c from unnest(changes) c
    where c.op = 'update' and c.row_revision is not null and exists (
      select from convoy.synced_columns m
      where m.table_name = c.table_name and m.is_parent and c.payload ? m.name)) end;
  while cardinality(frontier) > 0 loop
    next_frontier := '{}';
    for child in
      select m.table_name, m.name, m.refers_to from convoy.synced_columns m
      where m.is_parent and exists (select from unnest(frontier) f where f.table_name = m.refers_to)
      union all
      -- A workspace is the parent of all its rows.
      select t.name, 'workspace_id', 'workspaces' from convoy.synced_tables t
      where t.name not in ('workspaces', 'workspace_members', 'deletions')
        and exists (select from unnest(frontier) f where f.table_name = 'workspaces')
    loop
      execute format(
        'select array_agg(row(f.root, %L, t.id, convoy.news_revision(t.revision, t.field_revisions))::convoy.descendant)
           from unnest($1) f join public.%I t on t.%I = f.id
          where f.table_name = %L and t.deleted_at is null
            and not exists (select from unnest($2) e where e.root = f.root and e.table_name = %L and e.id = t.id)',
        child.table_name, child.table_name, child.name, child.refers_to, child.table_name)
        into found_rows using frontier, case when child.table_name = child.refers_to then everything else '{}' end;
      next_frontier := next_frontier || coalesce(found_rows, '{}');
      if cardinality(moves) > 0 then
        select array_agg(row(f.root, c.table_name, c.id,
              convoy.news_revision(c.row_revision, c.field_revisions))::convoy.descendant) into moved_rows
          from unnest(frontier) f
          join unnest(moves) c on c.table_name = child.table_name and c.payload ->> child.name = f.id::text
          where f.table_name = child.refers_to
            and not exists (
              select from unnest(everything) e where e.root = f.root and e.table_name = c.table_name and e.id = c.id);
        next_frontier := next_frontier || coalesce(moved_rows, '{}');
      end if;
    end loop;
    everything := everything || next_frontier;
    -- The rows below a workspace have been found at once.
    frontier := array(
      select f from unnest(next_frontier) f
      join unnest(changes) c on c.position = f.root where c.table_name <> 'workspaces');
  end loop;
  return array(
    select distinct row(c.position,
      jsonb_build_object('outcome', 'conflict', 'revision', c.row_revision, 'columns', '{}'::jsonb), true)::convoy.decision
    from unnest(everything) e
    join unnest(changes) c on c.position = e.root
    left join unnest(cursors) k on k.scope = c.workspace_id
    where e.revision > c.base and e.revision <> all (coalesce(k.skip, '{}')));
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
          -- The feed takes no device id, and corrects what it is told.
          or b.table_name = 'activity_feed' and (b.payload -> 'details' ? 'device_id' or b.edited_at ? 'details')
          -- Another value is stored than was sent.
          or b.edited_at ? 'corrected'
          or coalesce(convoy.to_time(b.edited_at ->> 'created_at') > now(), true)
        when 'update' then b.conflicts is not null or b.base is null or b.row_revision > b.base or b.edited_at ? 'corrected'
          -- The server dates a restore, and its triggers move subtasks along.
          or b.table_name = 'deletions' or b.table_name = 'tasks' and b.payload ? 'milestone_id'
          -- Its stage or status released the claim, or granted it anew (C5, C6).
          or coalesce((a.field_revisions -> 'news' ->> 0)::bigint = a.revision, false)
        else false
      end)::convoy.decision
    from unnest(before) b
    left join unnest(after) a
      on a.table_name = b.table_name and a.id = b.id and (b.op = 'insert' or a.workspace_id = b.workspace_id)
    join convoy.synced_tables t on t.name = b.table_name);
end
$$;

create or replace function convoy.pick_effects(
  changes convoy.change[], kinds text[], decided convoy.decision[], scopes uuid[], revisions bigint[]
) returns convoy.pick[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  -- A delete cascades anywhere, and so does undoing one; other changes stay in their table, but for the creator's
  -- membership.
  written constant convoy.written_row[] := convoy.written_rows(
    case
      when 'delete' = any (kinds) or 'deletions' = any (kinds) then null
      when 'workspaces' = any (kinds) then kinds || 'workspace_members'::text
      -- Whoever may claim no more loses their claims (C6).
      when 'update workspace_members' = any (kinds) then kinds || 'tasks'::text
      else kinds end,
    scopes, revisions);
  result convoy.pick[];
begin
  result := array(
    with concluded as materialized (
      select c.table_name, c.id, c.op, d.tell, d.outcome
      from unnest(changes) c join unnest(decided) d on d.position = c.position
    )
    select row(e.table_name, e.id)::convoy.pick
    from (
      select t.table_name, coalesce((t.outcome ->> 'of')::uuid, t.id) as id from concluded t where t.tell
      union
      select u.table_name, u.id
      from (
        select w.table_name, w.id, w.deleted from unnest(written) w
        except
        select p.table_name, p.id, p.op = 'delete' from concluded p
          where not p.tell and p.outcome ->> 'outcome' = 'applied'
      ) u
    ) e);
  if not 'update tasks' = any (kinds) then
    return result;
  end if;
  return array(
    select distinct p from unnest(result || convoy.pick_moved(changes, scopes, revisions)) p);
end
$$;

create or replace function convoy.lease_minutes(asked jsonb) returns numeric language sql immutable
  return case when jsonb_typeof(asked) = 'number' then least(greatest(asked::numeric, 1), 60) else 15 end;

create or replace function convoy.waits_at_checkpoint(workflow uuid, stage text) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return exists (
    select from public.workflows w
    cross join lateral jsonb_array_elements(w.stages) s
    where w.id = coalesce(workflow, '00000000-0000-7000-8000-000000000001')
      and s ->> 'name' = stage and s -> 'is_checkpoint' = 'true');
end
$$;

create or replace function convoy.is_claim_live(t public.tasks) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return t.claim_id is not null and t.claimed_by is not null
    and (coalesce(t.claimed_until > clock_timestamp(), false) or convoy.waits_at_checkpoint(t.workflow_id, t.current_stage));
end
$$;

create or replace function convoy.follow_stage() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.status in ('done', 'cancelled') or new.deleted_at is not null then
    new.claimed_by := null;
    new.claimed_until := null;
    new.claim_id := null;
  elsif old.claim_id is not null and convoy.waits_at_checkpoint(old.workflow_id, old.current_stage)
    and not convoy.waits_at_checkpoint(new.workflow_id, new.current_stage)
  then
    new.claimed_until := greatest(new.claimed_until, now() + make_interval(mins => 15));
  else
    return new;
  end if;
  new.field_revisions := new.field_revisions || jsonb_build_object('news', jsonb_build_array(new.revision, new.revision));
  return new;
end
$$;

create or replace function convoy.release_of_member() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.tasks t set claimed_by = null, claimed_until = null, claim_id = null
    where t.claimed_by = new.user_id and t.workspace_id = new.workspace_id and t.deleted_at is null;
  return null;
end
$$;

create or replace function convoy.claim_of(t public.tasks) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'task_id', t.id, 'claimed_by', t.claimed_by, 'claimed_until', t.claimed_until, 'claim_id', t.claim_id,
    'waits', convoy.waits_at_checkpoint(t.workflow_id, t.current_stage), 'revision', t.revision)
$$;

create or replace function convoy.refuse_claimer(scope uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  member record;
begin
  select m.role, m.paused_at into member from public.workspace_members m
    where m.workspace_id = scope and m.user_id = auth.uid() and m.deleted_at is null;
  if not found then
    return convoy.failure('not_found', 'There is no such task.');
  end if;
  if not exists (
    select from convoy.permissions p where p.role = member.role and p.table_name = 'tasks' and p.op = 'update')
  then
    return convoy.failure('forbidden', 'You may not claim tasks here.');
  end if;
  if member.paused_at is not null then
    return convoy.failure('paused', 'An owner or editor of the workspace has paused you.');
  end if;
  return null;
end
$$;

create or replace function convoy.refuse_claim_request(request jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  if jsonb_typeof(request) is distinct from 'object' then
    return convoy.failure('malformed', 'The request must be an object.');
  end if;
  if request -> 'user_id' is not null and request ->> 'user_id' is distinct from auth.uid()::text then
    return convoy.failure('wrong_user');
  end if;
  if not coalesce(jsonb_typeof(request -> 'task_id') = 'string' and convoy.is_uuid(request ->> 'task_id'), false) then
    return convoy.failure('malformed', 'task_id must be a UUID.');
  end if;
  if not coalesce(
    jsonb_typeof(request -> 'claim_id') = 'string' and char_length(request ->> 'claim_id') <= 64
      and not convoy.is_blank(request ->> 'claim_id'), false)
  then
    return convoy.failure('malformed', 'claim_id must be a text of 1 to 64 characters.');
  end if;
  if coalesce(jsonb_typeof(request -> 'resume'), 'null') not in ('null', 'string') then
    return convoy.failure('malformed', 'resume must be the claim_id of a claim.');
  end if;
  if coalesce(jsonb_typeof(request -> 'minutes'), 'null') not in ('null', 'number') then
    return convoy.failure('malformed', 'minutes must be a number.');
  end if;
  return null;
end
$$;

create or replace function convoy.claimed_task(task_id uuid, locks boolean) returns public.tasks
language plpgsql volatile security definer set search_path = '' as $$
declare
  task public.tasks;
begin
  select * into task from public.tasks t
    where t.id = task_id and t.deleted_at is null and t.workspace_id in (select convoy.visible_scopes());
  if not found then
    return null;
  end if;
  if locks then
    perform from convoy.scope_clocks c where c.scope_id = task.workspace_id for update;
    select * into task from public.tasks t where t.id = task_id and t.deleted_at is null;
  end if;
  if not found or exists (select from convoy.unfinished_deletions u where u.workspace_id = task.workspace_id)
    and convoy.hidden_by('tasks', task_id) is not null
  then
    return null;
  end if;
  return task;
end
$$;

create or replace function convoy.write_claim(task_id uuid, by uuid, until timestamptz, claim text) returns public.tasks
language plpgsql volatile security definer set search_path = '' as $$
declare
  author constant text := current_setting('convoy.author', true);
  task public.tasks;
begin
  perform set_config('convoy.author', 'none', true);
  update public.tasks t set claimed_by = by, claimed_until = date_trunc('milliseconds', until), claim_id = claim
    where t.id = task_id returning t.* into task;
  perform set_config('convoy.author', coalesce(author, ''), true);
  return task;
end
$$;

create or replace function public.claim_task(request jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = '' set timezone = 'UTC' set statement_timeout = '8s' set lock_timeout = '5s'
as $$
declare
  refusal jsonb := convoy.refuse_claim_request(request);
  task public.tasks;
begin
  if refusal is not null then
    return refusal;
  end if;
  -- A claim that stands is answered without the lock first.
  for n in 1 .. 2 loop
    task := convoy.claimed_task((request ->> 'task_id')::uuid, n = 2);
    if task.id is null then
      return convoy.failure('not_found', 'There is no such task.');
    end if;
    refusal := convoy.refuse_claimer(task.workspace_id);
    if refusal is not null then
      return refusal;
    end if;
    if task.status in ('done', 'cancelled') then
      return convoy.failure('closed', 'The task is done or cancelled.');
    end if;
    if convoy.is_claim_live(task) then
      if task.claimed_by <> auth.uid()
        or task.claim_id <> request ->> 'claim_id' and task.claim_id is distinct from request ->> 'resume'
      then
        return jsonb_build_object('taken', convoy.claim_of(task));
      end if;
      if task.claim_id = request ->> 'claim_id' then
        return jsonb_build_object('claim', convoy.claim_of(task));
      end if;
    end if;
  end loop;
  task := convoy.write_claim(task.id, auth.uid(),
    clock_timestamp() + convoy.lease_minutes(request -> 'minutes') * interval '1 minute', request ->> 'claim_id');
  return jsonb_build_object('claim', convoy.claim_of(task));
end
$$;

create or replace function public.renew_claim(request jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = '' set timezone = 'UTC' set statement_timeout = '8s' set lock_timeout = '5s'
as $$
declare
  refusal jsonb := convoy.refuse_claim_request(request);
  lease constant interval := convoy.lease_minutes(request -> 'minutes') * interval '1 minute';
  task public.tasks;
begin
  if refusal is not null then
    return refusal;
  end if;
  for n in 1 .. 2 loop
    task := convoy.claimed_task((request ->> 'task_id')::uuid, n = 2);
    if task.id is null then
      return convoy.failure('not_found', 'There is no such task.');
    end if;
    refusal := convoy.refuse_claimer(task.workspace_id);
    if refusal is not null then
      return refusal;
    end if;
    if task.claimed_by is distinct from auth.uid() or task.claim_id is distinct from request ->> 'claim_id' then
      return jsonb_build_object('lost', convoy.claim_of(task));
    end if;
    if task.claimed_until - clock_timestamp() > lease * 2 / 3 then
      return jsonb_build_object('claim', convoy.claim_of(task));
    end if;
  end loop;
  return jsonb_build_object('claim', convoy.claim_of(
    convoy.write_claim(task.id, auth.uid(), clock_timestamp() + lease, task.claim_id)));
end
$$;

create or replace function public.release_claim(request jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = '' set timezone = 'UTC' set statement_timeout = '8s' set lock_timeout = '5s'
as $$
declare
  refusal constant jsonb := convoy.refuse_claim_request(request);
  task public.tasks;
begin
  if refusal is not null then
    return refusal;
  end if;
  task := convoy.claimed_task((request ->> 'task_id')::uuid, true);
  if task.id is null then
    return convoy.failure('not_found', 'There is no such task.');
  end if;
  if task.claimed_by is distinct from auth.uid() or task.claim_id is distinct from request ->> 'claim_id' then
    return jsonb_build_object('released', false, 'revision', task.revision);
  end if;
  task := convoy.write_claim(task.id, null, null, null);
  return jsonb_build_object('released', true, 'revision', task.revision);
end
$$;

create or replace function convoy.is_open_to(t public.tasks, me uuid, own text) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  if t.status not in ('todo', 'in_progress') or t.deleted_at is not null or t.assignee_id is not null and t.assignee_id <> me then
    return false;
  end if;
  -- No claim of a task that waits at a checkpoint is looked at: it is not ready in any case.
  if t.claim_id is not null and t.claimed_until > now()
    and (t.claimed_by <> me or own is not null and t.claim_id <> own)
  then
    return false;
  end if;
  return exists (
    select from public.workflows w
    cross join lateral jsonb_array_elements(w.stages) s
    where w.id = coalesce(t.workflow_id, '00000000-0000-7000-8000-000000000001')
      and s ->> 'name' = t.current_stage and s -> 'is_checkpoint' is distinct from 'true');
end
$$;

create or replace function convoy.waits_for_others(task_id uuid, parent uuid) returns boolean
language plpgsql stable security definer set search_path = ''
set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
  if exists (
      select from public.tasks s
      where s.parent_task_id = task_id and s.deleted_at is null and s.status not in ('done', 'cancelled'))
    or exists (
      select from public.task_dependencies d
      join public.tasks n on n.id = d.depends_on_task_id
      where d.task_id = waits_for_others.task_id and d.deleted_at is null
        and n.deleted_at is null and n.status not in ('done', 'cancelled'))
  then
    return true;
  end if;
  return parent is not null and exists (
    with recursive above (id) as (
      select parent
      union
      select p.parent_task_id from above a
      cross join lateral (select t.parent_task_id from public.tasks t where t.id = a.id offset 0) p
      where p.parent_task_id is not null
    )
    select from above a
    cross join lateral (
      select d.depends_on_task_id from public.task_dependencies d where d.task_id = a.id and d.deleted_at is null offset 0
    ) d
    cross join lateral (select * from public.tasks t where t.id = d.depends_on_task_id offset 0) n
    where n.deleted_at is null and n.status not in ('done', 'cancelled'));
end
$$;

create or replace function convoy.is_ready(t public.tasks, me uuid, own text) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return convoy.is_open_to(t, me, own) and not convoy.waits_for_others(t.id, t.parent_task_id)
    and not (
      exists (select from convoy.unfinished_deletions u where u.workspace_id = t.workspace_id)
      and convoy.hidden_by('tasks', t.id) is not null);
end
$$;

create or replace function convoy.is_open_place(project_status text, milestone_status text) returns boolean language sql immutable
  return project_status not in ('paused', 'completed', 'archived') and milestone_status not in ('completed', 'cancelled');

create or replace function convoy.next_task(me uuid, scopes uuid[], project uuid, own text) returns uuid
language plpgsql stable security definer set search_path = '' set jit = off as $$
declare
  task public.tasks;
  best public.tasks;
  place record;
  best_day timestamptz;
begin
  select t.* into task
    from public.tasks t
    join public.milestones m on m.id = t.milestone_id and m.deleted_at is null
    join public.projects p on p.id = m.project_id and p.deleted_at is null
    where t.claimed_by = me and t.claim_id is not null and t.deleted_at is null and t.workspace_id = any (scopes)
      and (project is null or p.id = project) and convoy.is_open_place(p.status, m.status)
      and convoy.is_ready(t, me, own)
    order by t.claimed_until > now() desc, array_position(array['urgent', 'high', 'medium', 'low'], t.priority),
      date_trunc('milliseconds', m.target_date) nulls last, t.sort_order,
      date_trunc('milliseconds', t.created_at at time zone 'UTC'), t.id
    limit 1;
  if found then
    return task.id;
  end if;
  for level in 1 .. 4 loop
    for place in
      select m.id, date_trunc('milliseconds', m.target_date) as day
      from public.milestones m
      join public.projects p on p.id = m.project_id and p.deleted_at is null
      where m.workspace_id = any (scopes) and m.deleted_at is null and (project is null or p.id = project)
        and convoy.is_open_place(p.status, m.status)
      order by day nulls last, m.id
    loop
      exit when best.id is not null and place.day is distinct from best_day;
      for task in
        select t.* from public.tasks t
        where t.milestone_id = place.id and t.priority = (array['urgent', 'high', 'medium', 'low'])[level]
          and t.deleted_at is null and t.status in ('todo', 'in_progress')
          and (best.id is null
            or (t.sort_order, date_trunc('milliseconds', t.created_at at time zone 'UTC'), t.id)
              < (best.sort_order, date_trunc('milliseconds', best.created_at at time zone 'UTC'), best.id))
        order by t.sort_order, date_trunc('milliseconds', t.created_at at time zone 'UTC'), t.id
      loop
        if convoy.is_ready(task, me, own) then
          best := task;
          best_day := place.day;
          exit;
        end if;
      end loop;
    end loop;
    exit when best.id is not null;
  end loop;
  return best.id;
end
$$;

create or replace function convoy.readiness_facts(t public.tasks) returns jsonb
language plpgsql stable security definer set search_path = ''
set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
  return (
    with recursive above (id, n) as (
      select t.id, 0
      union all
      select p.parent_task_id, a.n + 1 from above a
      cross join lateral (select c.parent_task_id from public.tasks c where c.id = a.id offset 0) p
      where p.parent_task_id is not null
    )
    select jsonb_build_object(
      'task', public.as_entity(to_jsonb(t)),
      'milestone', (select jsonb_build_object('id', m.id, 'status', m.status)
        from public.milestones m where m.id = t.milestone_id and m.deleted_at is null),
      'project', (select jsonb_build_object('id', p.id, 'status', p.status)
        from public.milestones m join public.projects p on p.id = m.project_id and p.deleted_at is null
        where m.id = t.milestone_id),
      'stages', (select w.stages from public.workflows w
        where w.id = coalesce(t.workflow_id, '00000000-0000-7000-8000-000000000001')),
      'subtasks', (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'title', s.title, 'status', s.status) order by s.id), '[]')
        from public.tasks s
        where s.parent_task_id = t.id and s.deleted_at is null and s.status not in ('done', 'cancelled')),
      'dependencies', (
        select coalesce(jsonb_agg(jsonb_build_object('of', a.id, 'id', n.id, 'title', n.title,
            'status', case when n.deleted_at is null then n.status else 'deleted' end) order by a.n, n.id), '[]')
        from above a
        cross join lateral (
          select d.depends_on_task_id from public.task_dependencies d
          where d.task_id = a.id and (d.deleted_at is null or exists (
            -- A deleted task takes its dependencies along.
            select from public.tasks x
            where x.id = d.depends_on_task_id and x.deleted_at is not null and x.deletion_id = d.deletion_id)) offset 0
        ) d
        cross join lateral (select * from public.tasks x where x.id = d.depends_on_task_id offset 0) n),
      'absent', '[]'::jsonb,
      'now', now())
    );
end
$$;

create or replace function public.get_readiness(task_id uuid) returns jsonb
language plpgsql stable security definer set search_path = '' set timezone = 'UTC' as $$
declare
  task public.tasks;
begin
  select * into task from public.tasks t
    where t.id = get_readiness.task_id and t.deleted_at is null and t.workspace_id in (select convoy.visible_scopes());
  if not found or exists (select from convoy.unfinished_deletions u where u.workspace_id = task.workspace_id)
    and convoy.hidden_by('tasks', task.id) is not null
  then
    return null;
  end if;
  return convoy.readiness_facts(task);
end
$$;

create or replace function public.get_next_task(request jsonb) returns jsonb
language plpgsql stable security definer set search_path = '' set timezone = 'UTC' as $$
declare
  scope constant uuid := case when convoy.is_uuid(request ->> 'workspace_id') then (request ->> 'workspace_id')::uuid end;
  project constant uuid := case when convoy.is_uuid(request ->> 'project_id') then (request ->> 'project_id')::uuid end;
  own constant text := request ->> 'claim_id';
  scopes constant uuid[] := array(
    select v from convoy.visible_scopes() v
    where v <> '00000000-0000-7000-8000-000000000000'::uuid and (scope is null or v = scope));
  next uuid;
  candidates uuid[];
begin
  next := convoy.next_task(auth.uid(), scopes, project, own);
  if next is not null then
    return jsonb_build_object('task', (select public.as_entity(to_jsonb(t)) from public.tasks t where t.id = next));
  end if;
  candidates := array(
    select t.id from public.tasks t
    join public.milestones m on m.id = t.milestone_id and m.deleted_at is null
    join public.projects p on p.id = m.project_id and p.deleted_at is null
    where t.workspace_id = any (scopes) and t.deleted_at is null and t.status in ('todo', 'in_progress')
      and (project is null or p.id = project)
    order by array_position(array['urgent', 'high', 'medium', 'low'], t.priority),
      date_trunc('milliseconds', m.target_date) nulls last, t.sort_order,
      date_trunc('milliseconds', t.created_at at time zone 'UTC'), t.id);
  return jsonb_build_object('task', null, 'open', cardinality(candidates), 'waiting', (
    select coalesce(jsonb_agg(convoy.readiness_facts(t) order by c.n), '[]')
    from unnest(candidates[: 5]) with ordinality c (id, n) join public.tasks t on t.id = c.id));
end
$$;

create trigger c_claim before update on public.tasks
  for each row
  when ((old.claimed_by is not null or old.claim_id is not null)
    and (new.status, new.current_stage, new.workflow_id, new.deleted_at)
      is distinct from (old.status, old.current_stage, old.workflow_id, old.deleted_at))
  execute function convoy.follow_stage();
create trigger c_claims after update on public.workspace_members
  for each row
  when (new.deleted_at is not null and old.deleted_at is null or new.role = 'viewer' and old.role <> 'viewer')
  execute function convoy.release_of_member();

-- Functions that are written from the columns of the tables.
select convoy.make_synced('tasks', 6,
  refs => '{"milestone_id": "milestones", "parent_task_id": "tasks", "workflow_id": "workflows"}',
  parents => array['milestone_id', 'parent_task_id'],
  units => '{"current_stage": "stage", "status": "stage", "completion_date": "stage",
             "milestone_id": "place", "parent_task_id": "place"}',
  ignored => array['claimed_by', 'claimed_until', 'claim_id']);
select convoy.make_synced('activity_feed', 8,
  refs => '{"task_id": "tasks"}', parents => array['task_id'], ignored => array['actor_id']);

revoke all on function convoy.news_revision(bigint,jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.write_stamp_function(text,text[],text[]) from public, anon, authenticated, service_role;
revoke all on function convoy.finish_of(uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.reach_events(uuid[],uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.closes_circle(uuid[],uuid[],uuid[],uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.lease_minutes(jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.waits_at_checkpoint(uuid,text) from public, anon, authenticated, service_role;
revoke all on function convoy.is_claim_live(public.tasks) from public, anon, authenticated, service_role;
revoke all on function convoy.follow_stage() from public, anon, authenticated, service_role;
revoke all on function convoy.release_of_member() from public, anon, authenticated, service_role;
revoke all on function convoy.claim_of(public.tasks) from public, anon, authenticated, service_role;
revoke all on function convoy.refuse_claimer(uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.refuse_claim_request(jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.claimed_task(uuid,boolean) from public, anon, authenticated, service_role;
revoke all on function convoy.write_claim(uuid,uuid,timestamp with time zone,text) from public, anon, authenticated, service_role;
revoke all on function public.claim_task(jsonb) from public, anon, authenticated, service_role;
grant execute on function public.claim_task(jsonb) to authenticated, service_role;
revoke all on function public.renew_claim(jsonb) from public, anon, authenticated, service_role;
grant execute on function public.renew_claim(jsonb) to authenticated, service_role;
revoke all on function public.release_claim(jsonb) from public, anon, authenticated, service_role;
grant execute on function public.release_claim(jsonb) to authenticated, service_role;
revoke all on function convoy.is_open_to(public.tasks,uuid,text) from public, anon, authenticated, service_role;
revoke all on function convoy.waits_for_others(uuid,uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.is_ready(public.tasks,uuid,text) from public, anon, authenticated, service_role;
revoke all on function convoy.is_open_place(text,text) from public, anon, authenticated, service_role;
revoke all on function convoy.next_task(uuid,uuid[],uuid,text) from public, anon, authenticated, service_role;
revoke all on function convoy.readiness_facts(public.tasks) from public, anon, authenticated, service_role;
revoke all on function public.get_readiness(uuid) from public, anon, authenticated, service_role;
grant execute on function public.get_readiness(uuid) to authenticated, service_role;
revoke all on function public.get_next_task(jsonb) from public, anon, authenticated, service_role;
grant execute on function public.get_next_task(jsonb) to authenticated, service_role;
