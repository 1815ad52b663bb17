-- The work of a statement grows with its rows and what is reachable from them. Dependencies are checked for cycles once a
-- statement, not once a row; so do subtasks follow their tasks to another milestone. The deletions of a workspace that
-- are restored at once come back together, and which dependencies come back with them is decided before any does.

drop trigger c_dependency_cycle_of_new on public.task_dependencies;
drop trigger c_dependency_cycle on public.task_dependencies;
drop trigger d_subtasks on public.tasks;
create trigger c_dependency_cycle_of_new after insert on public.task_dependencies
  referencing new table as new_rows
  for each statement execute function convoy.check_dependency_cycle();
create trigger c_dependency_cycle after update on public.task_dependencies
  referencing old table as old_rows new table as new_rows
  for each statement execute function convoy.check_dependency_cycle();
create trigger d_subtasks after update on public.tasks
  referencing old table as old_rows new table as new_rows
  for each statement execute function convoy.move_subtasks();

drop function convoy.check_restorer(uuid,uuid,text);
drop function convoy.missing_parent(uuid,uuid);
drop function convoy.restore_singly(text,uuid[]);
drop function convoy.restore_rows(uuid,uuid);

create or replace function convoy.check_parent_cycle() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off
set jit = off
as $$
begin
  if exists (
    with recursive above (id, parent_task_id) as (
      select n.id, n.parent_task_id from new_rows n
      where n.parent_task_id is not null
        and (tg_op = 'INSERT' or (n.field_revisions -> 'parent_task_id' ->> 0)::bigint = n.revision)
      union
      select p.id, p.parent_task_id from above a
      cross join lateral (
        select t.id, t.parent_task_id from public.tasks t where t.id = a.parent_task_id offset 0
      ) p
    ), below (id) as (
      select a.id from above a where a.parent_task_id is null
      union
      select a.id from below b join above a on a.parent_task_id = b.id
    )
    select from above a where a.id not in (select b.id from below b)
  ) then
    raise exception 'A task cannot be its own subtask.' using errcode = 'SN003', column = 'parent_task_id';
  end if;
  return null;
end
$$;

create or replace function convoy.reach_dependencies(tasks uuid[], out reached uuid[], out waiting uuid[], out awaited uuid[])
language plpgsql stable set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
  reached := array(
    with recursive reached (id) as (
      select t.id from unnest(tasks) t (id)
      union
      select d.id from reached r
      cross join lateral (
        select l.depends_on_task_id as id from public.task_dependencies l
        where l.task_id = r.id and l.deleted_at is null offset 0
      ) d
    )
    select r.id from reached r);
  select coalesce(array_agg(d.task_id), '{}'), coalesce(array_agg(d.depends_on_task_id), '{}') into waiting, awaited
    from unnest(reached) r (id)
    cross join lateral (
      select l.task_id, l.depends_on_task_id from public.task_dependencies l
      where l.task_id = r.id and l.deleted_at is null offset 0
    ) d;
end
$$;

create or replace function convoy.check_dependency_cycle() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  waiting uuid[];
  awaited uuid[];
  around record;
  graph record;
begin
  if tg_op = 'INSERT' then
    select array_agg(n.task_id), array_agg(n.depends_on_task_id) into waiting, awaited
      from new_rows n where n.deleted_at is null;
  else
    select array_agg(r.task_id), array_agg(r.depends_on_task_id) into waiting, awaited
      from (
        select n.id, n.task_id, n.depends_on_task_id from new_rows n where n.deleted_at is null
        except
        select o.id, o.task_id, o.depends_on_task_id from old_rows o where o.deleted_at is null
      ) r;
  end if;
  if waiting is null then
    return null;
  end if;
  select * into around from convoy.reach_dependencies(awaited);
  -- A cycle leads back to a task that waits.
  if not exists (select unnest(waiting) intersect select unnest(around.reached)) then
    return null;
  end if;
  select * into graph from convoy.number_nodes(around.waiting, around.awaited);
  if cardinality(convoy.sort_nodes(cardinality(graph.nodes), graph.sources, graph.targets)) < cardinality(graph.nodes) then
    raise exception 'The tasks would wait for each other.' using errcode = 'SN003', column = 'depends_on_task_id';
  end if;
  return null;
end
$$;

create or replace function convoy.move_subtasks() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off
set jit = off
as $$
declare
  moved uuid[];
  left_milestones uuid[];
  milestones uuid[];
  parents uuid[];
  followers uuid[];
  targets uuid[];
