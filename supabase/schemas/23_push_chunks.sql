-- sync_push, part 5: a push writes in chunks of whole groups and ends when its time is over (U18).

-- Changes that may take along any number of rows: deletes that cascade, and restores.
create function convoy.takes_along(table_name text, op text) returns boolean language sql immutable
  return op = 'delete' and table_name not in ('task_dependencies', 'workspace_members') or table_name = 'deletions';

-- These tasks and the tasks above them, as pairs of a task and its parent task. Each step up uses the
-- key, whatever statistics say.
create function convoy.climb_tasks(ids uuid[], out tasks uuid[], out parents uuid[])
language plpgsql stable set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
  with recursive above (id, parent_task_id) as (
    select t.id, t.parent_task_id from unnest(ids) i (id)
    cross join lateral (select t.id, t.parent_task_id from public.tasks t where t.id = i.id offset 0) t
    where t.parent_task_id is not null
    union
    select p.id, p.parent_task_id from above a
    cross join lateral (
      select t.id, t.parent_task_id from public.tasks t where t.id = a.parent_task_id offset 0
    ) p
    where p.parent_task_id is not null
  )
  select coalesce(array_agg(a.id), '{}'), coalesce(array_agg(a.parent_task_id), '{}') into tasks, parents from above a;
end
$$;

-- Which of these deletions took rows that stand under rows of another one of them.
create function convoy.nested_deletions(deletions uuid[], out below uuid[], out above uuid[])
language plpgsql stable set search_path = '' as $$
declare
  t record;
  found_below uuid[];
  found_above uuid[];
begin
  below := '{}';
  above := '{}';
  for t in
    select c.table_name, c.name, c.refers_to from convoy.synced_columns c
      where c.is_parent and c.table_name <> 'task_dependencies'
    union all
    select s.name, 'workspace_id', 'workspaces' from convoy.synced_tables s where s.name not in ('workspaces', 'deletions')
  loop
    execute format(
      'select coalesce(array_agg(n.below), ''{}'') as below, coalesce(array_agg(n.above), ''{}'') as above
         from (
           select distinct c.deletion_id as below, p.deletion_id as above
             from public.%1$I c join public.%2$I p on p.id = c.%3$I
            where c.deletion_id = any ($1) and p.deletion_id = any ($1) and p.deletion_id <> c.deletion_id) n',
      t.table_name, t.refers_to, t.name) into found_below, found_above using deletions;
    below := below || found_below;
    above := above || found_above;
  end loop;
end
$$;

create type convoy.ranked_id as (id uuid, rank integer);

