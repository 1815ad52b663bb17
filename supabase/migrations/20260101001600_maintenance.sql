-- For operators, by SQL: undoing a deletion.

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

revoke execute on all functions in schema convoy from public;
grant execute on function convoy.restore_deletion(uuid) to service_role;
