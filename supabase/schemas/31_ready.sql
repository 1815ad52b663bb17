-- Ready (rules N1 to N9 of docs/work-model.md): which tasks may be worked on now, and which of them is next. src/domain/ready.ts
-- has the same as a pure predicate that gives reasons.

-- What `next` walks along: the tasks of a milestone that may be ready, by priority and then in their order. Devices know
-- times to the millisecond.
create index tasks_next on public.tasks
  (milestone_id, priority, sort_order, date_trunc('milliseconds', created_at at time zone 'UTC'), id)
  where deleted_at is null and status in ('todo', 'in_progress');

-- Whether what a task itself says lets a user work on it (N1): its stage is one of its workflow, and no checkpoint; nobody else
-- has it, by a live claim or as its assignee.
--   own: the claim_id of the asking session, or null: then every claim of the user's is its own.
create function convoy.is_open_to(t public.tasks, me uuid, own text) returns boolean
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

-- Whether a task waits for others (N2): for a subtask that is open, or for a task that it, or one that it stands under, depends on. It
-- ends on circles too, of which old data may have some. Each step uses an index, whatever statistics say.
create function convoy.waits_for_others(task_id uuid, parent uuid) returns boolean
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

create function convoy.is_ready(t public.tasks, me uuid, own text) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return convoy.is_open_to(t, me, own) and not convoy.waits_for_others(t.id, t.parent_task_id)
    and not (
      exists (select from convoy.unfinished_deletions u where u.workspace_id = t.workspace_id)
      and convoy.hidden_by('tasks', t.id) is not null);
end
$$;

create function convoy.is_open_place(project_status text, milestone_status text) returns boolean language sql immutable
  return project_status not in ('paused', 'completed', 'archived') and milestone_status not in ('completed', 'cancelled');

-- The task that is next for a user (N6): one that they have, else the first of those that are ready by priority, target date of the
-- milestone, sort order, age and id. Null where none is ready. It goes along tasks_next milestone by milestone, and looks
-- at no milestone further than it may have something better.
--   scopes: the workspaces; project: null for all
create function convoy.next_task(me uuid, scopes uuid[], project uuid, own text) returns uuid
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

-- What is known of a task, for readinessOf of src/domain/ready.ts; null where the caller may see no such task.
create function convoy.readiness_facts(t public.tasks) returns jsonb
language plpgsql stable security definer set search_path = ''
set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
  return (
    -- It ends on circles too, of which old data may have some.
    with recursive above (id, n) as (
      select t.id, 0
      union all
      select p.parent_task_id, a.n + 1 from above a
      cross join lateral (select c.parent_task_id from public.tasks c where c.id = a.id offset 0) p
      where p.parent_task_id is not null
    ) cycle id set is_again using way
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
          where d.task_id = a.id and not a.is_again and (d.deleted_at is null or exists (
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

create function public.get_readiness(task_id uuid) returns jsonb
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

-- The task that is next for the caller: {workspace_id?, project_id?, claim_id?}. An id that is none names nothing. Answers {"task": entity or null, "open": how many tasks are
-- to do or in progress where none is ready, "waiting": facts of the first of those}.
create function public.get_next_task(request jsonb) returns jsonb
language plpgsql stable security definer set search_path = '' set timezone = 'UTC' as $$
declare
  scope constant uuid := case when convoy.is_uuid(request ->> 'workspace_id') then (request ->> 'workspace_id')::uuid end;
  project constant uuid := case when convoy.is_uuid(request ->> 'project_id') then (request ->> 'project_id')::uuid end;
  own constant text := request ->> 'claim_id';
  scopes constant uuid[] := array(
    select v from convoy.visible_scopes() v
    where v <> '00000000-0000-7000-8000-000000000000'::uuid
      and (coalesce(jsonb_typeof(request -> 'workspace_id'), 'null') = 'null' or v = scope)
      and (coalesce(jsonb_typeof(request -> 'project_id'), 'null') = 'null' or project is not null));
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

revoke all on function public.get_readiness(uuid), public.get_next_task(jsonb) from public, anon, authenticated;
grant execute on function public.get_readiness(uuid), public.get_next_task(jsonb) to authenticated, service_role;
revoke execute on all functions in schema convoy from public;
