-- Circles of tasks that wait for each other (N5): through dependencies, through subtasks, or through both.

-- How tasks wait for each other (N5), as a graph of events: that a task begins, which its id stands for, and that it is finished. A
-- task begins after what it depends on is finished, and after the task above it could begin; it is finished after it began,
-- and after its subtasks are finished. A circle of events is a circle of tasks that wait for each other for ever, through
-- dependencies, through subtasks, or through both.
create function convoy.finish_of(task uuid) returns uuid language sql immutable
  return md5(task::text)::uuid;

-- The events that have to come before these, and what each of them comes after, as pairs. Each step uses an index, whatever
-- statistics say.
--   begun, finished: tasks
create function convoy.reach_events(
  begun uuid[], finished uuid[], out reached uuid[], out waiting uuid[], out awaited uuid[]
)
language plpgsql stable set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  ids uuid[];
  ends boolean[];
begin
  with recursive reached (id, is_end) as (
    select e.id, e.is_end
    from (select b, false from unnest(begun) b union all select f, true from unnest(finished) f) e (id, is_end)
    union
    select x.id, x.is_end from reached r
    cross join lateral (
      select l.depends_on_task_id as id, true as is_end from public.task_dependencies l
        where not r.is_end and l.task_id = r.id and l.deleted_at is null
      union all
      select t.parent_task_id, false from public.tasks t where not r.is_end and t.id = r.id and t.parent_task_id is not null
      union all
      select r.id, false where r.is_end
      union all
      select c.id, true from public.tasks c where r.is_end and c.parent_task_id = r.id
      offset 0
    ) x
  )
  select coalesce(array_agg(r.id), '{}'), coalesce(array_agg(r.is_end), '{}') into ids, ends from reached r;
  reached := array(
    select case when e.is_end then convoy.finish_of(e.id) else e.id end from unnest(ids, ends) e (id, is_end));
  select coalesce(array_agg(case when r.is_end then convoy.finish_of(r.id) else r.id end), '{}'),
      coalesce(array_agg(case when x.is_end then convoy.finish_of(x.id) else x.id end), '{}')
    into waiting, awaited
    from unnest(ids, ends) r (id, is_end)
    cross join lateral (
      select l.depends_on_task_id as id, true as is_end from public.task_dependencies l
        where not r.is_end and l.task_id = r.id and l.deleted_at is null
      union all
      select t.parent_task_id, false from public.tasks t where not r.is_end and t.id = r.id and t.parent_task_id is not null
      union all
      select r.id, false where r.is_end
      union all
      select c.id, true from public.tasks c where r.is_end and c.parent_task_id = r.id
      offset 0
    ) x;
end
$$;

-- Whether one of these new pairs, which are among all, is on a circle. Circles of before are none of theirs.
create function convoy.closes_circle(waiting uuid[], awaited uuid[], new_waiting uuid[], new_awaited uuid[]) returns boolean
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  graph record;
  sorted integer[];
  stuck uuid[];
begin
  select * into graph from convoy.number_nodes(waiting, awaited);
  sorted := convoy.sort_nodes(cardinality(graph.nodes), graph.sources, graph.targets);
  if cardinality(sorted) = cardinality(graph.nodes) then
    return false;
  end if;
  -- What is neither before nor behind all circles is on one, or between two.
  stuck := array(
    select n.id from unnest(graph.nodes) with ordinality n (id, node)
    join (
      select generate_series(1, cardinality(graph.nodes)) as node
      except select unnest(sorted)
      except select unnest(convoy.sort_nodes(cardinality(graph.nodes), graph.targets, graph.sources))
    ) s on s.node = n.node);
  return exists (
    select from unnest(new_waiting, new_awaited) e (waiting, awaited)
    join unnest(stuck) a (id) on a.id = e.waiting
    join unnest(stuck) b (id) on b.id = e.awaited);
end
$$;

-- Checks the dependencies that the statement made or restored, all together: its work grows with their number and with
-- what is reachable from them.
create function convoy.check_dependency_cycle() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  waiting uuid[];
  awaited uuid[];
  around record;
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
  select * into around from convoy.reach_events('{}', awaited);
  -- A circle leads back to a task that waits.
  if not exists (select unnest(waiting) intersect select unnest(around.reached)) then
    return null;
  end if;
  if convoy.closes_circle(around.waiting, around.awaited, waiting,
    array(select convoy.finish_of(a.id) from unnest(awaited) with ordinality a (id, n) order by a.n))
  then
    raise exception 'The tasks would wait for each other.' using errcode = 'SN003', column = 'depends_on_task_id';
  end if;
  return null;
end
$$;
create trigger c_dependency_cycle_of_new after insert on public.task_dependencies
  referencing new table as new_rows
  for each statement execute function convoy.check_dependency_cycle();
create trigger c_dependency_cycle after update on public.task_dependencies
  referencing old table as old_rows new table as new_rows
  for each statement execute function convoy.check_dependency_cycle();

revoke execute on all functions in schema convoy from public;
