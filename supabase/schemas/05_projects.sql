-- Workflows, projects, milestones.

-- Stages: [{name, description, order, is_checkpoint}], names and orders unique within the workflow.
create function convoy.valid_stages(stages jsonb) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  if jsonb_typeof(stages) <> 'array' or jsonb_array_length(stages) = 0 then
    return false;
  end if;
  if exists (
    select from jsonb_array_elements(stages) s
    where jsonb_typeof(s) <> 'object'
      or jsonb_typeof(s -> 'name') is distinct from 'string'
      or char_length(s ->> 'name') not between 1 and 64
      or jsonb_typeof(s -> 'order') is distinct from 'number'
      or jsonb_typeof(coalesce(s -> 'is_checkpoint', 'false')) <> 'boolean'
      or jsonb_typeof(coalesce(s -> 'description', '""')) <> 'string'
  ) then
    return false;
  end if;
  return (
    select count(distinct s ->> 'name') = count(*) and count(distinct s -> 'order') = count(*)
    from jsonb_array_elements(stages) s);
end
$$;

create table public.workflows (
  like convoy.record including all,
  name text not null constraint workflows_name_length check (char_length(name) <= 200),
  description text constraint workflows_description_length check (char_length(description) <= 100000),
  -- PostgreSQL prints JSON with more blanks than devices do, hence twice the limit.
  stages jsonb not null
    constraint workflows_stages_length check (octet_length(stages::text) <= 2 * 65536)
    constraint workflows_stages_allowed check (convoy.valid_stages(stages)),
  constraint workflows_workspace_id_fkey foreign key (workspace_id) references convoy.scope_clocks
);

create table public.projects (
  like convoy.record including all,
  name text not null constraint projects_name_length check (char_length(name) <= 200),
  description text constraint projects_description_length check (char_length(description) <= 100000),
  overview text constraint projects_overview_length check (char_length(overview) <= 100000),
  tech_stack jsonb not null default '[]'
    constraint projects_tech_stack_length check (octet_length(tech_stack::text) <= 2 * 65536),
  status text not null default 'active'
    constraint projects_status_allowed check (status in ('planning', 'active', 'paused', 'completed', 'archived')),
  -- What the keys of its tasks begin with.
  key text constraint projects_key_allowed check (key ~ '^[A-Z][A-Z0-9]{0,9}$')
    constraint projects_key_length check (char_length(key) <= 10),
  constraint projects_workspace_id_fkey foreign key (workspace_id) references convoy.scope_clocks,
  -- Children name the workspace too, so that none can stand under a row of another workspace.
  constraint projects_workspace_key unique (workspace_id, id)
);

create table public.milestones (
  like convoy.record including all,
  project_id uuid not null,
  name text not null constraint milestones_name_length check (char_length(name) <= 200),
  description text constraint milestones_description_length check (char_length(description) <= 100000),
  requirements text constraint milestones_requirements_length check (char_length(requirements) <= 100000),
  status text not null default 'planned'
    constraint milestones_status_allowed check (status in ('planned', 'active', 'completed', 'cancelled')),
  target_date timestamptz constraint milestones_target_date_allowed check (
    target_date between '0001-01-01T00:00:00Z' and '9999-12-31T23:59:59.999999Z'),
  constraint milestones_workspace_id_fkey foreign key (workspace_id) references convoy.scope_clocks,
  constraint milestones_workspace_key unique (workspace_id, id),
  constraint milestones_project_id_fkey foreign key (workspace_id, project_id)
    references public.projects (workspace_id, id)
);
create index milestones_project_id on public.milestones (project_id);

select convoy.make_synced('workflows', 3);
select convoy.make_synced('projects', 4);
select convoy.make_synced('milestones', 5,
  refs => '{"project_id": "projects"}', parents => array['project_id']);

-- R5: the workflow of every task that names none.
insert into public.workflows (id, workspace_id, name, description, stages) values (
  '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000000',
  'Standard', 'From a plan that was agreed on to a change that was reviewed.',
  '[
    {"name": "PLAN", "description": "Say what is to be done and how it will be checked.", "order": 1, "is_checkpoint": false},
    {"name": "PLAN_REVIEW", "description": "A person agrees to the plan.", "order": 2, "is_checkpoint": true},
    {"name": "IMPLEMENT", "description": "Do what the plan says.", "order": 3, "is_checkpoint": false},
    {"name": "VALIDATE", "description": "Show that it works: tests, checks, a demonstration.", "order": 4, "is_checkpoint": false},
    {"name": "CODE_REVIEW", "description": "A person agrees to the change.", "order": 5, "is_checkpoint": true},
    {"name": "COMMIT", "description": "Put the change where it belongs.", "order": 6, "is_checkpoint": false}
  ]'
);

revoke execute on all functions in schema convoy from public;
grant execute on function convoy.valid_stages(jsonb) to service_role;
