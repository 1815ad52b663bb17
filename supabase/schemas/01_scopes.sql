-- Scopes and their clocks (rules S1 to S4), the device ledger (U2), which role may write what (section 4 of
-- docs/sync-spec.md), and what of a scope is hidden while a deletion goes on (U44). The API does not expose the schema `convoy`.

create schema convoy;
revoke all on schema convoy from public;
grant usage on schema convoy to service_role;

create table convoy.scope_clocks (
  scope_id uuid primary key,
  -- The latest revision: all rows of the scope at or below it are committed or of this transaction.
  revision bigint not null default 0,
  tag text not null default replace(gen_random_uuid()::text, '-', ''),
  -- The transaction that bumped the clock last. Its time is compared too, since transaction ids start again
  -- where a dump is restored.
  bumped_in xid8,
  bumped_at timestamptz,
  -- Tombstones up to this revision are erased, and tags below it (20_horizon.sql). A cursor from before is
  -- of no known history, and its device resyncs the scope.
  purged_to bigint not null default 0,
  -- When that rose last.
  raised_at timestamptz,
  -- Nothing but this headstone is left of the workspace (P20): no purge looks at it.
  buried boolean not null default false
);
create index scope_clocks_in_use on convoy.scope_clocks (scope_id) where not buried;

create table convoy.scope_revisions (
  scope_id uuid not null references convoy.scope_clocks on delete cascade,
  revision bigint not null,
  tag text not null,
  created_at timestamptz not null default now(),
  -- The user whose transaction made the revision; null where it was none, or is not known.
  author uuid,
  primary key (scope_id, revision)
);

-- Who writes: the caller, or in a step of a deletion whoever began it; null for the service.
create function convoy.author() returns uuid language sql stable
  return case current_setting('convoy.author', true)
    when 'none' then null
    else coalesce(nullif(current_setting('convoy.author', true), '')::uuid, auth.uid()) end;

create function convoy.record_revision() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into convoy.scope_revisions (scope_id, revision, tag, author)
    values (new.scope_id, new.revision, new.tag, convoy.author());
  return null;
end
$$;

create trigger record_first_revision after insert on convoy.scope_clocks
  for each row execute function convoy.record_revision();
create trigger record_revision after update of revision on convoy.scope_clocks
  for each row when (new.revision <> old.revision) execute function convoy.record_revision();

-- Locks the scope's clock and raises its revision, once in a transaction. A bump that a savepoint rolled
-- back is made anew, since the clock row itself is the evidence.
-- Returns the revision of this transaction in the scope.
create function convoy.bump(scope uuid) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  bumped bigint;
begin
  select c.revision into bumped from convoy.scope_clocks c
    where c.scope_id = scope and c.bumped_in = pg_current_xact_id() and c.bumped_at = now();
  if found then
    return bumped;
  end if;
  update convoy.scope_clocks c
    set revision = c.revision + 1,
        tag = replace(gen_random_uuid()::text, '-', ''),
        bumped_in = pg_current_xact_id(),
        bumped_at = now()
    where c.scope_id = scope
    returning c.revision into bumped;
  if not found then
    raise exception 'There is no workspace %.', scope using errcode = 'SN008', column = 'workspace_id';
  end if;
  return bumped;
end
$$;

-- The global scope has a clock but no row in workspaces.
insert into convoy.scope_clocks (scope_id) values ('00000000-0000-7000-8000-000000000000');

create table convoy.devices (
  device_id uuid primary key,
  -- A device is one user's, from its first batch on.
  user_id uuid,
  batch bigint not null default 0,
  -- SHA-256 of the changes of the latest batch; null where its number is void (U2).
  hash bytea,
  -- What is kept of its answer (convoy.kept_answer).
  answer jsonb,
  updated_at timestamptz not null default now(),
  -- The key that the device gave the batch; null from devices of protocol 3 and before.
  key uuid
);
create index devices_user_id on convoy.devices (user_id);

create table convoy.permissions (
  role text not null,
  table_name text not null,
  op text not null check (op in ('insert', 'update', 'delete')),
  primary key (role, table_name, op)
);

-- Creating a workspace needs no role, so it is not listed. Nobody inserts members: people join by accepting an
-- invitation (S7).
insert into convoy.permissions (role, table_name, op)
select role, table_name, op
from (values
  ('owner', array['workspaces'], array['update', 'delete']),
  ('owner', array['workspace_members'], array['update', 'delete']),
  ('owner', array['workflows', 'projects', 'milestones', 'patterns', 'best_practices', 'tasks'], array['insert', 'update', 'delete']),
  ('owner', array['task_dependencies'], array['insert', 'delete']),
  ('owner', array['activity_feed'], array['insert']),
  ('editor', array['workflows', 'projects', 'milestones', 'patterns', 'best_practices', 'tasks'], array['insert', 'update', 'delete']),
  ('editor', array['task_dependencies'], array['insert', 'delete']),
  ('editor', array['activity_feed'], array['insert']),
  ('agent', array['patterns', 'best_practices', 'tasks'], array['insert', 'update']),
  ('agent', array['task_dependencies'], array['insert', 'delete']),
  ('agent', array['activity_feed'], array['insert']),
  -- Which deletions a role may restore is decided by convoy.check_restorer (08_deletions.sql).
  ('owner', array['deletions'], array['update']),
  ('editor', array['deletions'], array['update']),
  ('agent', array['deletions'], array['update'])
) as granted (role, tables, ops)
cross join unnest(granted.tables) as table_name
cross join unnest(granted.ops) as op;

