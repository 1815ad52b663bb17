-- A push writes in chunks of whole groups and ends when its time is over: what it did not try is blocked by itself (U18).
-- Refusals spread through a batch in work that grows with its changes and links, and the culprit of a group is found by
-- halving it. Groups of any depth are sorted by what they need.

-- A batch as a graph, for refusals to spread in it: its changes by number.
create type convoy.batch as (
  positions integer[],
  ids uuid[],
  -- Whether a change is still to be decided; and what it is decided to be: r(ejected), b(locked) by a record, g(one),
  -- p: gone for its parent, c(onflict) of a change to a record that exists, - anything else.
  open boolean[],
  verdicts "char"[],
  blockers uuid[],
  -- The links by the change that brings the record, and where those of each change begin: which change needs the record,
  -- which record it is, whether the change is one of that record, and whether its record stands under that one.
  followers integer[],
  follow_ids uuid[],
  follow_self boolean[],
  follow_parent boolean[],
  follows integer[],
  -- The group of each change, the changes by group, and where those of each group begin.
  groups integer[],
  members integer[],
  begins integer[]
);

create type convoy.ranked_id as (id uuid, rank integer);

drop function convoy.order_groups(convoy.change[],convoy.link[]);

create or replace function convoy.changes_of(changes convoy.change[], groups bigint[]) returns convoy.change[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select c from unnest(changes) c where c.group_no in (select g from unnest(groups) g) order by c.position);
end
$$;

create or replace function convoy.groups_of(ordered bigint[], changes convoy.change[]) returns bigint[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select g.group_no from unnest(ordered) with ordinality g (group_no, n)
    where g.group_no in (select c.group_no from unnest(changes) c) order by g.n);
end
$$;

create or replace function convoy.batch_of(
  changes convoy.change[], all_changes convoy.change[], links convoy.link[], decided convoy.decision[]
) returns convoy.batch
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  b convoy.batch;
begin
  select array_agg(x.position order by x.position), array_agg(x.id order by x.position),
      array_agg(x.open order by x.position), array_agg(x.verdict order by x.position),
      array_agg(x.blocker order by x.position), array_agg(x.place order by x.position)
    into b.positions, b.ids, b.open, b.verdicts, b.blockers, b.groups
    from (
      select position, c.id, o.position is not null as open,
        -- What was decided earlier may be of groups that are not among the changes any more.
        dense_rank() over (order by coalesce(c.group_no, -position), c.group_no is null)::integer as place,
        case
          when d.outcome ->> 'outcome' = 'rejected' then 'r'
          when d.outcome ->> 'outcome' = 'blocked' then 'b'
          when d.outcome @> '{"outcome": "gone", "which": "parent"}' then 'p'
          when d.outcome ->> 'outcome' = 'gone' then 'g'
          when d.outcome ->> 'outcome' = 'conflict' and c.op <> 'insert' then 'c'
          else '-'
        end::"char" as verdict,
        (d.outcome ->> 'by')::uuid as blocker
      from unnest(all_changes) c
      full join unnest(decided) d using (position)
      left join unnest(changes) o using (position)
    ) x;
  with numbers as materialized (
    select p.position, p.n::integer as n from unnest(b.positions) with ordinality p (position, n)
  ), followed as materialized (
    select p.n as provider, f.n as follower, l.parent_id as id, l.column_name = 'id' as is_self, l.is_parent
    from unnest(links) l join numbers p on p.position = l.provider join numbers f on f.position = l.position
  )
  select coalesce(array_agg(f.follower order by f.provider), '{}'), array_agg(f.id order by f.provider),
      array_agg(f.is_self order by f.provider), array_agg(f.is_parent order by f.provider),
      convoy.starts_of(array_agg(f.provider), cardinality(b.positions))
    into b.followers, b.follow_ids, b.follow_self, b.follow_parent, b.follows
    from followed f;
  select array_agg(g.n::integer order by g.place, g.n), convoy.starts_of(b.groups, max(g.place))
    into b.members, b.begins
    from unnest(b.groups) with ordinality g (place, n);
  return b;
end
$$;

