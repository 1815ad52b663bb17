-- Tasks, their stages and checkpoints (R4, R5), their moves (U29), and their dependencies.

create table public.tasks (
  like convoy.record including all,
  milestone_id uuid not null,
  parent_task_id uuid,
  workflow_id uuid constraint tasks_workflow_id_fkey references public.workflows,
  title text not null constraint tasks_title_length check (char_length(title) <= 500),
  description text constraint tasks_description_length check (char_length(description) <= 100000),
  current_stage text not null default 'PLAN'
    constraint tasks_current_stage_length check (char_length(current_stage) <= 64),
  status text not null default 'todo'
    constraint tasks_status_allowed check (status in ('todo', 'in_progress', 'blocked', 'done', 'cancelled')),
  priority text not null default 'medium'
    constraint tasks_priority_allowed check (priority in ('low', 'medium', 'high', 'urgent')),
  assignee_id uuid,
  -- JSON has no infinities.
  sort_order double precision not null default 0
    constraint tasks_sort_order_allowed check (sort_order > '-Infinity' and sort_order < 'Infinity'),
  claimed_by uuid,
  claimed_until timestamptz constraint tasks_claimed_until_allowed check (
    claimed_until between '0001-01-01T00:00:00Z' and '9999-12-31T23:59:59.999999Z'),
  completion_date timestamptz constraint tasks_completion_date_allowed check (
    completion_date between '0001-01-01T00:00:00Z' and '9999-12-31T23:59:59.999999Z'),
  constraint tasks_workspace_id_fkey foreign key (workspace_id) references convoy.scope_clocks,
  constraint tasks_workspace_key unique (workspace_id, id),
  constraint tasks_milestone_id_fkey foreign key (workspace_id, milestone_id)
    references public.milestones (workspace_id, id),
  constraint tasks_parent_task_id_fkey foreign key (workspace_id, parent_task_id)
    references public.tasks (workspace_id, id),
  constraint tasks_parent_task_id_allowed check (parent_task_id <> id)
);
create index tasks_milestone_id on public.tasks (milestone_id);
create index tasks_parent_task_id on public.tasks (parent_task_id) where parent_task_id is not null;
create index tasks_workflow_id on public.tasks (workflow_id) where workflow_id is not null;

create table public.task_dependencies (
  like convoy.record including all,
  task_id uuid not null,
  depends_on_task_id uuid not null,
  constraint task_dependencies_workspace_id_fkey foreign key (workspace_id) references convoy.scope_clocks,
  constraint task_dependencies_task_id_fkey foreign key (workspace_id, task_id)
    references public.tasks (workspace_id, id),
  constraint task_dependencies_depends_on_task_id_fkey foreign key (workspace_id, depends_on_task_id)
    references public.tasks (workspace_id, id)
);
create unique index task_dependencies_pair on public.task_dependencies (task_id, depends_on_task_id)
  where deleted_at is null;
create index task_dependencies_task_id on public.task_dependencies (task_id);
create index task_dependencies_depends_on_task_id on public.task_dependencies (depends_on_task_id);

select convoy.make_synced('tasks', 6,
  refs => '{"milestone_id": "milestones", "parent_task_id": "tasks", "workflow_id": "workflows"}',
  parents => array['milestone_id', 'parent_task_id'],
  units => '{"current_stage": "stage", "status": "stage", "completion_date": "stage",
             "milestone_id": "place", "parent_task_id": "place"}');
select convoy.make_synced('task_dependencies', 7,
  refs => '{"task_id": "tasks", "depends_on_task_id": "tasks"}',
  parents => array['task_id', 'depends_on_task_id']);

-- Whether checkpoints bind the caller: they bind every user but human owners and editors, and not the service.
create function convoy.stops_at_checkpoints(scope uuid) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return auth.uid() is not null and not exists (
    select from public.workspace_members m
    join public.profiles p on p.id = m.user_id
    where m.workspace_id = scope and m.user_id = auth.uid() and m.deleted_at is null
      and m.role in ('owner', 'editor') and p.kind = 'human');
end
$$;

