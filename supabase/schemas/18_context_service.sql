-- The reads of the remote Context Service (src/domain/contextService.ts). Each is one round trip, STABLE
-- (one snapshot) and runs as the caller, so that row level security decides what is visible:
-- a foreign record and a missing one answer alike (R7). Deleted rows are never shown.
-- Names are ordered by COLLATE "C", which is the order the local service has.

-- A row as the plain object of src/domain/entities.ts: without the server's own bookkeeping.
-- In public because functions that run as the caller use it, and convoy is closed to callers.
create function public.as_entity(record jsonb) returns jsonb
language sql immutable parallel safe set search_path = '' as $$
  select record - '{revision,field_revisions,deleted_at,deletion_id}'::text[]
$$;

-- The latest activities of a task, newest first. Devices know times to the millisecond, so order by
-- that and then by id; the cutoff lets the index find them among thousands.
create function public.get_task_activities(task_id uuid, most integer) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(a)) order by date_trunc('milliseconds', a.created_at) desc, a.id desc), '[]')
  from (
    select latest.* from public.activity_feed latest
    where latest.task_id = get_task_activities.task_id and latest.deleted_at is null
      and latest.created_at >= coalesce((
        select date_trunc('milliseconds', last_one.created_at) from public.activity_feed last_one
        where last_one.task_id = get_task_activities.task_id and last_one.deleted_at is null
        order by last_one.created_at desc offset greatest(most, 1) - 1 limit 1), '-infinity')
    order by date_trunc('milliseconds', latest.created_at) desc, latest.id desc
    limit most
  ) a
$$;

create function public.get_workspaces() returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(w)) order by w.name collate "C", w.id), '[]')
  from public.workspaces w where w.deleted_at is null
$$;

create function public.get_members(workspace_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(m)) order by m.display_name collate "C", m.id), '[]')
  from public.workspace_members m where m.workspace_id = get_members.workspace_id and m.deleted_at is null
$$;

-- Those who were members of the caller's workspace and are none now, as each left it: what they wrote, or were assigned, still
-- names them. Memberships that ended are no rows that members read (S7), hence the definer; the purge ends them for good.
create function public.get_former_members(workspace_id uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(f)) order by f.display_name collate "C", f.id), '[]')
  from (
    select distinct on (m.user_id) m.* from public.workspace_members m
    where m.workspace_id = get_former_members.workspace_id
      and m.workspace_id in (select convoy.visible_scopes())
      and not exists (
        select from public.workspace_members now
        where now.workspace_id = m.workspace_id and now.user_id = m.user_id and now.deleted_at is null)
    order by m.user_id, m.deleted_at desc
  ) f
$$;

create function public.get_projects(workspace_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(p)) order by p.name collate "C", p.id), '[]')
  from public.projects p where p.workspace_id = get_projects.workspace_id and p.deleted_at is null
$$;

create function public.get_milestones(project_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(m)) order by m.name collate "C", m.id), '[]')
  from public.milestones m where m.project_id = get_milestones.project_id and m.deleted_at is null
$$;

-- Subtasks included.
create function public.get_tasks(milestone_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(t)) order by t.sort_order, t.id), '[]')
  from public.tasks t where t.milestone_id = get_tasks.milestone_id and t.deleted_at is null
$$;

create function public.get_workflows() returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(w)) order by w.name collate "C", w.id), '[]')
  from public.workflows w where w.deleted_at is null
$$;

create function public.get_workflow(workflow_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select public.as_entity(to_jsonb(w)) from public.workflows w
  where w.id = get_workflow.workflow_id and w.deleted_at is null
$$;

-- Patterns. With a project: its own, those of its workspace that belong to no project, and the global
-- ones; nothing where there is no such project. With a workspace: all of it and the global ones. With
-- neither: all that the caller may see.
create function public.get_patterns(workspace_id uuid default null, project_id uuid default null) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(k)) order by k.name collate "C", k.id), '[]')
  from public.patterns k
  where k.deleted_at is null and case
    when get_patterns.project_id is not null then exists (
      select from public.projects p
      where p.id = get_patterns.project_id and p.deleted_at is null
        and (k.workspace_id = '00000000-0000-7000-8000-000000000000'
          or k.workspace_id = p.workspace_id and (k.project_id is null or k.project_id = p.id)))
    when get_patterns.workspace_id is not null then
      k.workspace_id in (get_patterns.workspace_id, '00000000-0000-7000-8000-000000000000')
    else true
  end