create or replace function convoy.links_of(links convoy.link[], changes convoy.change[]) returns convoy.link[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  if cardinality(links) = 0 then
    return links;
  end if;
  return array(
    select l from unnest(links) l where l.position in (select c.position from unnest(changes) c));
end
$$;

create or replace function convoy.spread_refusals(
  changes convoy.change[], all_changes convoy.change[], links convoy.link[], decided convoy.decision[]
) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
declare
  b convoy.batch;
  verdicts "char"[];
  blockers uuid[];
  -- 0: to be decided; else the round a change was decided in, from 1, or -1 for before.
  rounds integer[];
  spread boolean[];
  queue integer[];
  first integer := 1;
  last integer;
  tail integer;
  n integer;
  m integer;
  verdict "char";
begin
  if cardinality(changes) = 0 or not exists (
    select from unnest(decided) d where d.outcome ->> 'outcome' in ('rejected', 'blocked', 'gone', 'conflict'))
  then
    return '{}';
  end if;
  b := convoy.batch_of(changes, all_changes, links, decided);
  verdicts := b.verdicts;
  blockers := b.blockers;
  rounds := array(select case when o.open then 0 else -1 end from unnest(b.open) with ordinality o (open, n) order by o.n);
  spread := array_fill(false, array[cardinality(b.begins)]);
  queue := array(select v.n from unnest(verdicts) with ordinality v (verdict, n) where v.verdict <> '-' order by v.n);
  last := cardinality(queue);
  tail := last;
  for round in 1 .. cardinality(b.positions) loop
    exit when first > last;
    for i in first .. last loop
      n := queue[i];
      continue when verdicts[n] = 'c';
      for at in b.follows[n] .. b.follows[n + 1] - 1 loop
        m := b.followers[at];
        verdict := case
          when verdicts[n] in ('r', 'b') then 'b'
          when not b.follow_parent[at] then '-'
          when b.follow_self[at] then 'g'
          else 'p' end;
        if verdict <> '-' and (rounds[m] = 0 or rounds[m] = round and verdicts[m] = 'b') then
          if rounds[m] = 0 then
            tail := tail + 1;
            queue[tail] := m;
          end if;
          rounds[m] := round;
          verdicts[m] := verdict;
          blockers[m] := b.follow_ids[at];
        end if;
      end loop;
    end loop;
    -- A refusal that the server has a code for counts before one that waits for another.
    foreach verdict in array '{r,b}'::"char"[] loop
      for i in first .. last loop
        n := queue[i];
        continue when spread[b.groups[n]] or verdicts[n] = 'g' or (verdicts[n] = 'r') <> (verdict = 'r');
        spread[b.groups[n]] := true;
        for at in b.begins[b.groups[n]] .. b.begins[b.groups[n] + 1] - 1 loop
          m := b.members[at];
          if rounds[m] = 0 then
            tail := tail + 1;
            queue[tail] := m;
            rounds[m] := round;
            verdicts[m] := verdict;
            blockers[m] := case when verdicts[n] = 'b' then blockers[n] else b.ids[n] end;
          end if;
        end loop;
      end loop;
    end loop;
    first := last + 1;
    last := tail;
  end loop;
  return array(
    select row(x.position, case x.verdict
        when 'r' then convoy.rejection('group', null, 'Another change of the same action was refused.')
        when 'b' then jsonb_build_object('outcome', 'blocked', 'by', x.blocker)
        when 'g' then '{"outcome": "gone", "which": "record"}'
        else '{"outcome": "gone", "which": "parent"}'
      end, false)::convoy.decision
    from unnest(b.positions, verdicts, blockers, rounds) x (position, verdict, blocker, round)
    where x.round > 0);
end
$$;

create or replace function convoy.write_changes(changes convoy.change[]) returns void
language plpgsql set search_path = '' as $$
declare
  early convoy.change[] := '{}';
  deletions jsonb;
  step record;
begin
  if exists (select from unnest(changes) c where c.op = 'delete') then
    deletions := convoy.deletions_of(changes);
    early := convoy.early_deletes(changes);
    perform convoy.delete_rows('task_dependencies', early, deletions);
  end if;
  -- Parents first; updates of a table before the next one's inserts, which may rely on them. Deletes last,
  -- and leaves first: a row that is deleted by itself is no part of its parent's deletion (U23).
  for step in
    select t.name, c.op, follows.along from unnest(changes) c
    join convoy.synced_tables t on t.name = c.table_name
    -- A row that the device deleted along with another record counts as part of that record's deletion.
    cross join lateral (select c.op = 'delete' and c.payload ? 'along_with' as along) follows
    group by t.name, t.position, c.op, follows.along
    order by c.op = 'delete', follows.along, case when c.op = 'delete' then -t.position else t.position end, c.op
  loop
    case step.op
      when 'insert' then perform convoy.insert_rows(step.name, changes);
      when 'update' then perform convoy.update_rows(step.name, changes);
      else perform convoy.delete_rows(step.name, array(
        select c from unnest(changes) c
        where c.table_name = step.name and c.op = 'delete' and (c.payload ? 'along_with') = step.along), deletions);
    end case;
  end loop;
end
$$;

create or replace function convoy.find_culprit(changes convoy.change[]) returns convoy.decision
language plpgsql set search_path = '' as $$
declare
  ordered constant convoy.change[] := array(
    select x from unnest(changes) x join convoy.synced_tables t on t.name = x.table_name
    order by x.op = 'delete' and not (x.table_name = 'task_dependencies' and x.row_revision is not null),
      case when x.op = 'delete' and x.table_name = 'task_dependencies' then 0 else t.position end,
      x.op, x.position);
  low integer := 1;
  high integer := cardinality(ordered);
  middle integer;
  tried integer;
  state text;
  table_name text;
  constraint_name text;
  column_name text;
  message text;
begin
  begin
    while low < high loop
      middle := (low + high) / 2;
      begin
        perform convoy.write_changes(ordered[low : middle]);
        low := middle + 1;
      exception when others then
        if convoy.is_transient(sqlstate) then
          raise;
        end if;
        high := middle;
      end;
    end loop;
    tried := ordered[low].position;
    perform convoy.write_changes(array[ordered[low]]);
    -- Each change passes alone, and not with the others: the first one stands for the group.
    tried := changes[1].position;
    raise exception 'The changes do not go together.' using errcode = 'SN000';
  exception when others then
    get stacked diagnostics state = returned_sqlstate, table_name = table_name,
      constraint_name = constraint_name, column_name = column_name, message = message_text;
    if convoy.is_transient(state) then
      raise;
    end if;
  end;
  return row(tried, convoy.rejection_of(state, table_name, constraint_name, column_name, message), false)::convoy.decision;
end
$$;

create or replace function convoy.push_time() returns interval language sql immutable
  return interval '4 seconds';

create or replace function convoy.leave_untried(changes convoy.change[]) returns convoy.decision[]
language sql stable set search_path = '' as $$
  select array(
    select row(c.position, jsonb_build_object('outcome', 'blocked', 'by', c.id), false)::convoy.decision
    from unnest(changes) c)
$$;

create or replace function convoy.write_halves(
  changes convoy.change[], links convoy.link[], ordered bigint[], any_tried boolean, ends_at timestamptz
) returns convoy.decision[]
language plpgsql set search_path = '' as $$
declare
  failed boolean := false;
  state text;
  table_name text;
  constraint_name text;
  column_name text;
  message text;
  half bigint[];
  part convoy.change[];
  refused convoy.decision[];
begin
  if cardinality(changes) = 0 then
    return '{}';
  end if;
  if any_tried and clock_timestamp() > ends_at then
    return convoy.leave_untried(changes);
  end if;
  begin
    perform convoy.write_changes(changes);
  exception when others then
    get stacked diagnostics state = returned_sqlstate, table_name = table_name,
      constraint_name = constraint_name, column_name = column_name, message = message_text;
    if convoy.is_transient(state) then
      raise;
    end if;
    failed := true;
  end;
  if not failed then
    return '{}';
  end if;
  if cardinality(changes) = 1 then
    return array[row(
      changes[1].position,
      convoy.rejection_of(state, table_name, constraint_name, column_name, message), false)::convoy.decision];
  end if;

  if ordered is null then
    select o.ordered into ordered from convoy.order_groups(changes, links) o;
  end if;
  if cardinality(ordered) = 1 then
    refused := array[convoy.find_culprit(changes)];
    return refused || convoy.spread_refusals(convoy.still_open(changes, refused), changes, links, refused);
  end if;
  half := ordered[: cardinality(ordered) / 2];
  part := convoy.changes_of(changes, half);
  refused := convoy.write_halves(part, convoy.links_of(links, part), half, any_tried, ends_at);
  half := ordered[cardinality(ordered) / 2 + 1 :];
  part := convoy.changes_of(changes, half);
  links := convoy.links_of(links, part);
  if cardinality(refused) > 0 and cardinality(links) > 0 then
    refused := refused || convoy.spread_refusals(part, part, links, refused);
    part := convoy.still_open(part, refused);
    links := convoy.links_of(links, part);
    half := convoy.groups_of(half, part);
  end if;
  return refused || convoy.write_halves(part, links, half, true, ends_at);
end
$$;

create or replace function convoy.takes_along(table_name text, op text) returns boolean language sql immutable
  return op = 'delete' and table_name not in ('task_dependencies', 'workspace_members') or table_name = 'deletions';

create or replace function convoy.climb_tasks(ids uuid[], out tasks uuid[], out parents uuid[])
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

create or replace function convoy.nested_deletions(deletions uuid[], out below uuid[], out above uuid[])
language plpgsql stable set search_path = '' as $$
declare
  t record;
  found record;
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
      t.table_name, t.refers_to, t.name) into found using deletions;
    below := below || found.below;
    above := above || found.above;
  end loop;
