-- cheaper pushes and knowledge: short edits are parsed without looking for JSON that is too deep, and a context reads no patterns
-- and best practices of other projects.

create index patterns_scope on public.patterns (workspace_id, project_id) where deleted_at is null;
create index best_practices_scope on public.best_practices (workspace_id, project_id) where deleted_at is null;

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
  -- JSON of up to 200 bytes is neither nested too deep nor holds too large a number. Nearly all edits are as short.
  left join lateral (
    select j.column_name, j.message from convoy.json_fault(e.payload) j
    where e.op <> 'delete' and octet_length(e.payload::text) > 200 offset 0
  ) f on true
  left join lateral (
    select j.column_name, j.message from convoy.expected_fault(e.expected) j
    where e.op = 'update' and octet_length(e.expected::text) > 200 offset 0
  ) x on true);
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
          from (
            -- Asked in one condition, those of other projects would be looked at.
            select w.id, w.workspace_id, w.project_id, w.name from public.patterns w
            where w.workspace_id in (get_context_part.scope, '00000000-0000-7000-8000-000000000000')
              and w.project_id is null and w.deleted_at is null
            union all
            select o.id, o.workspace_id, o.project_id, o.name from public.patterns o
            where o.workspace_id in (get_context_part.scope, '00000000-0000-7000-8000-000000000000')
              and o.project_id = get_context_part.project_id and o.deleted_at is null) k
          order by k.workspace_id = '00000000-0000-7000-8000-000000000000', k.project_id is null,
            k.name collate "C", k.id
          limit items + 1) listed;
    when 'best_practices' then
      open candidates for
        select listed.place, listed.known,
          (select public.as_entity(to_jsonb(p)) from public.best_practices p where p.id = listed.id)
        from (
          select k.id, count(*) over () as known, row_number() over (order by k.name collate "C", k.id) as place
          from (
            select w.id, w.workspace_id, w.project_id, w.name from public.best_practices w
            where w.workspace_id in (get_context_part.scope, '00000000-0000-7000-8000-000000000000')
              and w.project_id is null and w.deleted_at is null
            union all
            select o.id, o.workspace_id, o.project_id, o.name from public.best_practices o
            where o.workspace_id in (get_context_part.scope, '00000000-0000-7000-8000-000000000000')
              and o.project_id = get_context_part.project_id and o.deleted_at is null) k
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
