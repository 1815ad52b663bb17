-- Scopes and their clocks (rules S1 to S4), the device ledger (U2), and which role may write what
-- (section 4 of docs/sync-spec.md). The API does not expose the schema `convoy`.

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

revoke execute on all functions in schema convoy from public;