end
$$;

create or replace function convoy.rank_ids(before uuid[], after uuid[]) returns convoy.ranked_id[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  graph record;
begin
  if cardinality(before) = 0 then
    return '{}';
  end if;
  select * into graph from convoy.number_nodes(before, after);
  return array(
    select row(graph.nodes[s.node], s.rank)::convoy.ranked_id
    from unnest(convoy.sort_nodes(cardinality(graph.nodes), graph.sources, graph.targets)) with ordinality s (node, rank));
end
$$;

create or replace function convoy.rank_changes(changes convoy.change[]) returns convoy.ranked_id[]
language plpgsql stable set search_path = '' as $$
declare
  deleted constant uuid[] := array(
    select c.id from unnest(changes) c where c.table_name = 'tasks' and c.op = 'delete');
  restored constant uuid[] := array(select c.id from unnest(changes) c where c.table_name = 'deletions');
  ranks convoy.ranked_id[] := '{}';
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

create or replace function convoy.order_groups(
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

create or replace function convoy.chunk_records() returns integer language sql immutable
  return 2000;

create or replace function convoy.count_records(changes convoy.change[], most integer) returns integer
language plpgsql stable set search_path = '' as $$
declare
  records integer := cardinality(changes);
  restored constant uuid[] := array(select c.id from unnest(changes) c where c.table_name = 'deletions');
  frontier convoy.descendant[] := array(
    select row(c.position, c.table_name, c.id, null)::convoy.descendant
    from unnest(changes) c where c.op = 'delete' and convoy.takes_along(c.table_name, c.op));
  next_frontier convoy.descendant[];
  found_rows convoy.descendant[];
  found_count integer;
  child record;
begin
  while cardinality(frontier) > 0 and records <= most loop
    next_frontier := '{}';
    for child in
      select m.table_name, m.name, m.refers_to from convoy.synced_columns m
      where m.is_parent and m.refers_to in (select f.table_name from unnest(frontier) f)
      union all
      select t.name, 'workspace_id', 'workspaces' from convoy.synced_tables t
      where t.name not in ('workspaces', 'workspace_members', 'deletions')
        and 'workspaces' in (select f.table_name from unnest(frontier) f)
    loop
      execute format(
        'select array(
           select row(f.root, %1$L, t.id, null)::convoy.descendant
             from unnest($1) f join public.%2$I t on t.%3$I = f.id
            where f.table_name = %4$L and t.deleted_at is null limit $2)',
        child.table_name, child.table_name, child.name, child.refers_to)
        into found_rows using frontier, most;
      next_frontier := next_frontier || found_rows;
    end loop;
    records := records + cardinality(next_frontier);
    frontier := next_frontier;
  end loop;
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

create or replace function convoy.write_groups(
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

revoke all on function convoy.changes_of(convoy.change[],bigint[]) from public, anon, authenticated, service_role;
revoke all on function convoy.groups_of(bigint[],convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.batch_of(convoy.change[],convoy.change[],convoy.link[],convoy.decision[]) from public, anon, authenticated, service_role;
revoke all on function convoy.links_of(convoy.link[],convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.push_time() from public, anon, authenticated, service_role;
revoke all on function convoy.leave_untried(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.write_halves(convoy.change[],convoy.link[],bigint[],boolean,timestamp with time zone) from public, anon, authenticated, service_role;
revoke all on function convoy.takes_along(text,text) from public, anon, authenticated, service_role;
revoke all on function convoy.climb_tasks(uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.nested_deletions(uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.rank_ids(uuid[],uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.rank_changes(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.order_groups(convoy.change[],convoy.link[]) from public, anon, authenticated, service_role;
revoke all on function convoy.chunk_records() from public, anon, authenticated, service_role;
revoke all on function convoy.count_records(convoy.change[],integer) from public, anon, authenticated, service_role;
