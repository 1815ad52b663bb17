-- Purging goes in slices: the horizon of a scope rises under its clock, tombstones are erased without one, the ledger last,
-- and each call of convoy.purge() says how much is left. An index finds tombstones without looking at live rows.

do $$
declare
  t record;
begin
  for t in select s.name from convoy.synced_tables s loop
    execute format('create index if not exists %I on public.%I (workspace_id, revision) where deleted_at is not null',
      t.name || '_tombstones', t.name);
  end loop;
end
$$;

create or replace function convoy.make_synced(
  table_name text,
  table_position integer,
  refs jsonb default '{}',
  parents text[] default '{}',
  units jsonb default '{}',
  server_set text[] default '{}',
  ignored text[] default '{}'
) returns void
language plpgsql set search_path = '' as $$
declare
  common constant text[] := array['id', 'workspace_id', 'revision', 'field_revisions', 'created_at',
    'updated_at', 'deleted_at', 'deletion_id', 'last_modified_by'];
  columns text[];
  defaults jsonb := '{}';
  item record;
  value jsonb;
begin
  select array_agg(a.attname::text order by a.attnum) into columns
    from pg_catalog.pg_attribute a
    where a.attrelid = format('public.%I', table_name)::regclass
      and a.attnum > 0 and not a.attisdropped and a.attname <> all (common);
  for item in
    select a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid) as expression
    from pg_catalog.pg_attrdef d
    join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
    where d.adrelid = format('public.%I', table_name)::regclass
      and a.attname = any (columns) and a.attname <> all (server_set || make_synced.ignored)
  loop
    execute format('select to_jsonb(%s)', item.expression) into value;
    defaults := defaults || jsonb_build_object(item.attname, value);
  end loop;

  delete from convoy.synced_columns c where c.table_name = make_synced.table_name;
  insert into convoy.synced_tables as t (name, position, pushable, ignored, defaults, ids, sent)
    values (
      table_name, table_position,
      array(select c from unnest(columns) c where c <> all (server_set || make_synced.ignored)),
      make_synced.ignored,
      defaults,
      array(
        select a.attname::text from pg_catalog.pg_attribute a
        where a.attrelid = format('public.%I', table_name)::regclass
          and a.attname = any (columns) and a.attname <> all (server_set || make_synced.ignored)
          and a.atttypid = 'uuid'::regtype
        order by a.attnum),
      array['id', 'workspace_id'] || columns || array['revision', 'created_at', 'updated_at', 'last_modified_by'])
    on conflict (name) do update
      set position = excluded.position, pushable = excluded.pushable, ignored = excluded.ignored,
          defaults = excluded.defaults, ids = excluded.ids, sent = excluded.sent;
  insert into convoy.synced_columns (table_name, name, unit, refers_to, is_parent)
    select make_synced.table_name, c, units ->> c, refs ->> c, c = any (parents) from unnest(columns) c;

  perform convoy.write_stamp_function(table_name, columns);
  execute format('revoke execute on function convoy.%I() from public', 'stamp_' || table_name);
  -- Triggers fire in the order of their names: the clock is locked before anything is checked.
  execute format('create or replace trigger a_stamp before insert or update or delete on public.%I
    for each row execute function convoy.%I()', table_name, 'stamp_' || table_name);
  execute format('create or replace trigger z_cascade after update on public.%I
    referencing new table as new_rows
    for each statement execute function convoy.cascade_deletion()', table_name);

  execute format('create index if not exists %I on public.%I (workspace_id, revision, id)',
    table_name || '_pull', table_name);
  execute format('create index if not exists %I on public.%I (deletion_id) where deletion_id is not null',
    table_name || '_deletion', table_name);
  execute format('create index if not exists %I on public.%I (workspace_id, revision) where deleted_at is not null',
    table_name || '_tombstones', table_name);
  execute format('alter table public.%I enable row level security', table_name);
  execute format('drop policy if exists members_read on public.%I', table_name);
  -- Of a deleted row a member learns its id by a pull, and never its text: it may have been deleted before they came.
  execute format('create policy members_read on public.%I for select to authenticated
    using (deleted_at is null and workspace_id = any (array(select convoy.visible_scopes())))', table_name);
  execute format('revoke all on public.%I from public, anon, authenticated', table_name);
  execute format('grant select on public.%I to authenticated', table_name);
  execute format('grant all on public.%I to service_role', table_name);
end
$$;

create or replace function convoy.raise_horizon(scope uuid, head bigint) returns void
language plpgsql set search_path = '' as $$
begin
  update convoy.scope_clocks c set purged_to = head where c.scope_id = scope;
  insert into convoy.purged_tags as p (scope_id, tags)
    select scope, string_agg(decode(left(r.tag, 8), 'hex'), ''::bytea order by r.revision)
    from convoy.scope_revisions r where r.scope_id = scope and r.revision < head
    having count(*) > 0
    on conflict (scope_id) do update set tags = p.tags || excluded.tags;
  delete from convoy.scope_revisions r where r.scope_id = scope and r.revision < head;
  -- Deletions whose rows are to be erased are no longer offered for restoring. Devices learn that from a tombstone.
  update public.deletions d set deleted_at = now()
    where d.workspace_id = scope and d.deleted_at is null and d.revision <= head;
end
$$;

create or replace function convoy.raise_horizons(horizon interval) returns bigint
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

create or replace function convoy.erasable(target text) returns text
language sql stable set search_path = '' as $$
  select 't.workspace_id = s.scope_id and t.deleted_at is not null and t.revision <= s.purged_to'
    || coalesce(string_agg(format(' and not exists (select from public.%I c where c.%I = t.id)', c.table_name, c.name), ''), '')
  from convoy.synced_columns c where c.refers_to = target
$$;

create or replace function convoy.erase_tombstones(most bigint) returns bigint
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

create or replace function convoy.count_erasable() returns bigint
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
  return total;
end
$$;

create or replace function convoy.erase_ledgers(horizon interval, most bigint) returns bigint
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

create or replace function convoy.purge(horizon interval default interval '180 days') returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  most constant bigint := 50000;
  few constant bigint := 2000;
  waiting bigint := 0;
begin
  perform set_config('convoy.purge', 'on', true);
  -- Clocks stay locked until the end of the transaction, so horizons rise in one that erases little.
  if convoy.erase_tombstones(most) <= few then
    waiting := convoy.raise_horizons(horizon);
    if waiting = 0 then
      -- In one transaction with the tags: a batch that arrives a second time after this was made on a cursor older than
      -- its own revision, and is refused (U3, U20).
      waiting := convoy.erase_ledgers(horizon, most);
    end if;
    perform convoy.erase_tombstones(few);
  else
    waiting := 1;
  end if;
  perform set_config('convoy.purge', '', true);
  return waiting + convoy.count_erasable();
end
$$;

revoke all on function convoy.raise_horizon(uuid,bigint) from public, anon, authenticated, service_role;
revoke all on function convoy.raise_horizons(interval) from public, anon, authenticated, service_role;
revoke all on function convoy.erasable(text) from public, anon, authenticated, service_role;
revoke all on function convoy.erase_tombstones(bigint) from public, anon, authenticated, service_role;
revoke all on function convoy.count_erasable() from public, anon, authenticated, service_role;
revoke all on function convoy.erase_ledgers(interval,bigint) from public, anon, authenticated, service_role;
