-- The activity feed, patterns and best practices.

create table public.activity_feed (
  like convoy.record including all,
  task_id uuid,
  -- The subject of the activity where it is no task.
  entity_type text constraint activity_feed_entity_type_length check (char_length(entity_type) <= 64),
  entity_id uuid,
  actor_id uuid,
  activity_type text not null
    constraint activity_feed_activity_type_length check (char_length(activity_type) <= 64)
    constraint activity_feed_activity_type_allowed check (activity_type ~ '^[a-z][a-z0-9_]*$'),
  details jsonb not null default '{}'
    constraint activity_feed_details_length check (octet_length(details::text) <= 2 * 65536),
  constraint activity_feed_workspace_id_fkey foreign key (workspace_id) references convoy.scope_clocks,
  constraint activity_feed_task_id_fkey foreign key (workspace_id, task_id)
    references public.tasks (workspace_id, id)
);
-- The latest activities of a task.
create index activity_feed_task_id on public.activity_feed (task_id, created_at desc, id desc)
  where task_id is not null;

create table public.patterns (
  like convoy.record including all,
  project_id uuid,
  name text not null constraint patterns_name_length check (char_length(name) <= 200),
  description text constraint patterns_description_length check (char_length(description) <= 100000),
  pattern_type text not null default 'general'
    constraint patterns_pattern_type_length check (char_length(pattern_type) <= 64),
  content jsonb not null default '{}'
    constraint patterns_content_length check (octet_length(content::text) <= 2 * 65536),
  constraint patterns_workspace_id_fkey foreign key (workspace_id) references convoy.scope_clocks,
  constraint patterns_project_id_fkey foreign key (workspace_id, project_id)
    references public.projects (workspace_id, id)
);
create index patterns_project_id on public.patterns (project_id) where project_id is not null;
-- A context has those of its project and those of no project, and reads none of other projects.
create index patterns_scope on public.patterns (workspace_id, project_id) where deleted_at is null;

create table public.best_practices (
  like convoy.record including all,
  project_id uuid,
  name text not null constraint best_practices_name_length check (char_length(name) <= 200),
  description text constraint best_practices_description_length check (char_length(description) <= 100000),
  category text not null default 'general'
    constraint best_practices_category_length check (char_length(category) <= 64),
  content jsonb not null default '{}'
    constraint best_practices_content_length check (octet_length(content::text) <= 2 * 65536),
  constraint best_practices_workspace_id_fkey foreign key (workspace_id) references convoy.scope_clocks,
  constraint best_practices_project_id_fkey foreign key (workspace_id, project_id)
    references public.projects (workspace_id, id)
);
create index best_practices_project_id on public.best_practices (project_id) where project_id is not null;
create index best_practices_scope on public.best_practices (workspace_id, project_id) where deleted_at is null;

select convoy.make_synced('activity_feed', 8,
  refs => '{"task_id": "tasks"}', parents => array['task_id'], ignored => array['actor_id']);
select convoy.make_synced('patterns', 9, refs => '{"project_id": "projects"}', parents => array['project_id']);
select convoy.make_synced('best_practices', 10, refs => '{"project_id": "projects"}', parents => array['project_id']);

-- The activities that Convoy writes itself, with the change that they tell of (U30).
create function convoy.reserved_activities() returns text[] language sql immutable set search_path = ''
  return array['task_created', 'task_updated', 'task_deleted', 'stage_changed', 'dependency_added',
    'dependency_removed', 'conflict_settled', 'review_approved', 'review_returned', 'agent_ended'];

-- R6: an activity is the caller's. The service may record what another user did. Devices of older versions name
-- themselves in what they settle; the feed is no place for the ids of devices.
create function convoy.fill_actor() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  new.actor_id := coalesce(auth.uid(), new.actor_id);
  if new.activity_type = 'conflict_settled' and jsonb_typeof(new.details) = 'object' then
    new.details := new.details - 'device_id';
  end if;
  return new;
end
$$;
create trigger b_actor before insert on public.activity_feed
  for each row execute function convoy.fill_actor();

create function convoy.keep_activity() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- The texts of a deleted comment are blanked (F4).
  if current_setting('convoy.blanking', true) = 'on'
    and (new.task_id, new.entity_type, new.entity_id, new.actor_id, new.activity_type)
      is not distinct from (old.task_id, old.entity_type, old.entity_id, old.actor_id, old.activity_type)
  then
    return new;
  end if;
  raise exception 'What has happened is not rewritten.' using errcode = 'SN005';
end
$$;
create trigger b_append_only before update on public.activity_feed
  for each row
  when ((new.task_id, new.entity_type, new.entity_id, new.actor_id, new.activity_type, new.details)
    is distinct from (old.task_id, old.entity_type, old.entity_id, old.actor_id, old.activity_type, old.details))
  execute function convoy.keep_activity();

revoke execute on all functions in schema convoy from public;