begin
  -- Most updates move nothing.
  if not exists (
    select from new_rows n
    where (n.field_revisions -> 'milestone_id' ->> 0)::bigint = n.revision and n.deleted_at is null)
  then
    return null;
  end if;
  -- A full join is a hash or merge join: a plan that was made for one row serves for thousands.
  select array_agg(m.id), array_agg(m.left_milestone), array_agg(m.milestone), array_agg(m.parent)
    into moved, left_milestones, milestones, parents
    from (
      select n.id, o.milestone_id as left_milestone, n.milestone_id as milestone, n.deleted_at,
        case when n.parent_task_id = o.parent_task_id then n.parent_task_id end as parent
      from new_rows n full join old_rows o on o.id = n.id
      offset 0
    ) m
    where m.milestone <> m.left_milestone and m.deleted_at is null;
  if moved is null then
    return null;
  end if;
  -- At any depth at once: a trigger within another for each level would exhaust the server's stack. The triggers of
  -- this update find the followers of the followers in their new milestone already, and end.
  with recursive below as (
    select t.id, m.left_milestone, m.milestone
      from unnest(moved, left_milestones, milestones) m (id, left_milestone, milestone)
      cross join lateral (
        select c.id from public.tasks c where c.parent_task_id = m.id and c.milestone_id = m.left_milestone offset 0
      ) t
    union
    select t.id, b.left_milestone, b.milestone
      from below b
      cross join lateral (
        select c.id from public.tasks c where c.parent_task_id = b.id and c.milestone_id = b.left_milestone offset 0
      ) t
  )
  select array_agg(b.id), array_agg(b.milestone) into followers, targets from below b;
  if followers is not null then
    update public.tasks t set milestone_id = f.milestone
      from unnest(followers, targets) f (id, milestone) where t.id = f.id;
  end if;
  moved := array(
    select m.id
    from unnest(moved, parents, milestones) m (id, parent, milestone)
    cross join lateral (
      select p.milestone_id from public.tasks p where p.id = m.parent offset 0
    ) p
    where p.milestone_id <> m.milestone);
  if cardinality(moved) > 0 then
    update public.tasks t set parent_task_id = null from unnest(moved) m (id) where t.id = m.id;
  end if;
  return null;
end
$$;

create or replace function convoy.record_deletion() returns trigger
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

create or replace function convoy.check_restorer(deletions uuid[], scope uuid, entity_types text[]) returns void
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

create or replace function convoy.missing_parent(deletions uuid[], scope uuid, out column_name text, out name text)
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
          and p.deleted_at is not null and (p.deletion_id = any ($1)) is not true',
      t.table_name, t.refers_to, t.name) into column_name, name using deletions, scope;
    if column_name is not null then
      return;
    end if;
  end loop;
end
$$;

create or replace function convoy.restorable_dependencies(ids uuid[]) returns uuid[]
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
    return '{}';
  end if;
  select * into live from convoy.reach_dependencies(waiting || awaited);
  fixed := cardinality(live.waiting);
  select * into graph from convoy.number_nodes(live.waiting || waiting, live.awaited || awaited);
  return array(
    select i.id from unnest(ids) with ordinality i (id, n)
    where i.n + fixed not in (
      select e from unnest(convoy.closing_edges(cardinality(graph.nodes), graph.sources, graph.targets, fixed)) e));
end
$$;

create or replace function convoy.freed_dependencies(deletions uuid[], scope uuid, tasks uuid[]) returns uuid[]
language plpgsql stable set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  taken uuid[];
begin
  execute 'select array(select d.id from public.task_dependencies d where d.deletion_id = any ($1) and d.workspace_id = $2)'
    into taken using deletions, scope;
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
      select from public.tasks a where a.id = d.task_id and a.deleted_at is null offset 0
    ) a
    cross join lateral (
      select from public.tasks b where b.id = d.depends_on_task_id and b.deleted_at is null offset 0
    ) b
    left join lateral (
      select x.restored_at from public.deletions x
      where x.id = d.deletion_id and x.workspace_id = scope offset 0
    ) x on true
    where d.workspace_id = scope and (x.restored_at is not null or d.deletion_id = any (deletions)));
end
$$;

