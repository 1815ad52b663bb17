-- The horizon: how long a device may be away and still hear of every deletion. Tombstones, tags and stored
-- answers from before it are erased (P15, P16), so that they do not grow for ever.

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

-- Whether a revision with this tag was part of the scope's history when its tag was erased.
create function convoy.was_in_history(scope uuid, at bigint, at_tag text) returns boolean
language sql stable set search_path = '' as $$
  select exists (
    select from convoy.purged_tags p
    join convoy.scope_clocks c on c.scope_id = p.scope_id
    cross join lateral (select 4 * (at - c.purged_to) + octet_length(p.tags) as start) place
    where p.scope_id = scope and at < c.purged_to and place.start >= 0
      and encode(substring(p.tags from place.start::integer + 1 for 4), 'hex') = left(at_tag, 8))
$$;

-- Whether the device's revisions of a scope are, or were, part of its history.
create function convoy.knew_cursor(k convoy.cursor_position) returns boolean
language sql stable set search_path = '' as $$
  select bool_and(convoy.is_in_history(k.scope, h.at, h.tag) or convoy.was_in_history(k.scope, h.at, h.tag))
  from (values (coalesce(k.target, k.revision), k.tag), (k.own_revision, k.own_tag)) h (at, tag)
  where h.at is not null
$$;

-- Erases tombstones, tags and stored answers older than the horizon. A device whose cursor is older finds its
-- tag unknown; a device that synced within the horizon has a cursor at or above the revision that was the
-- scope's head then. Returns the number of rows. Safe to run at any time, and again; it waits for writers, and
-- they wait for it.
create function convoy.purge(horizon interval default interval '180 days') returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  t record;
  unreferenced text;
  purged bigint := 0;
  in_table bigint;
begin
  perform set_config('convoy.purge', 'on', true);
  perform from convoy.scope_clocks c order by c.scope_id for update;
  update convoy.scope_clocks c set purged_to = old.head
    from (
      select r.scope_id, max(r.revision) as head from convoy.scope_revisions r
      where r.created_at < now() - horizon group by r.scope_id
    ) old
    where old.scope_id = c.scope_id and old.head > c.purged_to;
  for t in select s.name from convoy.synced_tables s order by s.position desc loop
    select coalesce(string_agg(format('and not exists (select from public.%I c where c.%I = t.id)', c.table_name, c.name), ' '), '')
      into unreferenced from convoy.synced_columns c where c.refers_to = t.name;
    execute format(
      'delete from public.%I t using convoy.scope_clocks s
        where s.scope_id = t.workspace_id and t.deleted_at is not null and t.revision <= s.purged_to %s',
      t.name,
      unreferenced || case when t.name = 'workspaces' then ' and false' else '' end);
    get diagnostics in_table = row_count;
    purged := purged + in_table;
  end loop;
  -- Deletions whose rows are erased are no longer offered for restoring. Devices learn that from a tombstone.
  update public.deletions d set deleted_at = now() from convoy.scope_clocks c
    where c.scope_id = d.workspace_id and d.deleted_at is null and d.revision <= c.purged_to;
  insert into convoy.purged_tags as p (scope_id, tags)
    select r.scope_id, string_agg(decode(left(r.tag, 8), 'hex'), ''::bytea order by r.revision)
    from convoy.scope_revisions r join convoy.scope_clocks c on c.scope_id = r.scope_id and r.revision < c.purged_to
    group by r.scope_id
    on conflict (scope_id) do update set tags = p.tags || excluded.tags;
  delete from convoy.scope_revisions r using convoy.scope_clocks c
    where c.scope_id = r.scope_id and r.revision < c.purged_to;
  -- In one transaction with the tags: a batch that arrives a second time after this was made on a cursor older
  -- than its own revision, and is refused (U3, U20).
  delete from convoy.devices d where d.updated_at < now() - horizon;
  delete from convoy.conflicts k where k.occurred_at < now() - horizon;
  delete from public.invitations i where coalesce(i.accepted_at, i.expires_at) < now() - horizon;
  perform set_config('convoy.purge', '', true);
  return purged;
end
$$;

revoke execute on all functions in schema convoy from public;
grant execute on function convoy.purge(interval) to service_role;
