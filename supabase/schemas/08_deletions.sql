-- Deletions that can be restored (rules U23 to U27): one record for each deletion that people speak of.
-- A trigger writes it, whatever path deletes; setting restored_at restores it.

create table public.deletions (
  -- Its id is the deletion_id of the rows that it took along.
  like convoy.record including all,
  -- The record that was deleted.
  entity_type text not null
    constraint deletions_entity_type_allowed check (entity_type in
      ('workspaces', 'workflows', 'projects', 'milestones', 'tasks', 'patterns', 'best_practices')),
  entity_id uuid not null,
  name text not null constraint deletions_name_length check (char_length(name) <= 500),
  -- How many records of these kinds the deletion took along, the deleted record included.
  parts double precision not null,
  restored_at timestamptz,
  constraint deletions_workspace_id_fkey foreign key (workspace_id) references convoy.scope_clocks
);
create index deletions_entity_id on public.deletions (entity_id);

select convoy.make_synced('deletions', 11, server_set => array['entity_type', 'entity_id', 'name', 'parts']);

-- Runs before the cascade, so that the deletions that follow find the record and only add to its count.
create function convoy.record_deletion() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from new_rows n where n.deleted_at is not null) then
    return null;
  end if;
  insert into public.deletions (id, workspace_id, entity_type, entity_id, name, parts)
    select distinct on (n.deletion_id)
        n.deletion_id, n.workspace_id, tg_table_name, n.id, coalesce(to_jsonb(n) ->> 'title', to_jsonb(n) ->> 'name'), 0
      from new_rows n join old_rows o on o.id = n.id
      where n.deleted_at is not null and o.deleted_at is null
        and not exists (select from public.deletions d where d.id = n.deletion_id)
      order by n.deletion_id, n.id;
  update public.deletions d set parts = d.parts + gone.parts
    from (
      select n.deletion_id, n.workspace_id, count(*) as parts
      from new_rows n join old_rows o on o.id = n.id
      where n.deleted_at is not null and o.deleted_at is null
      group by n.deletion_id, n.workspace_id
    ) gone
    where d.id = gone.deletion_id and d.workspace_id = gone.workspace_id;
  return null;
end
$$;
do $$
declare
  name text;
