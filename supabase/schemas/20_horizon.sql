-- The horizon: how long a device may be away and still hear of every deletion. Tombstones, tags, stored answers and
-- deleted workspaces from before it are erased (P15, P16, P20), so that they do not grow for ever.

-- The rest of the erased tags: four bytes of each, in the order of their revisions; the last one is of the
-- revision before `purged_to`. Enough to tell a device that was away for long from one whose history was
-- lost with a backup.
create table convoy.purged_tags (
  scope_id uuid primary key references convoy.scope_clocks on delete cascade,
  tags bytea not null
);
-- Not compressed, so that a part of it is read without the rest.
alter table convoy.purged_tags alter column tags set storage external;
alter table convoy.purged_tags enable row level security;
grant select on convoy.purged_tags to service_role;

-- How many are kept of each scope, the latest: 4 MB. Tests replace it.
create function convoy.most_tags() returns integer language sql immutable set search_path = ''
  return 1000000;

-- Whether a revision with this tag was part of the scope's history when its tag was erased. Of a revision that is older than
-- all that is kept nobody knows: to who may see the scope it counts as having been, which costs a resync; strangers learn
-- nothing (R7).
create function convoy.was_in_history(scope uuid, at bigint, at_tag text) returns boolean
language sql stable set search_path = '' as $$
  select exists (
    select from convoy.purged_tags p
    join convoy.scope_clocks c on c.scope_id = p.scope_id
    cross join lateral (select 4 * (at - c.purged_to) + octet_length(p.tags) as start) place
    where p.scope_id = scope and at < c.purged_to
      and case when place.start >= 0
        then encode(substring(p.tags from place.start::integer + 1 for 4), 'hex') = left(at_tag, 8)
        else scope in (select convoy.visible_scopes()) end)
$$;

-- Whether the device's revisions of a scope are, or were, part of its history.
create function convoy.knew_cursor(k convoy.cursor_position) returns boolean
language sql stable set search_path = '' as $$
  select bool_and(convoy.is_in_history(k.scope, h.at, h.tag) or convoy.was_in_history(k.scope, h.at, h.tag))
  from (values (coalesce(k.target, k.revision), k.tag), (k.own_revision, k.own_tag)) h (at, tag)
  where h.at is not null
$$;

-- The live side of purging: one scope's horizon rises, under its clock. A device whose cursor is older finds its tag
-- unknown; a device that synced within the horizon has a cursor at or above the revision that was the scope's head then.
create function convoy.raise_horizon(scope uuid, head bigint) returns void
language plpgsql set search_path = '' as $$
declare
  most_bytes constant integer := 4 * convoy.most_tags();
begin
  update convoy.scope_clocks c set purged_to = head, raised_at = now() where c.scope_id = scope;
  insert into convoy.purged_tags as p (scope_id, tags)
    select scope, string_agg(decode(left(r.tag, 8), 'hex'), ''::bytea order by r.revision)
    from convoy.scope_revisions r where r.scope_id = scope and r.revision < head
    having count(*) > 0
    on conflict (scope_id) do update
      set tags = substring(p.tags || excluded.tags
        from greatest(1, octet_length(p.tags) + octet_length(excluded.tags) - most_bytes + 1));
  delete from convoy.scope_revisions r where r.scope_id = scope and r.revision < head;
  -- Deletions whose rows are to be erased are no longer offered for restoring. Devices learn that from a tombstone.
  update public.deletions d set deleted_at = now()
    where d.workspace_id = scope and d.deleted_at is null and d.revision <= head;
end
$$;

-- How long what is beyond the horizon may wait: a scope's horizon rises once in that time, so that a run of calls comes to an
-- end however many people write meanwhile. No push lasts as long.
create function convoy.grace(horizon interval) returns interval language sql immutable set search_path = ''
  return least(interval '1 day', horizon / 180);

