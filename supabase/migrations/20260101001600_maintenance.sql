-- For operators, by SQL: undoing a deletion, and forgetting old tombstones.

-- Brings back exactly what one deletion took along, ancestors first. Returns the number of rows.
-- Raises SN008 where what it belongs to is itself deleted: that has to be restored before.
create function convoy.restore_deletion(deletion uuid) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  t record;
  missing boolean;
  restored bigint := 0;
  in_table bigint;
begin
  for t in
    select c.table_name, c.name, c.refers_to from convoy.synced_columns c where c.is_parent
    union all
    select s.name, 'workspace_id', 'workspaces' from convoy.synced_tables s where s.name <> 'workspaces'
  loop
    execute format(
      'select exists (select from public.%I c join public.%I p on p.id = c.%I
        where c.deletion_id = $1 and p.deleted_at is not null and p.deletion_id is distinct from $1)',
      t.table_name, t.refers_to, t.name) into missing using deletion;
    if missing then
      raise exception 'Restore what it belongs to first.' using errcode = 'SN008', column = t.name;
    end if;
  end loop;
  for t in select s.name from convoy.synced_tables s order by s.position loop
    execute format('update public.%I set deleted_at = null where deletion_id = $1', t.name) using deletion;
    get diagnostics in_table = row_count;
    restored := restored + in_table;
  end loop;
  return restored;
end
$$;

-- Erases tombstones that are older than the horizon, and the tags of the revisions up to them: a device
-- whose cursor is as old finds its history unknown and pulls the scope anew (S4, P8), so it cannot miss
-- a deletion. Returns the number of rows.
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
  for t in select s.name from convoy.synced_tables s order by s.position desc loop
    select coalesce(string_agg(format('and not exists (select from public.%I c where c.%I = t.id)', c.table_name, c.name), ' '), '')
      into unreferenced from convoy.synced_columns c where c.refers_to = t.name;
    execute format(
      'delete from public.%I t
        where t.deleted_at is not null %s and t.revision <= (
          select max(r.revision) from convoy.scope_revisions r
          where r.scope_id = t.workspace_id and r.created_at < now() - $1)',
      t.name,
      unreferenced || case when t.name = 'workspaces' then ' and false' else '' end) using horizon;
    get diagnostics in_table = row_count;
    purged := purged + in_table;
  end loop;
  delete from convoy.scope_revisions r using convoy.scope_clocks c
    where c.scope_id = r.scope_id and r.created_at < now() - horizon and r.revision < c.revision;
  delete from convoy.devices d where d.updated_at < now() - horizon;
  perform set_config('convoy.purge', '', true);
  return purged;
end
$$;

revoke execute on all functions in schema convoy from public;
grant execute on function convoy.restore_deletion(uuid), convoy.purge(interval) to service_role;
