-- The context of a task, one of the reads of the remote Context Service (18): whole, or within limits.

-- All of what get_bounded_context bounds, for releases that know no limits: they would take a part for the whole.
create function public.get_task_context(task_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'task', public.as_entity(to_jsonb(t)),
    'milestone', public.as_entity(to_jsonb(m)),
    'project', public.as_entity(to_jsonb(p)),
    'workspace', public.as_entity(to_jsonb(w)),
    'parent_task', (
      select public.as_entity(to_jsonb(parent)) from public.tasks parent
      where parent.id = t.parent_task_id and parent.deleted_at is null),
    'subtasks', coalesce((
      select jsonb_agg(public.as_entity(to_jsonb(s)) order by s.sort_order, s.id) from public.tasks s
      where s.parent_task_id = t.id and s.deleted_at is null), '[]'),
    'dependencies', coalesce((
      select jsonb_agg(public.as_entity(to_jsonb(d)) order by d.title collate "C", d.id)
      from public.task_dependencies link
      join public.tasks d on d.id = link.depends_on_task_id
      where link.task_id = t.id and link.deleted_at is null and d.deleted_at is null), '[]'),
    'activities', public.get_task_activities(t.id, 20),
    'patterns', public.get_patterns(t.workspace_id, p.id),
    'best_practices', public.get_best_practices(t.workspace_id, p.id),
    -- A task without a workflow follows the standard one (R5).
    'workflow', public.get_workflow(coalesce(t.workflow_id, '00000000-0000-7000-8000-000000000001')),
    'missing', '[]'::jsonb)
  from public.tasks t
  left join public.milestones m on m.id = t.milestone_id and m.deleted_at is null
  left join public.projects p on p.id = m.project_id and p.deleted_at is null
  left join public.workspaces w on w.id = t.workspace_id and w.deleted_at is null
  where t.id = get_task_context.task_id and t.deleted_at is null
$$;

-- The bytes of what people and agents wrote in a record: texts in UTF-8, JSON as it is printed here. textBytes of
-- src/domain/taskContext.ts counts the same.
create function public.text_bytes(entity jsonb) returns bigint
language sql immutable parallel safe set search_path = '' as $$
  select coalesce(sum(octet_length(case
      when written.key in ('content', 'details', 'stages', 'tech_stack') then written.value::text
      else written.value #>> '{}'
    end)), 0)
  from jsonb_each(entity) written
  where written.key in ('activity_type', 'category', 'content', 'current_stage', 'description', 'details',
    'entity_type', 'name', 'overview', 'pattern_type', 'priority', 'requirements', 'stages', 'status',
    'tech_stack', 'title')
$$;

-- A list of a task's context within limits. Items are taken one by one, so that none is read beyond the first that does
-- not fit; src/domain/contextLimits.ts says in which order. Answers items in the order in which they are shown; all,
-- their number without limits; because, which limit the next one would exceed, or null; and the room that is left.
--   scope: the task's workspace; project_id: its project, or null
--   items, bytes: the most of this list; room: bytes of the whole context that are left for it and what follows
create function public.get_context_part(
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

-- All that is needed to do a task (TaskContext), or null where there is no such task. It holds what the limits allow, and
-- no more is read.
--   limits: ContextLimits of src/domain/contextLimits.ts, whose default values devices send; what is absent, no number, or
--   beyond the most that may be asked for, is that most; what is below 0 is 0
create function public.get_bounded_context(task_id uuid, limits jsonb) returns jsonb
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

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'text_bytes(jsonb)', 'get_context_part(text, uuid, uuid, uuid, integer, bigint, bigint)',
    'get_bounded_context(uuid, jsonb)', 'get_task_context(uuid)']
  loop
    execute 'revoke execute on function public.' || signature || ' from public, anon';
    execute 'grant execute on function public.' || signature || ' to authenticated, service_role';
  end loop;
end
$$;