-- Up to how many revisions of a scope its horizon rises in one call. Tests replace it.
create function convoy.most_raised() returns integer language sql immutable set search_path = ''
  return 20000;

-- The scopes whose horizon is to rise, and the time of the first revision above it.
create function convoy.waiting_scopes(horizon interval)
returns table (scope_id uuid, purged_to bigint, raised_at timestamptz, oldest timestamptz)
language sql stable set search_path = '' as $$
  select c.scope_id, c.purged_to, c.raised_at, above.created_at
  from convoy.scope_clocks c
  cross join lateral (
    select r.created_at from convoy.scope_revisions r
    where r.scope_id = c.scope_id and r.revision > c.purged_to order by r.revision limit 1
  ) above
  where not c.buried and above.created_at < now() - horizon - convoy.grace(horizon)
$$;

-- Raises the horizons of scopes until that time, of one at least: of those first whose turn was longest ago, and of none
-- whose clock somebody holds. Returns how many wait for another call: for this, or to have their tombstones erased.
create function convoy.raise_horizons(horizon interval, until timestamptz) returns bigint
language plpgsql set search_path = '' as $$
declare
  most_scopes constant integer := 500;
  most_revisions constant integer := convoy.most_raised();
  old record;
  head bigint;
  waiting bigint := 0;
  raised integer := 0;
begin
  for old in select * from convoy.waiting_scopes(horizon) w order by w.raised_at nulls first, w.scope_id loop
    waiting := waiting + 1;
    if raised < most_scopes and (raised = 0 or clock_timestamp() < until) then
      perform from convoy.scope_clocks c
        where c.scope_id = old.scope_id and c.purged_to = old.purged_to for update skip locked;
      if found then
        select max(x.revision) into head
          from (
            select r.revision, r.created_at from convoy.scope_revisions r
            where r.scope_id = old.scope_id and r.revision > old.purged_to order by r.revision limit most_revisions
          ) x
          where x.created_at < now() - horizon;
        perform convoy.raise_horizon(old.scope_id, head);
        raised := raised + 1;
      end if;
    end if;
  end loop;
  return waiting;
end
$$;

-- The condition that picks a scope's tombstones below its horizon, of those that nothing names and that no restore brings
-- back: a deletion that went on in steps is erased as a whole.
create function convoy.erasable(target text) returns text
language sql stable set search_path = '' as $$
  select 't.workspace_id = s.scope_id and t.deleted_at is not null and t.revision <= s.purged_to'
    || ' and not exists (select from convoy.unfinished_deletions u where u.deletion_id = t.deletion_id)'
    || ' and not exists (select from public.deletions d where d.id = t.deletion_id and d.deleted_at is null and d.restored_at is null)'
    || coalesce(string_agg(format(' and not exists (select from public.%I c where c.%I = t.id)', c.table_name, c.name), ''), '')
  from convoy.synced_columns c where c.refers_to = target
$$;

-- Erases tombstones below the horizons, children first, slice by slice and without any clock: nobody asks for them any
-- more. Ends after so many, or at that time, and never before its first slice. Returns 1 where some may be left. What
-- names a row is found by its index, whatever statistics say: else a slice of one reads whole tables.
create function convoy.erase_tombstones(most bigint, until timestamptz) returns bigint
language plpgsql set search_path = '' set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
set jit = off as $$
declare
  slice constant bigint := 2000;
  t record;
  -- Rows of the same table that erased ones named. A chain of subtasks frees one with each slice, so these are looked at
  -- before the table is searched again.
  named uuid[];
  searches boolean;
  candidates text;
  erased bigint := 0;
  in_slice bigint;