-- The rank of records where that of one has to be written before that of another: of tasks to be deleted, subtasks
-- before their tasks; of deletions to be restored, those above before those below. The others have none.
create function convoy.rank_ids(before uuid[], after uuid[]) returns convoy.ranked_id[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  graph record;
begin
  if cardinality(before) = 0 then
    return '{}'::convoy.ranked_id[];
  end if;
  select * into graph from convoy.number_nodes(before, after);
  return array(
    select row(graph.nodes[s.node], s.rank)::convoy.ranked_id
    from unnest(convoy.sort_nodes(cardinality(graph.nodes), graph.sources, graph.targets)) with ordinality s (node, rank));
end
$$;

create function convoy.rank_changes(changes convoy.change[]) returns convoy.ranked_id[]
language plpgsql stable set search_path = '' as $$
declare
  deleted constant uuid[] := array(
    select c.id from unnest(changes) c where c.table_name = 'tasks' and c.op = 'delete');
  restored constant uuid[] := array(select c.id from unnest(changes) c where c.table_name = 'deletions');
  ranks convoy.ranked_id[] := '{}'::convoy.ranked_id[];
begin
  -- Most batches delete and restore nothing, or one record.
  if cardinality(deleted) > 1 then
    select ranks || convoy.rank_ids(a.tasks, a.parents) into ranks from convoy.climb_tasks(deleted) a;
  end if;
  if cardinality(restored) > 1 then
    select ranks || convoy.rank_ids(n.above, n.below) into ranks from convoy.nested_deletions(restored) n;
  end if;
  return ranks;
end
$$;

-- The groups of a batch, each after the groups whose inserts it needs. `light`: how many of them, from the first on,
-- neither take rows along nor need one that does. After them come restores, those above first, and deletes last, leaves
-- first, as in a batch that is written whole: no group may put a record under one that an earlier group has deleted,
-- and a row that is deleted by itself is no part of its parent's deletion (U23). `sizes`: changes of each group.
create function convoy.order_groups(
  changes convoy.change[], links convoy.link[], out ordered bigint[], out sizes integer[], out light integer
)
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  -- More than there are groups, so that nothing that comes early reaches it by what it needs.
  restoring constant integer := 1000000;
  deleting constant integer := 2000000;
  groups bigint[];
  sources integer[];
  targets integer[];
  starts integer[];
  levels integer[];
  node integer;
begin
  select array_agg(g.group_no order by g.group_no), array_agg(g.level order by g.group_no) into groups, levels
    from (
      select c.group_no, max(case
          when not convoy.takes_along(c.table_name, c.op) then 0
          when c.op = 'delete' then deleting
          else restoring end) as level
      from unnest(changes) c group by c.group_no
    ) g;
  with numbers as materialized (
    select c.position, dense_rank() over (order by c.group_no)::integer as node from unnest(changes) c
  )
  select array_agg(e.source order by e.source, e.target), array_agg(e.target order by e.source, e.target)
    into sources, targets
    from (
      select distinct s.node as source, t.node as target
      from unnest(links) l join numbers s on s.position = l.provider join numbers t on t.position = l.position
      where s.node <> t.node
    ) e;
  if sources is not null then
    -- Devices merge groups that need each other; those of other clients keep their place by number.
    starts := convoy.starts_of(sources, cardinality(groups));
    foreach node in array convoy.sort_nodes(cardinality(groups), sources, targets) loop
      for at in starts[node] .. starts[node + 1] - 1 loop
        levels[targets[at]] := greatest(levels[targets[at]], levels[node] + 1);
      end loop;
    end loop;
  end if;
  select array_agg(x.group_no order by x.n), array_agg(x.size order by x.n), count(*) filter (where x.level < restoring)
    into ordered, sizes, light
    from (
      select g.group_no, g.level, f.size,
        row_number() over (order by g.level, f.top desc, f.rank, g.group_no) as n
      from unnest(groups, levels) g (group_no, level)
      join (
        select c.group_no, count(*)::integer as size, coalesce(max(r.rank), 0) as rank,
          coalesce(min(t.position) filter (where c.op = 'delete' and convoy.takes_along(c.table_name, c.op)), 0) as top
        from unnest(changes) c
        left join convoy.synced_tables t on t.name = c.table_name
        left join unnest(convoy.rank_changes(changes)) r on r.id = c.id
        group by c.group_no
      ) f on f.group_no = g.group_no
    ) x;
end
$$;

-- How many records a push writes as one chunk; tests replace it.
create function convoy.chunk_records() returns integer language sql immutable set search_path = ''
  return 2000;

-- How many live records stand below these ones; some count twice. Counts no further than a little beyond `most`.
create function convoy.count_below(frontier convoy.descendant[], most integer) returns integer
language plpgsql stable set search_path = '' as $$
declare
  records integer := 0;
  next_frontier convoy.descendant[];
  found_rows convoy.descendant[];
  child record;
begin
  while cardinality(frontier) > 0 and records <= most loop
    next_frontier := '{}';
    for child in
      select t.refers_to, c.table_name, c.column_name
      from (select distinct f.table_name as refers_to from unnest(frontier) f) t
      cross join lateral convoy.children_of(t.refers_to) c
    loop
      execute format(
        'select array(
           select row(f.root, %1$L, t.id, null)::convoy.descendant
             from unnest($1) f join public.%1$I t on t.%2$I = f.id
            where f.table_name = %3$L and t.deleted_at is null limit $2)',
        child.table_name, child.column_name, child.refers_to)
        into found_rows using frontier, most + 1;
      -- The rows below a workspace have been found at once.
      if child.refers_to <> 'workspaces' then
        next_frontier := next_frontier || found_rows;
      end if;
      records := records + cardinality(found_rows);
    end loop;
    frontier := next_frontier;
  end loop;
  return records;