begin
  foreach name in array array['workspaces', 'workflows', 'projects', 'milestones', 'tasks', 'patterns', 'best_practices']
  loop
    execute format('create trigger y_deletion after update on public.%I
      referencing old table as old_rows new table as new_rows
      for each statement execute function convoy.record_deletion()', name);
  end loop;
end
$$;

-- A deletion is restored once, at the server's time. The trigger sorts before the stamp trigger, so that
-- restoring it a second time changes nothing.
create function convoy.keep_restored() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  new.restored_at := case
    when old.restored_at is not null then old.restored_at
    when new.restored_at is not null then now() end;
  return new;
end
$$;
create trigger a0_restored before update of restored_at on public.deletions
  for each row execute function convoy.keep_restored();

-- A role that may insert or delete such records may restore them; agents restore neither workflows nor memberships.
create function convoy.may_restore(scope uuid, target text) returns boolean
language sql stable security definer set search_path = '' as $$
  select auth.uid() is null or exists (
      select from convoy.permissions p
      where p.role = convoy.role_in(scope) and p.table_name = target and p.op in ('insert', 'delete'))
    and not (target in ('workflows', 'workspace_members') and convoy.is_agent(scope))
$$;

-- A deletion that a whole group shares may hold more than the record it names: the caller has to be allowed to
-- restore all of it, except memberships, which stay deleted where the caller may not give them.
create function convoy.check_restorer(deletion uuid, scope uuid, entity_type text) returns void
language plpgsql stable security definer set search_path = '' as $$
declare
  t record;
  holds boolean;
begin
  for t in
    select s.name from convoy.synced_tables s
    where s.name not in ('workspace_members', 'deletions') and not convoy.may_restore(scope, s.name)
  loop
    execute format('select exists (select from public.%I r where r.deletion_id = $1 and r.workspace_id = $2)', t.name)
      into holds using deletion, scope;
    if holds or t.name = check_restorer.entity_type then
      raise exception 'You may not restore this.' using errcode = 'SN006';
    end if;
  end loop;
end
$$;

-- The deleted parent that has to be restored before this deletion can be: the column that names it, and its name
-- for people. Dependencies do not count: they come back when both of their tasks have.
create function convoy.missing_parent(deletion uuid, scope uuid, out column_name text, out name text)
language plpgsql stable set search_path = '' as $$
declare
  t record;
begin
  for t in
    select c.table_name, c.name, c.refers_to from convoy.synced_columns c
      where c.is_parent and c.table_name <> 'task_dependencies'
    union all
    select s.name, 'workspace_id', 'workspaces' from convoy.synced_tables s where s.name not in ('workspaces', 'deletions')
  loop
    execute format(
      'select %3$L, coalesce(to_jsonb(p) ->> ''title'', to_jsonb(p) ->> ''name'')
         from public.%1$I c join public.%2$I p on p.id = c.%3$I
        where c.deletion_id = $1 and c.workspace_id = $2
          and p.deleted_at is not null and p.deletion_id is distinct from $1 limit 1',
      t.table_name, t.refers_to, t.name) into column_name, name using deletion, scope;
    if column_name is not null then
      return;
    end if;
  end loop;
end
$$;

-- Restores rows one by one where they cannot be restored together: a row that exists anew meanwhile, or that
-- would close a cycle, stays deleted.
create function convoy.restore_singly(target text, ids uuid[]) returns bigint
language plpgsql set search_path = '' as $$
declare
  restored bigint;
  one uuid;
begin
  begin
    execute format('update public.%I set deleted_at = null where id = any ($1)', target) using ids;
    get diagnostics restored = row_count;
    return restored;
  exception when unique_violation or sqlstate 'SN003' then
    restored := 0;
  end;
  foreach one in array ids loop
    begin
      execute format('update public.%I set deleted_at = null where id = $1', target) using one;
      restored := restored + 1;
    exception when unique_violation or sqlstate 'SN003' then
      null;
    end;
  end loop;
  return restored;
end
$$;

-- Restores exactly the rows that one deletion took along, ancestors first, and the dependencies that an earlier
-- restore had to leave because these tasks were deleted. Returns the number of rows.
create function convoy.restore_rows(deletion uuid, scope uuid) returns bigint
language plpgsql set search_path = '' as $$
declare
  t record;
  tasks constant uuid[] := array(
    select c.id from public.tasks c where c.deletion_id = deletion and c.workspace_id = scope);
  restored bigint := 0;
  in_table bigint;
begin
  for t in
    select s.name from convoy.synced_tables s
    where s.name not in ('workspace_members', 'task_dependencies', 'deletions') order by s.position
  loop
    execute format('update public.%I set deleted_at = null where deletion_id = $1 and workspace_id = $2', t.name)
      using deletion, scope;
    get diagnostics in_table = row_count;
    restored := restored + in_table;
  end loop;
  return restored
    + convoy.restore_singly('workspace_members', array(
      select m.id from public.workspace_members m
      where m.deletion_id = deletion and m.workspace_id = scope and convoy.may_restore(scope, 'workspace_members')
        -- Whoever left comes back by an invitation alone.
        and m.last_modified_by is distinct from m.user_id
        -- So does nobody whose account is deleted.
        and exists (select from auth.users u where u.id = m.user_id)))
    + convoy.restore_singly('task_dependencies', array(
      select d.id from public.task_dependencies d
      where d.workspace_id = scope and d.deleted_at is not null
        and (d.deletion_id = deletion
          or (d.task_id = any (tasks) or d.depends_on_task_id = any (tasks))
            and exists (
              select from public.deletions x
              where x.id = d.deletion_id and x.workspace_id = scope and x.restored_at is not null))
        and not exists (
          select from public.tasks e
          where e.id in (d.task_id, d.depends_on_task_id) and e.deleted_at is not null)));
end
$$;

-- Restores the deletions whose restored_at was set. Of several, parents come first, whatever their order.
create function convoy.restore_marked() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  waiting uuid[] := array(
    select n.id from new_rows n join old_rows o on o.id = n.id
    where n.restored_at is not null and o.restored_at is null);
  held_back uuid[];
  d record;
  missing record;
begin
  while cardinality(waiting) > 0 loop
    held_back := '{}';
    for d in select n.* from new_rows n where n.id = any (waiting) order by n.created_at desc, n.id loop
      perform convoy.check_restorer(d.id, d.workspace_id, d.entity_type);
      select m.column_name, m.name into missing from convoy.missing_parent(d.id, d.workspace_id) m;
      if missing.column_name is not null then
        held_back := held_back || d.id;
      elsif convoy.restore_rows(d.id, d.workspace_id) = 0 then
        raise exception 'There is nothing left to restore.' using errcode = 'SN010';
      end if;
    end loop;
    if cardinality(held_back) = cardinality(waiting) then
      raise exception 'It belongs to "%", which is deleted itself. Restore that first.', missing.name
        using errcode = 'SN008', column = missing.column_name;
    end if;
    waiting := held_back;
  end loop;
  return null;
end
$$;
create trigger c_restore after update on public.deletions
  referencing old table as old_rows new table as new_rows
  for each statement execute function convoy.restore_marked();

-- For operators, by SQL: restores any deletion, also of dependencies and memberships. Returns the number
-- of rows. Raises SN008 where a parent is itself deleted.
create function convoy.restore_deletion(deletion uuid) returns bigint
language plpgsql set search_path = '' as $$
declare
  held constant jsonb := convoy.held_by(deletion);
begin
  -- Deletions of dependencies and memberships alone have no record.
  update public.deletions d set restored_at = now() where d.id = deletion and d.restored_at is null;
  if not found then
    perform convoy.restore_rows(deletion, h.key::uuid) from jsonb_each(held) h;
  end if;
  return (select coalesce(sum(h.value::bigint), 0) from jsonb_each_text(held) h)
    - (select coalesce(sum(h.value::bigint), 0) from jsonb_each_text(convoy.held_by(deletion)) h);
end
$$;

-- The rows that a deletion keeps, counted by workspace.
create function convoy.held_by(deletion uuid) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  t record;
  counts jsonb;
  held jsonb := '{}';
begin
  for t in select s.name from convoy.synced_tables s loop
    execute format(
      'select coalesce(jsonb_object_agg(workspace_id, n), ''{}'') from (
         select workspace_id, count(*) + coalesce(($2 ->> workspace_id::text)::bigint, 0) as n
         from public.%I where deletion_id = $1 group by workspace_id) c', t.name)
      into counts using deletion, held;
    held := held || counts;
  end loop;
  return held;
end
$$;

revoke execute on all functions in schema convoy from public;
grant execute on function convoy.restore_deletion(uuid) to service_role;