begin
  for t in
    select s.name, convoy.erasable(s.name) as condition, (
        select coalesce(string_agg(format('t.%I', c.name), ', '), '') from convoy.synced_columns c
        where c.table_name = s.name and c.refers_to = s.name) as names
    from convoy.synced_tables s where s.name <> 'workspaces' order by s.position desc
  loop
    named := '{}';
    loop
      if erased >= most or erased > 0 and clock_timestamp() > until then
        return 1;
      end if;
      searches := cardinality(named) = 0;
      candidates := case when searches
        then 'select t.id from convoy.scope_clocks s
               cross join lateral (select t.id from public.%1$I t where %2$s limit $1) t
               where s.purged_to > 0 and not s.buried limit $1'
        else 'select t.id from unnest($2) n (id)
               cross join lateral (select * from public.%1$I t where t.id = n.id offset 0) t
               cross join lateral (select * from convoy.scope_clocks s where s.scope_id = t.workspace_id offset 0) s
               where %2$s limit $1' end;
      -- The condition is checked again on each row: it may have been restored meanwhile.
      execute format(
        'with gone as (
           delete from public.%1$I t using (' || candidates || ') x
           where t.id = x.id and t.deleted_at is not null
           returning array[%3$s]::uuid[] as names
         )
         select (select count(*) from gone),
           array(select distinct n.id from gone cross join unnest(gone.names) n (id) where n.id is not null)',
        t.name, t.condition, t.names)
        into in_slice, named using least(slice, most - erased), named;
      erased := erased + in_slice;
      exit when searches and in_slice = 0;
    end loop;
  end loop;
  return 0;
end
$$;

-- P20: a workspace whose deletion can no longer be restored is no scope any more: its memberships end. Their tombstones are
-- erased like others, and then the workspace itself. Its clock and the rest of its tags stay, as a headstone: by them a
-- device that comes back later is told that the workspace is gone, rather than that the server has lost it (P19).
-- Ends at most so many memberships, or at that time, and never before the first workspace. Returns how many workspaces are
-- left.
create function convoy.bury_workspaces(most bigint, until timestamptz) returns bigint
language plpgsql set search_path = '' as $$
declare
  grave record;
  is_over boolean;
  in_grave bigint;
  ended bigint := 0;
  waiting bigint := 0;
begin
  for grave in
    select w.id from public.workspaces w join convoy.scope_clocks c on c.scope_id = w.id
    where w.deleted_at is not null and w.revision <= c.purged_to
      and exists (select from public.workspace_members m where m.workspace_id = w.id and m.deleted_at is null)
      and not exists (select from convoy.unfinished_deletions u where u.workspace_id = w.id)
      and not exists (
        select from public.deletions d where d.id = w.deletion_id and d.deleted_at is null and d.restored_at is null)
    order by w.id
  loop
    is_over := ended >= most or ended > 0 and clock_timestamp() > until;
    if not is_over then
      perform from convoy.scope_clocks c where c.scope_id = grave.id for update skip locked;
    end if;
    if is_over or not found then
      waiting := waiting + 1;
      continue;
    end if;
    update public.workspace_members m set deleted_at = now()
      where m.id in (
        select x.id from public.workspace_members x where x.workspace_id = grave.id and x.deleted_at is null
        limit most - ended)
        -- It may have been restored meanwhile.
        and exists (select from public.workspaces w where w.id = grave.id and w.deleted_at is not null);
    get diagnostics in_grave = row_count;
    ended := ended + in_grave;
    if exists (select from public.workspace_members m where m.workspace_id = grave.id and m.deleted_at is null) then
      waiting := waiting + 1;
    end if;
  end loop;
  return waiting;
end
$$;

-- The condition that picks a deleted workspace of which nothing but the headstone is to stay.
create function convoy.is_empty_grave() returns text
language sql stable set search_path = '' as $$
  select 'w.deleted_at is not null and c.revision <= c.purged_to'
    || string_agg(format(' and not exists (select from public.%I t where t.workspace_id = w.id offset 0)', t.name), '')
  from convoy.synced_tables t where t.name <> 'workspaces'
$$;