create or replace function convoy.restorable_members(deletions uuid[], scope uuid) returns uuid[]
language plpgsql stable set search_path = '' as $$
begin
  return array(
    select distinct on (m.user_id) m.id
    from public.workspace_members m
    where m.workspace_id = scope and m.deletion_id = any (deletions)
      and convoy.may_restore(scope, 'workspace_members')
      -- Whoever left comes back by an invitation alone.
      and m.last_modified_by is distinct from m.user_id
      -- So does nobody whose account is deleted.
      and exists (select from auth.users u where u.id = m.user_id)
      -- A membership that was made anew stands.
      and not exists (
        select from public.workspace_members l
        where l.workspace_id = scope and l.user_id = m.user_id and l.deleted_at is null)
    order by m.user_id, m.deleted_at desc, m.id);
end
$$;

create or replace function convoy.restore_rows(deletions uuid[], scope uuid) returns uuid[]
language plpgsql set search_path = '' as $$
declare
  t record;
  tasks uuid[];
  members uuid[];
  dependencies uuid[];
  restored uuid[] := '{}';
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
  members := convoy.restorable_members(deletions, scope);
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

create or replace function convoy.restore_marked() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  marked record;
  missing record;
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
    if exists (
      select unnest(marked.deletions) except select unnest(convoy.restore_rows(marked.deletions, marked.scope)))
    then
      raise exception 'There is nothing left to restore.' using errcode = 'SN010';
    end if;
  end loop;
  return null;
end
$$;

create or replace function convoy.restore_deletion(deletion uuid) returns bigint
language plpgsql set search_path = '' as $$
declare
  held constant jsonb := convoy.held_by(deletion);
begin
  -- Deletions of dependencies and memberships alone have no record.
  update public.deletions d set restored_at = now() where d.id = deletion and d.restored_at is null;
  if not found then
    perform convoy.restore_rows(array[deletion], h.key::uuid) from jsonb_each(held) h;
  end if;
  return (select coalesce(sum(h.value::bigint), 0) from jsonb_each_text(held) h)
    - (select coalesce(sum(h.value::bigint), 0) from jsonb_each_text(convoy.held_by(deletion)) h);
end
$$;

create or replace function convoy.starts_of(numbers integer[], last integer) returns integer[]
language plpgsql immutable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select (1 + sum(coalesce(c.entries, 0)) over (order by g.n) - coalesce(c.entries, 0))::integer
    from generate_series(1, last + 1) g (n)
    left join (select e.n, count(*) as entries from unnest(numbers) e (n) group by e.n) c on c.n = g.n
    order by g.n);
end
$$;

create or replace function convoy.sort_nodes(node_count integer, sources integer[], targets integer[]) returns integer[]
language plpgsql immutable set search_path = '' set enable_nestloop = off as $$
declare
  -- The targets by source, where those of each node begin, and how many edges lead to a node.
  sorted integer[];
  starts integer[];
  waits integer[];
  queue integer[];
  tail integer;
  head integer := 0;
  node integer;
begin
  select array_agg(e.target order by e.source) into sorted from unnest(sources, targets) e (source, target);
  starts := convoy.starts_of(sources, node_count);
  select array_agg(coalesce(c.edges, 0)::integer order by g.node) into waits
    from generate_series(1, node_count) g (node)
    left join (select t.target, count(*) as edges from unnest(targets) t (target) group by t.target) c
      on c.target = g.node;
  queue := array(select w.node from unnest(waits) with ordinality w (edges, node) where w.edges = 0 order by w.node);
  tail := cardinality(queue);
  while head < tail loop
    head := head + 1;
    for i in starts[queue[head]] .. starts[queue[head] + 1] - 1 loop
      node := sorted[i];
      waits[node] := waits[node] - 1;
      if waits[node] = 0 then
        tail := tail + 1;
        queue[tail] := node;
      end if;
    end loop;
  end loop;
  return queue;
end
$$;

create or replace function convoy.number_nodes(
  source_ids uuid[], target_ids uuid[], out nodes uuid[], out sources integer[], out targets integer[]
)
language plpgsql immutable set search_path = '' set enable_nestloop = off as $$
begin
  with edges as materialized (
    select e.source, e.target, e.n from unnest(source_ids, target_ids) with ordinality e (source, target, n)
  ), numbers as materialized (
    select x.id, row_number() over (order by x.id)::integer as node
    from (select e.source as id from edges e union select e.target from edges e) x
  )
  select
      coalesce((select array_agg(n.id order by n.node) from numbers n), '{}'), coalesce(array_agg(s.node order by e.n), '{}'),
      coalesce(array_agg(t.node order by e.n), '{}')
    into nodes, sources, targets
    from edges e join numbers s on s.id = e.source join numbers t on t.id = e.target;
