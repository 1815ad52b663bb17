-- Graphs whose nodes are numbers from 1: how the functions before sort what depends on each other. The work grows with nodes and edges;
-- arrays of integers, since PL/pgSQL reads and writes their elements in place.

-- Where the entries of each number from 1 to `last`, and of one more, begin in a list that is sorted by these numbers.
create function convoy.starts_of(numbers integer[], last integer) returns integer[]
language plpgsql immutable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select (1 + sum(coalesce(c.entries, 0)) over (order by g.n) - coalesce(c.entries, 0))::integer
    from generate_series(1, last + 1) g (n)
    left join (select e.n, count(*) as entries from unnest(numbers) e (n) group by e.n) c on c.n = g.n
    order by g.n);
end
$$;

-- Sorts the nodes 1 to node_count of a graph so that the source of every edge stands before its target. Nodes on a
-- cycle, or behind one, are left out. Its work grows with nodes and edges: Kahn, Topological sorting of large networks,
-- 1962.
create function convoy.sort_nodes(node_count integer, sources integer[], targets integer[]) returns integer[]
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

-- The edges between ids as edges between numbers; `nodes` has the id that each number stands for.
create function convoy.number_nodes(
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

-- The edges of a graph that have to be left out so that the others form no cycle. The first ones, `fixed`, form none and
-- stay; each edge that is left out would close a cycle with those that stay. Sorts the nodes, and passes over other
-- edges where it would go no further; each of those is then tried by a search of its own, as long as all searches
-- together take fewer than `most_steps`: where hundreds of edges close cycles, the last ones are left out untried.
create function convoy.closing_edges(node_count integer, sources integer[], targets integer[], fixed integer)
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

revoke execute on all functions in schema convoy from public;