-- Erases deleted workspaces of which nothing else is left. Of the headstone no purge takes any notice from then on. Returns 1
-- where some may be left.
create function convoy.erase_workspaces(most bigint) returns bigint
language plpgsql set search_path = '' as $$
declare
  graves uuid[];
begin
  execute format(
    'select array(
       select w.id from public.workspaces w join convoy.scope_clocks c on c.scope_id = w.id
       where %s limit $1 for update of c skip locked)',
    convoy.is_empty_grave()) into graves using most;
  delete from public.invitations i where i.workspace_id = any (graves);
  delete from public.workspaces w where w.id = any (graves);
  update convoy.scope_clocks c set buried = true where c.scope_id = any (graves);
  return (cardinality(graves) >= most)::integer;
end
$$;

-- Erases what the ledger, the conflicts and the invitations hold from before the horizon; what somebody writes now is
-- newer, or waits for the next call. Returns 1 where some is left.
-- A batch that arrives a second time after its answer was erased is refused, because it was made on a cursor older than its
-- own revision, whose tag is gone (U3, U20). So where a scope still waits for its horizon to rise, answers from after the
-- first of its revisions that are kept stay. Revisions are numbered when pushes commit and dated when they begin, hence
-- the second grace.
create function convoy.erase_ledgers(horizon interval, most bigint) returns bigint
language plpgsql set search_path = '' as $$
declare
  grace constant interval := convoy.grace(horizon);
  kept_from constant timestamptz := coalesce(
    (select min(w.oldest) from convoy.waiting_scopes(horizon) w), now() - horizon - grace) - grace;
  in_table bigint;
  is_over boolean;
begin
  delete from convoy.devices d where d.device_id in (
    select x.device_id from convoy.devices x where x.updated_at < kept_from limit most for update skip locked);
  get diagnostics in_table = row_count;
  is_over := in_table < most;
  delete from convoy.conflicts k where k.ctid in (
    select x.ctid from convoy.conflicts x where x.occurred_at < now() - horizon limit most for update skip locked);
  get diagnostics in_table = row_count;
  is_over := is_over and in_table < most;
  delete from public.invitations i where i.id in (
    select x.id from public.invitations x where coalesce(x.accepted_at, x.expires_at) < now() - horizon limit most
    for update skip locked);
  get diagnostics in_table = row_count;
  return (not (is_over and in_table < most))::integer;
end
$$;

-- Erases tombstones, tags, stored answers and deleted workspaces older than the horizon, and takes steps of deletions and
-- restores that nobody goes on with (U44). A call does as much as about four seconds allow, and some of each: however
-- much there is, the call commits, and the next one gets further. Returns how many workspaces and kinds of things it has not
-- finished: call it again until that is 0, or another day, since what somebody holds waits. Safe to run at any time; writers
-- wait for it only while it works in their own workspace.
create function convoy.purge(horizon interval default interval '180 days') returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  most constant bigint := 50000;
  few constant bigint := 2000;
  waiting bigint;
begin
  perform set_config('convoy.purge', 'on', true);
  waiting := convoy.erase_tombstones(most, clock_timestamp() + interval '2 s');
  waiting := waiting + convoy.erase_workspaces(few) + convoy.erase_ledgers(horizon, most);
  perform set_config('convoy.purge', '', true);
  -- From here on clocks are locked until the end of the transaction, so what takes long is over, and what these free is erased
  -- by the next call.
  perform convoy.take_waiting_steps(clock_timestamp() + interval '1 s');
  waiting := waiting + convoy.raise_horizons(horizon, clock_timestamp() + interval '1 s');
  waiting := waiting + convoy.bury_workspaces(few, clock_timestamp() + interval '0.5 s');
  perform convoy.recount_scopes();
  return waiting + (select count(*) from convoy.unfinished_deletions);
end
$$;

revoke execute on all functions in schema convoy from public;
grant execute on function convoy.purge(interval) to service_role;