end
$$;

create or replace function convoy.closing_edges(node_count integer, sources integer[], targets integer[], fixed integer)
returns integer[]
language plpgsql immutable set search_path = '' set enable_nestloop = off as $$
declare
  most_steps constant integer := 2000000;
  starts constant integer[] := convoy.starts_of(sources, node_count);
  -- The edges by source, and how many lead to a node: all, and fixed ones.
  edges integer[];
  waits integer[];
  fixed_waits integer[];
  places integer[] := array_fill(null::integer, array[node_count]);
  queue integer[];
  head integer := 0;
  tail integer;
  -- Nodes that no fixed edge holds back, in the order in which they are gone on with.
  ready integer[];
  taken integer := 0;
  untouched integer[];
  passed integer := 0;
  place integer := 0;
  node integer;
  closing integer[];
  kept boolean[];
  seen integer[];
  tried integer;
  steps integer := 0;
begin
  select array_agg(e.n::integer order by e.source, e.n) into edges from unnest(sources) with ordinality e (source, n);
  select array_agg(coalesce(c.edges, 0) order by g.node), array_agg(coalesce(c.fixed_edges, 0) order by g.node)
    into waits, fixed_waits
    from generate_series(1, node_count) g (node)
    left join (
      select t.target, count(*)::integer as edges, (count(*) filter (where t.n <= fixed))::integer as fixed_edges
      from unnest(targets) with ordinality t (target, n) group by t.target
    ) c on c.target = g.node;
  queue := array(select w.node::integer from unnest(waits) with ordinality w (edges, node) where w.edges = 0 order by w.node);
  tail := cardinality(queue);
  untouched := array(select w.node from unnest(fixed_waits) with ordinality w (edges, node) where w.edges = 0 order by w.node);
  ready := '{}';
  while place < node_count loop
    if head < tail then
      head := head + 1;
      node := queue[head];
    elsif taken < cardinality(ready) then
      taken := taken + 1;
      node := ready[taken];
    else
      passed := passed + 1;
      node := untouched[passed];
      exit when node is null;
    end if;
    continue when places[node] is not null;
    place := place + 1;
    places[node] := place;
    for at in starts[node] .. starts[node + 1] - 1 loop
      node := targets[edges[at]];
      waits[node] := waits[node] - 1;
      if edges[at] <= fixed then
        fixed_waits[node] := fixed_waits[node] - 1;
      end if;
      if waits[node] = 0 then
        tail := tail + 1;
        queue[tail] := node;
      elsif fixed_waits[node] = 0 then
        ready := ready || node;
      end if;
    end loop;
  end loop;

  closing := array(
    select e.n::integer from unnest(sources, targets) with ordinality e (source, target, n)
    where places[e.source] > places[e.target] order by e.n);
  if cardinality(closing) = 0 then
    return closing;
  end if;
  kept := array_fill(true, array[cardinality(sources)]);
  foreach tried in array closing loop
    kept[tried] := false;
  end loop;
  seen := array_fill(0, array[node_count]);
  foreach tried in array closing loop
    exit when steps > most_steps;
    queue := array[targets[tried]];
    seen[targets[tried]] := tried;
    head := 0;
    while head < cardinality(queue) and seen[sources[tried]] <> tried loop
      head := head + 1;
      node := queue[head];
      steps := steps + 1 + starts[node + 1] - starts[node];
      for at in starts[node] .. starts[node + 1] - 1 loop
        if kept[edges[at]] and seen[targets[edges[at]]] <> tried then
          seen[targets[edges[at]]] := tried;
          queue := queue || targets[edges[at]];
        end if;
      end loop;
    end loop;
    kept[tried] := seen[sources[tried]] <> tried;
  end loop;
  return array(select e from unnest(closing) e where not kept[e]);
end
$$;

revoke all on function convoy.reach_dependencies(uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.check_restorer(uuid[],uuid,text[]) from public, anon, authenticated, service_role;
revoke all on function convoy.missing_parent(uuid[],uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.restorable_dependencies(uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.freed_dependencies(uuid[],uuid,uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.restorable_members(uuid[],uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.restore_rows(uuid[],uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.starts_of(integer[],integer) from public, anon, authenticated, service_role;
revoke all on function convoy.sort_nodes(integer,integer[],integer[]) from public, anon, authenticated, service_role;
revoke all on function convoy.number_nodes(uuid[],uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.closing_edges(integer,integer[],integer[],integer) from public, anon, authenticated, service_role;
