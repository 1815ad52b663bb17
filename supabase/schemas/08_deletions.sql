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
  -- A full join is a hash or merge join: a plan that was made for one row serves for thousands.
  insert into public.deletions (id, workspace_id, entity_type, entity_id, name, parts)
    select distinct on (g.deletion_id)
        g.deletion_id, g.workspace_id, tg_table_name, g.id, coalesce(to_jsonb(g.n) ->> 'title', to_jsonb(g.n) ->> 'name'), 0
      from (
        select n, n.id, n.workspace_id, n.deletion_id, n.deleted_at, o.deleted_at as deleted_before
        from new_rows n full join old_rows o on o.id = n.id offset 0
      ) g
      where g.deleted_at is not null and g.deleted_before is null
        and not exists (select from public.deletions d where d.id = g.deletion_id)
      order by g.deletion_id, g.id;
  update public.deletions d set parts = d.parts + gone.parts
    from (
      select g.deletion_id, g.workspace_id, count(*) as parts
      from (
        select n.workspace_id, n.deletion_id, n.deleted_at, o.deleted_at as deleted_before
        from new_rows n full join old_rows o on o.id = n.id offset 0
      ) g
      where g.deleted_at is not null and g.deleted_before is null
      group by g.deletion_id, g.workspace_id
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
create function convoy.check_restorer(deletions uuid[], scope uuid, entity_types text[]) returns void
language plpgsql stable security definer set search_path = '' as $$
declare
  t record;
  holds boolean;
begin
  for t in
    select s.name from convoy.synced_tables s
    where s.name not in ('workspace_members', 'deletions') and not convoy.may_restore(scope, s.name)
  loop
    execute format('select exists (select from public.%I r where r.deletion_id = any ($1) and r.workspace_id = $2)', t.name)
      into holds using deletions, scope;
    if holds or t.name = any (entity_types) then
      raise exception 'You may not restore this.' using errcode = 'SN006';
    end if;
  end loop;
end
$$;

-- A deleted parent that has to be restored before these deletions can be, and is not on its way back: the column that
-- names it, and its name for people. Dependencies do not count: they come back when both of their tasks have.
create function convoy.missing_parent(deletions uuid[], scope uuid, out column_name text, out name text)
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
      'select min(%3$L), min(coalesce(to_jsonb(p) ->> ''title'', to_jsonb(p) ->> ''name''))
         from public.%1$I c join public.%2$I p on p.id = c.%3$I
        where c.deletion_id = any ($1) and c.workspace_id = $2
          and p.deleted_at is not null and (p.deletion_id = any ($1)) is not true
          and not exists (
            select from convoy.unfinished_deletions u
            where u.deletion_id = p.deletion_id and u.workspace_id = $2 and u.restore_wanted)',
      t.table_name, t.refers_to, t.name) into column_name, name using deletions, scope;
    if column_name is not null then
      return;
    end if;
  end loop;
end
$$;

