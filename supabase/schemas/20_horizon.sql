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
create function convoy.most_tags() returns integer language sql immutable
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
  update convoy.scope_clocks c set purged_to = head where c.scope_id = scope;
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

-- Raises the horizons of scopes, the busy ones another time. Returns how many are left.
create function convoy.raise_horizons(horizon interval) returns bigint
language plpgsql set search_path = '' as $$
declare
  most_scopes constant integer := 500;
  most_revisions constant bigint := 20000;
  old record;
  waiting bigint := 0;
  raised integer := 0;
begin
  for old in
    select c.scope_id, o.head, c.purged_to from convoy.scope_clocks c
    cross join lateral (
      select max(r.revision) as head from convoy.scope_revisions r
      where r.scope_id = c.scope_id and r.created_at < now() - horizon
    ) o
    where o.head > c.purged_to
    order by c.scope_id
  loop
    perform from convoy.scope_clocks c
      where c.scope_id = old.scope_id and c.purged_to = old.purged_to and raised < most_scopes for update skip locked;
    if found then
      raised := raised + 1;
      perform convoy.raise_horizon(old.scope_id, least(old.head, old.purged_to + most_revisions));
      waiting := waiting + (old.head > old.purged_to + most_revisions)::integer;
    else
      waiting := waiting + 1;
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
-- more. Returns how many.
create function convoy.erase_tombstones(most bigint) returns bigint
language plpgsql set search_path = '' as $$
declare
  slice constant bigint := 2000;
  t record;
  erased bigint := 0;
  in_slice bigint;
begin
  for t in select s.name from convoy.synced_tables s where s.name <> 'workspaces' order by s.position desc loop
    loop
      if erased >= most then
        return erased;
      end if;
      -- The condition is checked again on each row: it may have been restored meanwhile.
      execute format(
        'delete from public.%1$I t using (
           select t.id from convoy.scope_clocks s
           cross join lateral (select t.id from public.%1$I t where %2$s limit $1) t
           where s.purged_to > 0 limit $1) x
         where t.id = x.id and t.deleted_at is not null', t.name, convoy.erasable(t.name))
        using least(slice, most - erased);
      get diagnostics in_slice = row_count;
      erased := erased + in_slice;
      -- Parents of erased rows come with the next slice.
      exit when in_slice = 0;
    end loop;
  end loop;
  return erased;
end
$$;

-- P20: a workspace whose deletion can no longer be restored is no scope any more: its memberships end. Their tombstones are
-- erased like others, and then the workspace itself. Its clock and the rest of its tags stay, as a headstone: by them a
-- device that comes back later is told that the workspace is gone, rather than that the server has lost it (P19).
-- Returns how many workspaces are left.
create function convoy.bury_workspaces(most bigint) returns bigint
language plpgsql set search_path = '' as $$
declare
  grave record;
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
    if ended < most then
      perform from convoy.scope_clocks c where c.scope_id = grave.id for update skip locked;
    end if;
    if ended >= most or not found then
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
  select 'w.deleted_at is not null and w.revision <= c.purged_to'
    || string_agg(format(' and not exists (select from public.%I t where t.workspace_id = w.id offset 0)', t.name), '')
  from convoy.synced_tables t where t.name <> 'workspaces'
$$;

-- Erases deleted workspaces of which nothing else is left. Returns how many.
create function convoy.erase_workspaces(most bigint) returns bigint
language plpgsql set search_path = '' as $$
declare
  graves uuid[];
begin
  execute format(
    'select array(select w.id from public.workspaces w join convoy.scope_clocks c on c.scope_id = w.id where %s limit $1)',
    convoy.is_empty_grave()) into graves using most;
  delete from public.invitations i where i.workspace_id = any (graves);
  delete from public.workspaces w where w.id = any (graves);
  return cardinality(graves);
end
$$;

create function convoy.count_erasable() returns bigint
language plpgsql stable set search_path = '' as $$
declare
  t record;
  in_table bigint;
  total bigint := 0;
begin
  for t in select s.name from convoy.synced_tables s where s.name <> 'workspaces' loop
    execute format(
      'select count(*) from convoy.scope_clocks s cross join lateral (select from public.%I t where %s) t where s.purged_to > 0',
      t.name, convoy.erasable(t.name)) into in_table;
    total := total + in_table;
  end loop;
  execute format(
    'select count(*) from public.workspaces w join convoy.scope_clocks c on c.scope_id = w.id where %s',
    convoy.is_empty_grave()) into in_table;
  return total + in_table;
end
$$;

-- Erases what the ledger, the conflicts and the invitations hold from before the horizon; what somebody writes now is
-- newer, or waits for the next call. Returns 1 where some is left.
create function convoy.erase_ledgers(horizon interval, most bigint) returns bigint
language plpgsql set search_path = '' as $$
declare
  in_table bigint;
  is_over boolean;
begin
  delete from convoy.devices d where d.device_id in (
    select x.device_id from convoy.devices x where x.updated_at < now() - horizon limit most for update skip locked);
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

-- Erases tombstones, tags, stored answers and deleted workspaces older than the horizon, as much as one statement may do: at
-- most 50,000 tombstones, or the horizons of 500 workspaces. Returns how much is left, in rows and workspaces; call it again until that
-- is 0. It also takes steps of deletions and restores that nobody goes on with (U44). Safe to run at any time, and again;
-- writers wait for it only while it works in their own workspace.
create function convoy.purge(horizon interval default interval '180 days') returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  most constant bigint := 50000;
  few constant bigint := 2000;
  waiting bigint := 0;
begin
  if convoy.take_waiting_steps() > 0 then
    -- Clocks stay locked until the end of the transaction.
    return (select count(*) from convoy.unfinished_deletions) + 1;
  end if;
  perform set_config('convoy.purge', 'on', true);
  -- Clocks stay locked until the end of the transaction, so horizons rise in one that erases little.
  if convoy.erase_tombstones(most) <= few then
    waiting := convoy.raise_horizons(horizon);
    if waiting = 0 then
      -- In one transaction with the tags: a batch that arrives a second time after this was made on a cursor older than
      -- its own revision, and is refused (U3, U20).
      waiting := convoy.erase_ledgers(horizon, most) + convoy.bury_workspaces(few);
    end if;
    perform convoy.erase_tombstones(few), convoy.erase_workspaces(few);
  else
    waiting := 1;
  end if;
  perform set_config('convoy.purge', '', true);
  return waiting + convoy.count_erasable();
end
$$;

revoke execute on all functions in schema convoy from public;
grant execute on function convoy.purge(interval) to service_role;
