-- The work model's columns: short keys of projects and tasks, claims that the server alone writes, and of agents who made
-- them and whether they are paused. Devices of schema version 1 are served: what they send of claims is passed over.

alter table public.workspace_members add column made_by uuid, add column paused_at timestamptz;
alter table public.projects
  add column key text constraint projects_key_allowed check (key ~ '^[A-Z][A-Z0-9]{0,9}$');
alter table public.tasks
  add column claim_id text constraint tasks_claim_id_length check (char_length(claim_id) <= 64),
  add column key text constraint tasks_key_allowed check (key ~ '^[A-Z][A-Z0-9]{0,9}-[1-9][0-9]{0,9}$');
update convoy.served_versions set schema = 2;

-- Functions that are written from the columns of the tables.
select convoy.make_synced('workspace_members', 2, server_set => array['display_name', 'kind', 'made_by', 'paused_at']);
select convoy.make_synced('projects', 4);
select convoy.make_synced('tasks', 6,
  refs => '{"milestone_id": "milestones", "parent_task_id": "tasks", "workflow_id": "workflows"}',
  parents => array['milestone_id', 'parent_task_id'],
  units => '{"current_stage": "stage", "status": "stage", "completion_date": "stage",
             "milestone_id": "place", "parent_task_id": "place"}',
  ignored => array['claimed_by', 'claimed_until', 'claim_id']);
select convoy.build_pages();
select convoy.build_pushes();
