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
  claim_id text constraint tasks_claim_id_length check (char_length(claim_id) <= 64),
  -- The short key, as in FIELD-42.
  key text constraint tasks_key_allowed check (key ~ '^[A-Z][A-Z0-9]{0,9}-[1-9][0-9]{0,9}$')
    constraint tasks_key_length check (char_length(key) <= 24),
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
             "milestone_id": "place", "parent_task_id": "place"}',
  ignored => array['claimed_by', 'claimed_until', 'claim_id']);
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
-- task without a parent is in a cycle. Each step up uses the key, whatever statistics say. What the planner expects of
-- recursion is so much that compiling the query would take longer than running it.
create function convoy.check_parent_cycle() returns trigger
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

-- U29: tasks that move to another milestone take along the subtasks of the milestone they leave, deleted ones too; a
-- task whose parent task stays behind leaves it. Devices send all of that; the trigger covers subtasks that a device
-- does not have, and writers that name the milestone alone.
create function convoy.move_subtasks() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off
set jit = off
as $$
declare
  moved uuid[];
  left_milestones uuid[];
  milestones uuid[];
  parents uuid[];
  followers uuid[];
  targets uuid[];
begin
  -- Most updates move nothing.
  if not exists (
    select from new_rows n
    where (n.field_revisions -> 'milestone_id' ->> 0)::bigint = n.revision and n.deleted_at is null)
  then
    return null;
  end if;
  -- A full join is a hash or merge join: a plan that was made for one row serves for thousands.
  select array_agg(m.id), array_agg(m.left_milestone), array_agg(m.milestone), array_agg(m.parent)
    into moved, left_milestones, milestones, parents
    from (
      select n.id, o.milestone_id as left_milestone, n.milestone_id as milestone, n.deleted_at,
        case when n.parent_task_id = o.parent_task_id then n.parent_task_id end as parent
      from new_rows n full join old_rows o on o.id = n.id
      offset 0
    ) m
    where m.milestone <> m.left_milestone and m.deleted_at is null;
  if moved is null then
    return null;
  end if;
  -- At any depth at once: a trigger within another for each level would exhaust the server's stack. The triggers of
  -- this update find the followers of the followers in their new milestone already, and end.
  with recursive below as (
    select t.id, m.left_milestone, m.milestone
      from unnest(moved, left_milestones, milestones) m (id, left_milestone, milestone)
      cross join lateral (
        select c.id from public.tasks c where c.parent_task_id = m.id and c.milestone_id = m.left_milestone offset 0
      ) t
    union
    select t.id, b.left_milestone, b.milestone
      from below b
      cross join lateral (
        select c.id from public.tasks c where c.parent_task_id = b.id and c.milestone_id = b.left_milestone offset 0
      ) t
  )
  select array_agg(b.id), array_agg(b.milestone) into followers, targets from below b;
  if followers is not null then
    update public.tasks t set milestone_id = f.milestone
      from unnest(followers, targets) f (id, milestone) where t.id = f.id;
  end if;
  moved := array(
    select m.id
    from unnest(moved, parents, milestones) m (id, parent, milestone)
    cross join lateral (
      select p.milestone_id from public.tasks p where p.id = m.parent offset 0
    ) p
    where p.milestone_id <> m.milestone);
  if cardinality(moved) > 0 then
    update public.tasks t set parent_task_id = null from unnest(moved) m (id) where t.id = m.id;
  end if;
  return null;
end
$$;
create trigger d_subtasks after update on public.tasks
  referencing old table as old_rows new table as new_rows
  for each statement execute function convoy.move_subtasks();

revoke execute on all functions in schema convoy from public;