-- Those of these deleted dependencies that can come back together (U27): of each pair one, unless the pair has a live
-- one, and none that closes a circle, with others or through subtasks (N5).
create function convoy.restorable_dependencies(ids uuid[]) returns uuid[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  waiting uuid[];
  awaited uuid[];
  live record;
  graph record;
  fixed integer;
begin
  select array_agg(d.id), array_agg(d.task_id), array_agg(d.depends_on_task_id) into ids, waiting, awaited
    from (
      select distinct on (d.task_id, d.depends_on_task_id) d.id, d.task_id, d.depends_on_task_id
      from public.task_dependencies d
      where d.id = any (ids)
      order by d.task_id, d.depends_on_task_id, d.deleted_at desc, d.id
    ) d
    where not exists (
      select from public.task_dependencies l
      where l.task_id = d.task_id and l.depends_on_task_id = d.depends_on_task_id and l.deleted_at is null);
  if ids is null then
    return '{}'::uuid[];
  end if;
  select * into live from convoy.reach_events(waiting, awaited);
  fixed := cardinality(live.waiting);
  select * into graph from convoy.number_nodes(live.waiting || waiting, live.awaited
    || array(select convoy.finish_of(a.id) from unnest(awaited) with ordinality a (id, n) order by a.n));
  return array(
    select i.id from unnest(ids) with ordinality i (id, n)
    where i.n + fixed not in (
      select e from unnest(convoy.closing_edges(cardinality(graph.nodes), graph.sources, graph.targets, fixed)) e));
end
$$;

-- The deleted dependencies that these deletions took along, and those that an earlier restore had to leave because these
-- tasks were deleted, where both tasks are live by now. Each step uses an index, whatever statistics say.
--   root: of a restore in steps, the record that comes back last, and counts as live; then only those of `tasks` are meant.
create function convoy.freed_dependencies(deletions uuid[], scope uuid, tasks uuid[], root uuid default null) returns uuid[]
language plpgsql stable set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  taken uuid[];
begin
  if root is null then
    execute 'select array(select d.id from public.task_dependencies d where d.deletion_id = any ($1) and d.workspace_id = $2)'
      into taken using deletions, scope;
  end if;
  return array(
    select d.id
    from (
      select t.id from unnest(taken) t (id)
      union
      select d.id from unnest(tasks) t (id)
        cross join lateral (
          select d.id from public.task_dependencies d
          where d.task_id = t.id and d.deleted_at is not null offset 0
        ) d
      union
      select d.id from unnest(tasks) t (id)
        cross join lateral (
          select d.id from public.task_dependencies d
          where d.depends_on_task_id = t.id and d.deleted_at is not null offset 0
        ) d
    ) f
    cross join lateral (select * from public.task_dependencies d where d.id = f.id offset 0) d
    cross join lateral (
      select from public.tasks a where a.id = d.task_id and (a.deleted_at is null or a.id = root) offset 0
    ) a
    cross join lateral (
      select from public.tasks b where b.id = d.depends_on_task_id and (b.deleted_at is null or b.id = root) offset 0
    ) b
    left join lateral (
      select x.restored_at from public.deletions x
      where x.id = d.deletion_id and x.workspace_id = scope offset 0
    ) x on true
    where d.workspace_id = scope and (x.restored_at is not null or d.deletion_id = any (deletions)));
end
$$;

-- The memberships of these deletions that can come back, one of each user: those that went with their workspace. One that
-- an owner ended by itself, or beside something smaller, comes back by an invitation alone (U31).
create function convoy.restorable_members(deletions uuid[], scope uuid) returns uuid[]
language plpgsql stable set search_path = '' as $$
begin
  return array(
    select distinct on (m.user_id) m.id
    from public.workspace_members m
    where m.workspace_id = scope and m.deletion_id = any (deletions)
      and exists (
        select from public.deletions d
        where d.id = m.deletion_id and d.workspace_id = scope and d.entity_type = 'workspaces')
      -- So does whoever left.
      and m.last_modified_by is distinct from m.user_id
      -- So does nobody whose account is deleted.
      and exists (select from auth.users u where u.id = m.user_id)
      -- So does no agent that a person made: it is made anew (A5).
      and m.made_by is null
      -- A membership that was made anew stands.
      and not exists (
        select from public.workspace_members l
        where l.workspace_id = scope and l.user_id = m.user_id and l.deleted_at is null)
    order by m.user_id, m.deleted_at desc, m.id);
end
$$;

-- Restores exactly the rows that these deletions took along, ancestors first, and the dependencies that an earlier
-- restore had to leave because these tasks were deleted. Returns the deletions of which a row came back.
create function convoy.restore_rows(deletions uuid[], scope uuid, with_members boolean) returns uuid[]
language plpgsql set search_path = '' as $$
declare
  t record;
  tasks uuid[];
  members uuid[];
  dependencies uuid[];
  restored uuid[] := '{}'::uuid[];
  in_table uuid[];
begin
  -- What can come back is decided under the clock's lock.
  perform from convoy.scope_clocks c where c.scope_id = scope for update;
  execute 'select array(select c.id from public.tasks c where c.deletion_id = any ($1) and c.workspace_id = $2)'
    into tasks using deletions, scope;
  for t in
    select s.name from convoy.synced_tables s
    where s.name not in ('workspace_members', 'task_dependencies', 'deletions') order by s.position
  loop
    execute format(
      'select array(select distinct r.deletion_id from public.%I r where r.deletion_id = any ($1) and r.workspace_id = $2)',
      t.name) into in_table using deletions, scope;
    if cardinality(in_table) > 0 then
      execute format('update public.%I set deleted_at = null where deletion_id = any ($1) and workspace_id = $2', t.name)
        using deletions, scope;
      restored := restored || in_table;
    end if;
  end loop;
  members := case when with_members then convoy.restorable_members(deletions, scope) end;
  if cardinality(members) > 0 then
    restored := restored || array(select m.deletion_id from public.workspace_members m where m.id = any (members));
    update public.workspace_members set deleted_at = null where id = any (members);
  end if;
  dependencies := convoy.restorable_dependencies(convoy.freed_dependencies(deletions, scope, tasks));
  if cardinality(dependencies) > 0 then
    restored := restored || array(select d.deletion_id from public.task_dependencies d where d.id = any (dependencies));
    update public.task_dependencies set deleted_at = null where id = any (dependencies);
  end if;
  return restored;
end
$$;

-- Restores the deletions whose restored_at was set, all of a workspace at once: of several, the order does not matter.
-- Large ones come back in steps (U44).
create function convoy.restore_marked() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  marked record;
  missing record;
  large uuid[];
  with_members boolean;
begin
  for marked in
    select n.workspace_id as scope, array_agg(n.id) as deletions, array_agg(distinct n.entity_type) as entity_types
      from (
        select n.id, n.workspace_id, n.entity_type, n.restored_at, o.restored_at as restored_before
        from new_rows n full join old_rows o on o.id = n.id offset 0
      ) n
      where n.restored_at is not null and n.restored_before is null
      group by n.workspace_id order by n.workspace_id
  loop
    perform convoy.check_restorer(marked.deletions, marked.scope, marked.entity_types);
    select m.column_name, m.name into missing from convoy.missing_parent(marked.deletions, marked.scope) m;
    if missing.column_name is not null then
      raise exception 'It belongs to "%", which is deleted itself. Restore that first.', missing.name
        using errcode = 'SN008', column = missing.column_name;
    end if;
    with_members := convoy.may_restore(marked.scope, 'workspace_members');
    large := array(select d from unnest(marked.deletions) d where convoy.needs_steps(d, marked.scope));
    if cardinality(large) > 0 and 'workspaces' = any (marked.entity_types) then
      perform convoy.check_owner_left(w.id, w.revision) from public.workspaces w where w.id = marked.scope;
    end if;
    perform convoy.begin_restore(d, marked.scope, with_members) from unnest(large) d;
    if exists (
      select d from unnest(marked.deletions) d where d <> all (large)
      except select unnest(convoy.restore_rows(array(
        select d from unnest(marked.deletions) d where d <> all (large)), marked.scope, with_members)))
    then
      raise exception 'There is nothing left to restore.' using errcode = 'SN010';
    end if;
  end loop;
  return null;
end
$$;
create trigger c_restore after update on public.deletions
  referencing old table as old_rows new table as new_rows
  for each statement execute function convoy.restore_marked();

-- For operators, by SQL: restores any deletion, also of dependencies; of memberships what users may restore too. Returns
-- the number of rows. Raises SN008 where a parent is itself deleted.
create function convoy.restore_deletion(deletion uuid) returns bigint
language plpgsql set search_path = '' as $$
declare
  held constant jsonb := convoy.held_by(deletion);
  unfinished record;
begin
  -- Deletions of dependencies and memberships alone have no record.
  update public.deletions d set restored_at = now() where d.id = deletion and d.restored_at is null;
  if not found then
    perform convoy.restore_rows(array[deletion], h.key::uuid, convoy.may_restore(h.key::uuid, 'workspace_members'))
      from jsonb_each(held) h;
  end if;
  loop
    select u.workspace_id into unfinished from convoy.unfinished_deletions u where u.deletion_id = deletion limit 1;
    exit when not found;
    perform convoy.take_step(unfinished.workspace_id);
  end loop;
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
  held jsonb := '{}'::jsonb;
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