end
$$;

-- How many records the changes are about, with those that they take along; some count twice. Counts no further than a
-- little beyond `most`.
create function convoy.count_records(changes convoy.change[], most integer) returns integer
language plpgsql stable set search_path = '' as $$
declare
  restored constant uuid[] := array(select c.id from unnest(changes) c where c.table_name = 'deletions');
  records integer := cardinality(changes) + convoy.count_below(array(
    select row(c.position, c.table_name, c.id, null)::convoy.descendant
    from unnest(changes) c where c.op = 'delete' and convoy.takes_along(c.table_name, c.op)), most);
  found_count integer;
  child record;
begin
  if cardinality(restored) > 0 then
    for child in select t.name from convoy.synced_tables t loop
      exit when records > most;
      execute format(
        'select count(*) from (select from public.%I r where r.deletion_id = any ($1) limit $2) r', child.name)
        into found_count using restored, most;
      records := records + found_count;
    end loop;
  end if;
  return records;
end
$$;

-- Writes all groups that can be written and returns the refusals. A batch of usual size is one chunk. Others are written in
-- several, in the order of order_groups: first those that take nothing along, then the others, one group alone at first
-- and twice as many each time that it went quickly. The push ends where its time is over, by the clock of its statement,
-- but with a quarter of that time for writing. The first chunk is written whatever it takes, so that each push gets
-- further.
--   settled: refusals from before. ordered: null, or the groups of a chunk, which are written together.
create function convoy.write_groups(
  changes convoy.change[], links convoy.link[], settled convoy.decision[], ordered bigint[]
) returns convoy.decision[]
language plpgsql set search_path = '' as $$
declare
  most_records constant integer := convoy.chunk_records();
  refused convoy.decision[] := convoy.spread_refusals(changes, changes, links, settled);
  fresh convoy.decision[];
  part convoy.change[];
  groups record;
  first integer := 1;
  last integer;
  size integer;
  several integer := 1;
  began timestamptz;
  ends_at timestamptz;
begin
  changes := convoy.still_open(changes, refused);
  ends_at := greatest(statement_timestamp() + convoy.push_time(), clock_timestamp() + convoy.push_time() / 4);
  if ordered is not null or cardinality(changes) <= most_records and (
    changes[1].group_no = all (select c.group_no from unnest(changes) c)
    or not exists (select from unnest(changes) c where convoy.takes_along(c.table_name, c.op))
    or convoy.count_records(changes, most_records) <= most_records)
  then
    return refused || convoy.write_halves(changes, links, ordered, cardinality(settled) > 0, ends_at);
  end if;
  select * into groups from convoy.order_groups(changes, links);
  ends_at := greatest(ends_at, clock_timestamp() + convoy.push_time() / 4);
  while first <= cardinality(groups.ordered) loop
    began := clock_timestamp();
    if first > 1 and began > ends_at then
      return refused || convoy.leave_untried(changes);
    end if;
    last := first;
    size := groups.sizes[first];
    while last < groups.light and size + groups.sizes[last + 1] <= most_records loop
      last := last + 1;
      size := size + groups.sizes[last];
    end loop;
    if first > groups.light then
      last := least(first + several - 1, cardinality(groups.ordered));
    end if;
    part := convoy.changes_of(changes, groups.ordered[first : last]);
    fresh := convoy.write_halves(
      part, convoy.links_of(links, part), convoy.groups_of(groups.ordered[first : last], part), first > 1, ends_at);
    refused := refused || fresh;
    changes := convoy.changes_of(changes, groups.ordered[last + 1 :]);
    if cardinality(fresh) > 0 and cardinality(links) > 0 then
      fresh := convoy.spread_refusals(changes, changes, links, fresh);
      refused := refused || fresh;
      changes := convoy.still_open(changes, fresh);
    end if;
    several := case
      when first <= groups.light or clock_timestamp() - began >= convoy.push_time() / 16 then 1
      else 2 * several end;
    first := last + 1;
  end loop;
  return refused;
end
$$;

revoke execute on all functions in schema convoy from public;