alter table convoy.scope_clocks enable row level security;
alter table convoy.scope_revisions enable row level security;
alter table convoy.devices enable row level security;
alter table convoy.permissions enable row level security;
grant select on convoy.scope_clocks, convoy.scope_revisions, convoy.devices, convoy.permissions to service_role;

-- Rows that stand under a deleted record while its deletion, or its restore, is under way, are live and shown to nobody
-- (U44). 26_deletion_steps.sql takes the steps.

-- The deletions and restores that are under way, the earliest first.
create table convoy.unfinished_deletions (
  deletion_id uuid,
  n bigint not null generated always as identity,
  workspace_id uuid references convoy.scope_clocks on delete cascade,
  -- Whether its rows are being restored; else they are still being deleted.
  restores boolean not null default false,
  -- Who deletes, or restores; null for the service.
  author uuid,
  -- It is to be restored: at once, or when all of it is deleted.
  restore_wanted boolean not null default false,
  restorer uuid,
  -- Whether memberships come back with it.
  with_members boolean not null default false,
  primary key (deletion_id, workspace_id)
);
create index unfinished_deletions_workspace on convoy.unfinished_deletions (workspace_id, n);
alter table convoy.unfinished_deletions enable row level security;
grant select on convoy.unfinished_deletions to service_role;

-- The visible scopes in which a deletion or a restore is under way.
create function convoy.unsettled_scopes() returns setof uuid
language plpgsql stable security definer set search_path = '' as $$
begin
  return query
    select distinct u.workspace_id from convoy.unfinished_deletions u
    join public.workspace_members m
      on m.workspace_id = u.workspace_id and m.user_id = auth.uid() and m.deleted_at is null;
end
$$;

-- The deletion of the nearest deleted record above a row, a task, milestone or project itself included; null where there is
-- none.
create function convoy.hidden_by(target text, row_id uuid) returns uuid
language plpgsql stable security definer set search_path = '' set enable_seqscan = off set jit = off as $$
declare
  tasks uuid[];
  projects uuid[];
  scope uuid;
  result uuid;
begin
  -- Policies call this for each row, and dynamic SQL would be planned anew each time.
  case target
    when 'tasks' then
      select array[t.id], t.workspace_id into tasks, scope from public.tasks t where t.id = row_id;
    when 'task_dependencies' then
      select array[d.task_id, d.depends_on_task_id], d.workspace_id into tasks, scope from public.task_dependencies d where d.id = row_id;
    when 'activity_feed' then
      select array[a.task_id], a.workspace_id into tasks, scope from public.activity_feed a where a.id = row_id;
    when 'milestones' then
      select array[m.project_id], m.workspace_id, m.deletion_id into projects, scope, result from public.milestones m where m.id = row_id;
    when 'projects' then
      select array[p.id], p.workspace_id into projects, scope from public.projects p where p.id = row_id;
    when 'patterns' then
      select array[k.project_id], k.workspace_id into projects, scope from public.patterns k where k.id = row_id;
    when 'best_practices' then
      select array[k.project_id], k.workspace_id into projects, scope from public.best_practices k where k.id = row_id;
    when 'workspaces', 'workspace_members', 'deletions' then null;
    else
      execute format('select r.workspace_id from public.%I r where r.id = $1', target) into scope using row_id;
  end case;
  if result is null and projects is not null then
    select p.deletion_id into result from public.projects p where p.id = any (projects) and p.deleted_at is not null;
  elsif tasks is not null then
    with recursive above (id, level) as (
      select t.id, 0 from unnest(tasks) t (id)
      union all
      select p.parent_task_id, a.level + 1 from above a
      cross join lateral (
        select t.parent_task_id from public.tasks t where t.id = a.id and t.deleted_at is null offset 0
      ) p
      where p.parent_task_id is not null
    )
    select coalesce(t.deletion_id, m.deletion_id, p.deletion_id) into result
      from above a
      cross join lateral (select * from public.tasks t where t.id = a.id offset 0) t
      cross join lateral (select * from public.milestones m where m.id = t.milestone_id offset 0) m
      cross join lateral (select * from public.projects p where p.id = m.project_id offset 0) p
      where t.deleted_at is not null or m.deleted_at is not null or p.deleted_at is not null
      order by a.level limit 1;
  end if;
  if result is null and scope is not null then
    select w.deletion_id into result from public.workspaces w where w.id = scope;
  end if;
  return result;
end
$$;

revoke execute on all functions in schema convoy from public;
grant execute on function convoy.hidden_by(text, uuid), convoy.unsettled_scopes() to authenticated, service_role;