-- Whether the caller is an agent: by role, or by kind, whatever the role.
create function convoy.is_agent(scope uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select coalesce(convoy.role_in(scope) = 'agent', false)
    or exists (select from public.profiles p where p.id = auth.uid() and p.kind = 'agent')
$$;

-- R4 and R5. Runs after the stamp trigger, so under the clock's lock: no other transaction changes what it reads.
create function convoy.check_stage() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  workflow record;
  old_order numeric;
  new_order numeric;
  checkpoint text;
  finished boolean := new.status = 'done' or new.completion_date is not null;
begin
  select w.workspace_id, w.stages into workflow from public.workflows w
    where w.id = coalesce(new.workflow_id, '00000000-0000-7000-8000-000000000001');
  if not found
    or workflow.workspace_id not in (new.workspace_id, '00000000-0000-7000-8000-000000000000')
  then
    raise exception 'There is no such workflow.' using errcode = 'SN008', column = 'workflow_id';
  end if;
  if tg_op = 'UPDATE' and new.workflow_id is distinct from old.workflow_id
    or tg_op = 'INSERT' and new.workflow_id is not null
  then
    if convoy.is_agent(new.workspace_id) then
      raise exception 'Agents do not choose the workflow of a task.' using errcode = 'SN006', column = 'workflow_id';
    end if;
  end if;

  select (s ->> 'order')::numeric into new_order
    from jsonb_array_elements(workflow.stages) s where s ->> 'name' = new.current_stage;
  if not found then
    raise exception 'The workflow has no stage "%".', new.current_stage
      using errcode = 'SN002', column = 'current_stage';
  end if;

  -- A new task starts before the first stage, and so does one whose old stage is no longer there.
  old_order := '-Infinity';
  if tg_op = 'UPDATE' then
    select (s ->> 'order')::numeric into old_order
      from jsonb_array_elements(workflow.stages) s where s ->> 'name' = old.current_stage;
    old_order := coalesce(old_order, '-Infinity');
  end if;
  select s ->> 'name' into checkpoint
    from jsonb_array_elements(workflow.stages) s
    where s -> 'is_checkpoint' = 'true'
      and (s ->> 'order')::numeric >= case when finished then least(old_order, new_order) else old_order end
      and (finished or (s ->> 'order')::numeric < new_order)
    order by (s ->> 'order')::numeric limit 1;
  if found and convoy.stops_at_checkpoints(new.workspace_id) then
    raise exception 'Only a person who owns or edits the workspace moves a task past %.', checkpoint
      using errcode = 'SN001', column = case
        when tg_op = 'INSERT' or new.current_stage <> old.current_stage then 'current_stage' else 'status' end;
  end if;
  return new;
end
$$;
create trigger b_stage_of_new before insert on public.tasks
  for each row execute function convoy.check_stage();
create trigger b_stage before update on public.tasks
  for each row
  when ((new.current_stage, new.status, new.completion_date, new.workflow_id)
    is distinct from (old.current_stage, old.status, old.completion_date, old.workflow_id))
  execute function convoy.check_stage();

-- The cycle checks run after the whole statement and see all of its rows. This one climbs from all of them
-- together, so that its work grows with their number and not with its square: a task that is then not below a
-- task without a parent is in a cycle. Each step up uses the key, whatever statistics say.
create function convoy.check_parent_cycle() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off
as $$
begin
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
  return null;
end
$$;
create trigger c_parent_cycle_of_new after insert on public.tasks
  referencing new table as new_rows
  for each statement execute function convoy.check_parent_cycle();
create trigger c_parent_cycle after update on public.tasks
  referencing new table as new_rows
  for each statement execute function convoy.check_parent_cycle();

-- A dependency says that one task waits for another; it can be removed, never rewritten.
create function convoy.keep_dependency() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  raise exception 'A dependency is removed and added, never changed.' using errcode = 'SN005',
    column = case when new.task_id <> old.task_id then 'task_id' else 'depends_on_task_id' end;
end
$$;
create trigger b_immutable before update on public.task_dependencies
  for each row
  when (new.task_id <> old.task_id or new.depends_on_task_id <> old.depends_on_task_id)
  execute function convoy.keep_dependency();

-- Fires for a restored dependency too. Each step uses the index, whatever statistics say.
create function convoy.check_dependency_cycle() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off
as $$
begin
  if exists (
    with recursive reached (id) as (
      select new.depends_on_task_id
      union
      select d.id from reached r
      cross join lateral (
        select l.depends_on_task_id as id from public.task_dependencies l
        where l.task_id = r.id and l.deleted_at is null offset 0
      ) d
    )
    select from reached r where r.id = new.task_id
  ) then
    raise exception 'The tasks would wait for each other.' using errcode = 'SN003', column = 'depends_on_task_id';
  end if;
  return null;
end
$$;
create trigger c_dependency_cycle_of_new after insert on public.task_dependencies
  for each row execute function convoy.check_dependency_cycle();
create trigger c_dependency_cycle after update on public.task_dependencies
  for each row when (new.deleted_at is null and old.deleted_at is not null)
  execute function convoy.check_dependency_cycle();

-- U29: a task that moves to another milestone takes along the subtasks of the milestone it leaves, deleted ones
-- too; a task whose parent task stays behind leaves it. Devices send all of that; the trigger covers subtasks that
-- a device does not have, and writers that name the milestone alone.

create function convoy.move_subtasks() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.parent_task_id = old.parent_task_id and exists (
    select from public.tasks p where p.id = new.parent_task_id and p.milestone_id <> new.milestone_id)
  then
    update public.tasks t set parent_task_id = null where t.id = new.id;
  end if;
  -- All at once: a trigger within another for each level would exhaust the server's stack.
  with recursive followers as (
    select t.id from public.tasks t where t.parent_task_id = new.id and t.milestone_id = old.milestone_id
    union
    select t.id from followers f
      join public.tasks t on t.parent_task_id = f.id and t.milestone_id = old.milestone_id
  )
  update public.tasks t set milestone_id = new.milestone_id from followers f where t.id = f.id;
  return null;
end
$$;
-- Runs after the whole statement: tasks that move in one statement move together.
create trigger d_subtasks after update on public.tasks
  for each row when (new.milestone_id <> old.milestone_id and new.deleted_at is null)
  execute function convoy.move_subtasks();

revoke execute on all functions in schema convoy from public;