$$;

-- Best practices, with the same arguments as get_patterns.
create function public.get_best_practices(workspace_id uuid default null, project_id uuid default null) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(k)) order by k.name collate "C", k.id), '[]')
  from public.best_practices k
  where k.deleted_at is null and case
    when get_best_practices.project_id is not null then exists (
      select from public.projects p
      where p.id = get_best_practices.project_id and p.deleted_at is null
        and (k.workspace_id = '00000000-0000-7000-8000-000000000000'
          or k.workspace_id = p.workspace_id and (k.project_id is null or k.project_id = p.id)))
    when get_best_practices.workspace_id is not null then
      k.workspace_id in (get_best_practices.workspace_id, '00000000-0000-7000-8000-000000000000')
    else true
  end
$$;

-- One record by id, for writes that must know what they change. Null where there is none to see.
create function public.get_record(table_name text, record_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select public.as_entity(found.record) from (
    select case table_name
      when 'workspaces' then (select to_jsonb(r) from public.workspaces r where r.id = record_id)
      when 'workspace_members' then (select to_jsonb(r) from public.workspace_members r where r.id = record_id)
      when 'workflows' then (select to_jsonb(r) from public.workflows r where r.id = record_id)
      when 'projects' then (select to_jsonb(r) from public.projects r where r.id = record_id)
      when 'milestones' then (select to_jsonb(r) from public.milestones r where r.id = record_id)
      when 'tasks' then (select to_jsonb(r) from public.tasks r where r.id = record_id)
      when 'task_dependencies' then (select to_jsonb(r) from public.task_dependencies r where r.id = record_id)
      when 'activity_feed' then (select to_jsonb(r) from public.activity_feed r where r.id = record_id)
      when 'patterns' then (select to_jsonb(r) from public.patterns r where r.id = record_id)
      when 'best_practices' then (select to_jsonb(r) from public.best_practices r where r.id = record_id)
    end as record
  ) found
  where found.record -> 'deleted_at' = 'null'
$$;

-- The live dependency of one task on another, or null.
create function public.get_task_dependency(task_id uuid, depends_on_task_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select public.as_entity(to_jsonb(d)) from public.task_dependencies d
  where d.task_id = get_task_dependency.task_id
    and d.depends_on_task_id = get_task_dependency.depends_on_task_id and d.deleted_at is null
$$;

-- The deletions of a workspace that can be restored, newest first.
create function public.get_deletions(workspace_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(d)) order by date_trunc('milliseconds', d.created_at) desc, d.id desc), '[]')
  from public.deletions d
  where d.workspace_id = get_deletions.workspace_id and d.restored_at is null and d.deleted_at is null
$$;

create function public.get_deletion(deletion_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select public.as_entity(to_jsonb(d)) from public.deletions d
  where d.id = get_deletion.deletion_id and d.deleted_at is null
$$;

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'as_entity(jsonb)', 'get_task_activities(uuid, integer)', 'get_workspaces()', 'get_projects(uuid)', 'get_milestones(uuid)', 'get_tasks(uuid)', 'get_workflows()', 'get_workflow(uuid)',
    'get_patterns(uuid, uuid)', 'get_best_practices(uuid, uuid)', 'get_record(text, uuid)',
    'get_task_dependency(uuid, uuid)', 'get_deletions(uuid)', 'get_deletion(uuid)', 'get_members(uuid)', 'get_former_members(uuid)']
  loop
    execute 'revoke execute on function public.' || signature || ' from public, anon';
    execute 'grant execute on function public.' || signature || ' to authenticated, service_role';
  end loop;
end
$$;
