-- A small push took ten milliseconds, nearly all of it under its workspace's clock lock, and most of that for planning:
-- statements on the tables that it writes were executed as text, and plans for arrays were made anew each time. Now the
-- statements are written from the columns of the tables, and a small push keeps its plans.

drop function convoy.look_up(convoy.change[]);
drop function convoy.with_known(convoy.change[],convoy.known_row[]);
drop function convoy.judge_parents(convoy.change[],convoy.link[],convoy.parent_row[]);
drop function convoy.conclude(convoy.change[],convoy.change[]);
drop function convoy.rows_at(text,uuid[],bigint[]);
drop function convoy.pick_effects(convoy.change[],convoy.decision[],uuid[],bigint[]);
drop function convoy.told_rows(convoy.change[],convoy.decision[]);
drop function convoy.plain_rows(convoy.change[],convoy.decision[]);
drop function convoy.decide(convoy.change[],convoy.cursor_position[],uuid[]);
drop function convoy.lock_clocks(convoy.change[]);
drop function convoy.kept_answer(bigint,convoy.change[],convoy.decision[]);
drop type convoy.known_row;
drop type convoy.parent_row;
create type convoy.found_row as (
  table_name text, id uuid, workspace_id uuid, revision bigint, deleted boolean, field_revisions jsonb
);
create type convoy.written_row as (table_name text, id uuid, deleted boolean);

create or replace function convoy.check_parent_cycle() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off
set jit = off
as $$
begin
  -- Most statements place no task under another.
  if not exists (
    select from new_rows n
    where n.parent_task_id is not null
      and (tg_op = 'INSERT' or (n.field_revisions -> 'parent_task_id' ->> 0)::bigint = n.revision))
  then
    return null;
  end if;
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

create or replace function convoy.build_pages() returns void
language plpgsql set search_path = '' as $outer$
declare
  t record;
  keys text := '';
  counts text := '';
  pages text := '';
begin
  for t in
    select s.name, s.sent,
      -- Long text stored out of line tells its size without being read; JSON does not.
      (select string_agg(case a.atttypid
          when 'text'::regtype then format('coalesce(octet_length(t.%I), 0)', a.attname)
          else format('coalesce(case when pg_column_size(t.%1$I) < 500 then pg_column_size(t.%1$I) else octet_length(t.%1$I::text) end, 0)', a.attname)
        end, ' + ')
        from pg_catalog.pg_attribute a
        where a.attrelid = format('public.%I', s.name)::regclass and a.attname = any (s.sent)
          and a.atttypid in ('text'::regtype, 'jsonb'::regtype)) as bytes
    from convoy.synced_tables s order by s.position
  loop
    -- One array for each column is half the size of objects, and built and read in half the time.
    execute format($function$
      create or replace function convoy.%3$I(
        ranges convoy.page_range[], ids uuid[], out rows json, out deleted json
      ) language plpgsql stable set search_path = '' as $body$
      begin
        select case when count(*) filter (where t.deleted_at is null) > 0 then json_build_object(%2$s) end,
            to_json(array_agg(t.id) filter (where t.deleted_at is not null))
          into rows, deleted
          from (
            select t.* from unnest(ranges) r
            cross join lateral (
              select * from public.%1$I t
              where t.workspace_id = r.scope
                and (t.revision, t.id) > (r.from_revision, r.from_id)
                and (t.revision, t.id) <= (r.to_revision, r.to_id)
                and t.revision <> all (r.skip)
                and (r.tables is null or %1$L = any (r.tables))
            ) t
            union all
            select t.* from unnest(ids) i (id) join public.%1$I t on t.id = i.id
          ) t;
      end
      $body$
    $function$, t.name, convoy.pick_columns(t.sent, 't.deleted_at is null'), 'page_' || t.name);
    execute format('revoke execute on function convoy.%I(convoy.page_range[], uuid[]) from public', 'page_' || t.name);

    keys := keys || case when keys = '' then '' else ' union all ' end || format($query$
      (select t.revision, t.id, %s as bytes
        from public.%I t
        where t.workspace_id = $1 and (t.revision, t.id) > ($2, $3) and t.revision <= $4 and t.revision <> all ($5)
          and ($8 is null or %L = any ($8))
        order by t.revision, t.id limit least($6, $7 / 300 + 1) + 1)$query$, '300 + ' || coalesce(t.bytes, '0'), t.name, t.name);
    counts := counts || case when counts = '' then '' else ' + ' end || format($query$
      (select count(*) from public.%I t
        where t.workspace_id = $1 and (t.revision, t.id) > ($2, $3) and t.revision <= $4 and t.revision <> all ($5)
          and ($6 is null or %L = any ($6)))$query$,
      t.name, t.name);
    pages := pages || format($code$
        if cardinality(ranges) > 0 or %2$L = any (picked) then
          select p.rows, p.deleted into part
            from convoy.%1$I(ranges, array(select i.id from unnest(picks) i where i.table_name = %2$L)) p;
          if part.rows is not null then
            row_tables := row_tables || %2$L::text;
            row_parts := row_parts || part.rows;
          end if;
          if part.deleted is not null then
            deleted_tables := deleted_tables || %2$L::text;
            deleted_parts := deleted_parts || part.deleted;
          end if;
        end if;$code$, 'page_' || t.name, t.name);
  end loop;

  -- The last row that fits. Two tables may hold the same id: a page takes all rows at its end, and
  -- is complete only if nothing lies behind it.
  execute format($function$
    create or replace function convoy.find_page_end(
      scope uuid, from_revision bigint, from_id uuid, target bigint, skip bigint[], max_rows bigint, max_bytes bigint,
      tables text[]
    ) returns convoy.page_end
    language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    declare
      result convoy.page_end;
    begin
      with keys as materialized (
        -- No row counts for less than 300 bytes.
        select * from (%s) k order by revision, id limit least($6, $7 / 300 + 1) + 1
      ), counted as (
        select revision, id,
          row_number() over (order by revision, id) as n,
          sum(bytes) over (order by revision, id rows unbounded preceding) as total
        from keys
      ), fitting as (
        select * from counted c where c.n = 1 or (c.n <= $6 and c.total <= $7)
      )
      select f.revision, f.id, f.n, f.total,
        (select count(*) from keys) <= least($6, $7 / 300 + 1)
          and not exists (select from keys k where (k.revision, k.id) > (f.revision, f.id))
      into result
      from fitting f order by f.n desc limit 1;
      return result;
    end
    $body$
  $function$, keys);
  revoke execute on function convoy.find_page_end(uuid, bigint, uuid, bigint, bigint[], bigint, bigint, text[]) from public;

  execute format($function$
    create or replace function convoy.count_rows(
      scope uuid, from_revision bigint, from_id uuid, target bigint, skip bigint[], tables text[]
    ) returns bigint
    language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    begin
      return %s;
    end
    $body$
  $function$, counts);
  revoke execute on function convoy.count_rows(uuid, bigint, uuid, bigint, bigint[], text[]) from public;

  -- The rows of the ranges and the picked ones, as the wire has them (Page in protocol.ts).
  execute format($function$
    create or replace function convoy.read_page(
      ranges convoy.page_range[], picks convoy.pick[], out rows json, out deleted json
    ) language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    declare
      part record;
      row_tables text[] := '{}';
      row_parts json[] := '{}';
      deleted_tables text[] := '{}';
      deleted_parts json[] := '{}';
      -- The effects of a push are of few tables.
      picked constant text[] := array(select distinct i.table_name from unnest(picks) i);
    begin
      if cardinality(ranges) > 0 or cardinality(picks) > 0 then
        %s
      end if;
      rows := '{}';
      deleted := '{}';
      if cardinality(row_tables) > 0 then
        select json_object_agg(x.name, x.part) into rows from unnest(row_tables, row_parts) x (name, part);
      end if;
      if cardinality(deleted_tables) > 0 then
        select json_object_agg(x.name, x.part) into deleted from unnest(deleted_tables, deleted_parts) x (name, part);
      end if;
    end
    $body$
  $function$, pages);
  revoke execute on function convoy.read_page(convoy.page_range[], convoy.pick[]) from public;
end
$outer$;

create or replace function convoy.parse_changes(changes jsonb) returns convoy.change[]
language plpgsql stable set search_path = '' as $$
begin
  return (select coalesce(array_agg(row(
    e.n,
    t.name,
    e.op,
    case when e.sound_id then e.id::uuid end,
    case when e.sound_workspace then e.workspace_id::uuid end,
    e.base,
    -- A change that names no group is one of its own.
    coalesce(e.group_no, -e.n),
    case when jsonb_typeof(e.payload) = 'object'
      then (e.payload - t.ignored) || coalesce(i.spelled, '{}') else '{}' end,
    case when jsonb_typeof(e.edited_at) = 'object' then e.edited_at else '{}' end,
    case
      when jsonb_typeof(e.c) <> 'object' then convoy.rejection('malformed', null, 'A change is an object.')
      when jsonb_typeof(e.c -> 'table') is distinct from 'string'
        then convoy.rejection('malformed', null, 'A change names its table.')
      when t.name is null
        then convoy.rejection('unknown_table', null, 'There is no table ' || quote_ident(e.table_name) || '.')
      when e.op is null or e.op not in ('insert', 'update', 'delete')
        then convoy.rejection('malformed', null, 'A change is an insert, an update or a delete.')
      when not e.sound_id
        then convoy.rejection('malformed', 'id', 'The id must be a UUID.')
      when not e.sound_workspace
        then convoy.rejection('malformed', 'workspace_id', 'The workspace must be a UUID.')
      when e.group_no is null
        then convoy.rejection('malformed', null, 'A change names its group by a number.')
      when e.base is null and coalesce(e.c -> 'base', 'null') <> 'null'
        then convoy.rejection('malformed', null, 'The base must be a revision or null.')
      when coalesce(jsonb_typeof(e.payload), 'absent')
          not in ('object', case when e.op = 'delete' then 'absent' else 'object' end)
        then convoy.rejection('malformed', null, 'The values must be an object.')
      when coalesce(jsonb_typeof(e.edited_at), 'object') <> 'object'
        then convoy.rejection('malformed', null, 'The edit times must be an object.')
      when t.name = 'workspaces' and e.id <> e.workspace_id
        then convoy.rejection('malformed', 'workspace_id', 'A workspace is its own scope.')
      when e.op <> 'delete' and e.payload - t.pushable - t.ignored <> '{}'
        then (select convoy.rejection('unknown_column', k, 'Clients do not write the column ' || quote_ident(k) || '.')
          from jsonb_object_keys(e.payload - t.pushable - t.ignored) k order by k limit 1)
      when i.unsound is not null then convoy.rejection('invalid_value', i.unsound, 'The value must be a UUID.')
      when f.column_name is not null then convoy.rejection('invalid_value', f.column_name, f.message)
    end,
    e.nth,
    null, null, null, null, null
  )::convoy.change order by e.n), '{}')
  from (
    -- Each part is read out of the JSON once.
    select s.*,
      coalesce(convoy.is_uuid(s.id), false) as sound_id,
      coalesce(convoy.is_uuid(s.workspace_id), false) as sound_workspace,
      row_number() over (partition by s.id, s.table_name, s.op order by s.n) as nth
    from (
      select e.n, e.c, e.c ->> 'table' as table_name, e.c ->> 'op' as op, lower(e.c ->> 'id') collate "C" as id,
        lower(e.c ->> 'workspace_id') as workspace_id, convoy.to_count(e.c -> 'base') as base,
        convoy.to_count(e.c -> 'group') as group_no, e.c -> 'values' as payload, e.c -> 'edited_at' as edited_at
      from jsonb_array_elements(changes) with ordinality e (c, n)
      offset 0
    ) s
    offset 0
  ) e
  left join convoy.synced_tables t on t.name = e.table_name
  -- PostgreSQL takes a UUID in several spellings; an id in a second one would match nothing it is compared with.
  left join lateral (
    select jsonb_object_agg(k, lower(e.payload ->> k)) as spelled,
      min(k) filter (where not convoy.is_uuid(e.payload ->> k)) as unsound
    from unnest(t.ids) k
    where e.payload ?| t.ids and e.payload ->> k !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
  ) i on true
  left join lateral convoy.json_fault(e.payload) f on e.op <> 'delete');
end
$$;

create or replace function convoy.kinds_of(changes convoy.change[]) returns text[]
language plpgsql stable set search_path = '' as $$
begin
  return array(
    select distinct k
    from unnest(changes) c
    cross join lateral unnest(array[
      c.op, c.table_name, c.op || ' ' || c.table_name, case when c.nth > 1 then 'again' end]) k
    where k is not null);
end
$$;

create or replace function convoy.find_known(changes convoy.change[]) returns convoy.found_row[]
language plpgsql stable set search_path = '' as $$
declare
  wanted record;
  known convoy.found_row[] := '{}';
begin
  for wanted in
    select c.table_name, array_agg(c.id) as ids from unnest(changes) c where c.problem is null group by c.table_name
  loop
    known := known || convoy.find_rows(wanted.table_name, wanted.ids);
  end loop;
  return known;
end
$$;

create or replace function convoy.with_known(changes convoy.change[], known convoy.found_row[]) returns convoy.change[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  -- Most pushes of new records find none.
  if cardinality(known) = 0 then
    return changes;
  end if;
  return (
    select coalesce(array_agg(row(
      c.position, c.table_name, c.op, c.id, c.workspace_id, c.base, c.group_no, c.payload, c.edited_at,
      c.problem, c.nth, k.workspace_id, k.revision, k.deleted, k.field_revisions, c.conflicts
    )::convoy.change order by c.position), '{}')
    from unnest(changes) c
    left join unnest(known) k
      on k.table_name = c.table_name and k.id = c.id and (c.op = 'insert' or k.workspace_id = c.workspace_id));
end
$$;

create or replace function convoy.to_time(value text) returns timestamptz language sql stable
  return case
    when value ~ '^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+]00:00)$'
      then value::timestamptz
    when value is not null then convoy.try_time(value) end;

create or replace function convoy.decide_parents(changes convoy.change[], links convoy.link[]) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
declare
  wanted record;
  parents convoy.found_row[] := '{}';
begin
  for wanted in
    select l.parent_table, array_agg(distinct l.parent_id) as ids
    from unnest(links) l where l.provider is null and l.is_parent group by l.parent_table
  loop
    parents := parents || convoy.find_rows(wanted.parent_table, wanted.ids);
  end loop;
  return convoy.judge_parents(changes, links, parents);
end
$$;

create or replace function convoy.judge_parents(changes convoy.change[], links convoy.link[], parents convoy.found_row[])
returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select distinct on (c.position) row(c.position, case
        when p.deleted and p.workspace_id = c.workspace_id then '{"outcome": "gone", "which": "parent"}'
        else convoy.rejection('missing_parent', l.column_name, 'The record this one belongs to does not exist.')
      end, false)::convoy.decision
    from unnest(changes) c
    join unnest(links) l on l.position = c.position and l.provider is null and l.is_parent
    left join unnest(parents) p on p.table_name = l.parent_table and p.id = l.parent_id
    where p.id is null or p.workspace_id <> c.workspace_id or p.deleted
    order by c.position, coalesce(p.deleted and p.workspace_id = c.workspace_id, false) desc, l.column_name);
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
  if cardinality(changes) = 0 or cardinality(decided) = 0 then
    return '{}';
  end if;
  if not exists (
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

create or replace function convoy.update_rows(target text, changes convoy.change[]) returns void
language plpgsql set search_path = '' as $$
declare
  rounds constant bigint := (
    select max(c.nth) from unnest(changes) c where c.table_name = target and c.op = 'update' and c.payload <> '{}');
begin
  for round in 1 .. coalesce(rounds, 0) loop
    perform convoy.update_round(target, changes, round);
  end loop;
end
$$;

create or replace function convoy.conclude(before convoy.change[], after convoy.found_row[]) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select row(b.position, case
        -- The twin of a duplicate may have been deleted by the same push.
        when b.op = 'insert' and a.revision is null
          then coalesce(
            (select jsonb_build_object('outcome', 'duplicate', 'of', twin) from convoy.find_twin(b) twin
              where twin is not null),
            '{"outcome": "gone", "which": "record"}')
        when b.conflicts is not null
          then convoy.conflict_with(b, a.revision, b.conflicts)
        when b.op = 'update' and b.base is not null and b.row_revision > b.base
          then jsonb_build_object('outcome', 'merged', 'revision', a.revision)
        else jsonb_build_object('outcome', 'applied', 'revision', a.revision)
      end, case b.op
        when 'insert' then a.revision is null
          -- The server fills in defaults, and dates rows that claim a later time.
          or not b.payload ?& t.defaulted
          -- The feed takes no device id.
          or b.table_name = 'activity_feed' and b.payload -> 'details' ? 'device_id'
          or coalesce(convoy.to_time(b.edited_at ->> 'created_at') > now(), true)
        when 'update' then b.conflicts is not null or b.base is null or b.row_revision > b.base
          -- The server dates a restore, and its triggers move subtasks along.
          or b.table_name = 'deletions' or b.table_name = 'tasks' and b.payload ? 'milestone_id'
        else false
      end)::convoy.decision
    from unnest(before) b
    left join unnest(after) a
      on a.table_name = b.table_name and a.id = b.id and (b.op = 'insert' or a.workspace_id = b.workspace_id)
    join convoy.synced_tables t on t.name = b.table_name);
end
$$;

create or replace function convoy.pick_effects(
  changes convoy.change[], kinds text[], decided convoy.decision[], scopes uuid[], revisions bigint[]
) returns convoy.pick[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  -- A delete cascades anywhere, and so does undoing one; other changes stay in their table, but for the creator's
  -- membership.
  written constant convoy.written_row[] := convoy.written_rows(
    case
      when 'delete' = any (kinds) or 'deletions' = any (kinds) then null
      when 'workspaces' = any (kinds) then kinds || 'workspace_members'::text
      else kinds end,
    scopes, revisions);
  result convoy.pick[];
begin
  result := array(
    with concluded as materialized (
      select c.table_name, c.id, c.op, d.tell, d.outcome
      from unnest(changes) c join unnest(decided) d on d.position = c.position
    )
    select row(e.table_name, e.id)::convoy.pick
    from (
      select t.table_name, coalesce((t.outcome ->> 'of')::uuid, t.id) as id from concluded t where t.tell
      union
      select u.table_name, u.id
      from (
        select w.table_name, w.id, w.deleted from unnest(written) w
        except
        select p.table_name, p.id, p.op = 'delete' from concluded p
          where not p.tell and p.outcome ->> 'outcome' = 'applied'
      ) u
    ) e);
  if not 'update tasks' = any (kinds) then
    return result;
  end if;
  return array(
    select distinct p from unnest(result || convoy.pick_moved(changes, scopes, revisions)) p);
end
$$;

create or replace function convoy.pick_moved(changes convoy.change[], scopes uuid[], revisions bigint[]) returns convoy.pick[]
language plpgsql stable set search_path = '' as $$
begin
  if not exists (select from unnest(changes) c where c.table_name = 'tasks' and c.op = 'update' and c.payload ? 'milestone_id')
  then
    return '{}';
  end if;
  return array(
    select row('tasks', t.id)::convoy.pick
    from unnest(scopes, revisions) s (scope, revision)
    join unnest(changes) c on c.workspace_id = s.scope and c.table_name = 'tasks' and c.op <> 'delete'
    join public.tasks t on t.id = c.id and t.workspace_id = s.scope and t.revision = s.revision
    where t.deleted_at is null and (t.field_revisions -> 'milestone_id' ->> 0)::bigint = s.revision
      and t.milestone_id::text is distinct from c.payload ->> 'milestone_id');
end
$$;

create or replace function convoy.decide(
  inout changes convoy.change[], inout links convoy.link[], kinds text[], cursors convoy.cursor_position[], locked uuid[],
  out decided convoy.decision[]
) language plpgsql set search_path = '' as $$
declare
  all_changes constant convoy.change[] := changes;
  tells constant boolean := 'insert activity_feed' = any (kinds);
  memberships jsonb;
  roles jsonb;
  known convoy.found_row[];
  stage convoy.decision[];
  clashes convoy.clash[];
begin
  select coalesce(jsonb_object_agg(m.workspace_id, m.role), '{}') into memberships
    from public.workspace_members m
    where m.user_id = auth.uid() and m.deleted_at is null and m.workspace_id = any (locked);
  roles := memberships;
  if 'insert workspaces' = any (kinds) then
    -- The creator of a workspace owns it. A workspace that exists already gives no role.
    select coalesce(jsonb_object_agg(c.id, case when w.id is null then 'owner' end), '{}') || memberships into roles
      from unnest(changes) c left join public.workspaces w on w.id = c.id
      where c.table_name = 'workspaces' and c.op = 'insert' and c.id is not null;
  end if;

  decided := array(
    select row(c.position, c.problem, false)::convoy.decision from unnest(changes) c where c.problem is not null);
  changes := convoy.still_open(changes, decided);

  stage := convoy.decide_permission(changes, roles);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  if tells then
    stage := convoy.decide_activities(changes, all_changes);
    decided := decided || stage;
    changes := convoy.still_open(changes, stage);
  end if;
  known := convoy.find_known(changes);
  changes := convoy.with_known(changes, known);

  if cardinality(known) > 0 or kinds && '{update, delete, again}' then
    stage := convoy.decide_existing(changes, memberships);
    decided := decided || stage;
    changes := convoy.still_open(changes, stage);
    if tells then
      stage := convoy.decide_idle_activities(changes, all_changes, stage);
      decided := decided || stage;
      changes := convoy.still_open(changes, stage);
    end if;
  end if;

  stage := convoy.decide_parents(changes, links);
  links := array(select l from unnest(links) l where l.provider is not null);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  if 'update' = any (kinds) then
    clashes := convoy.find_clashes(changes);
    if cardinality(clashes) > 0 then
      changes := convoy.without_clashes(changes, clashes);
      stage := convoy.decide_lost_updates(changes);
      decided := decided || stage;
      changes := convoy.still_open(changes, stage);
      stage := convoy.decide_split_moves(changes);
      decided := decided || stage;
      changes := convoy.still_open(changes, stage);
    end if;
  end if;
  if 'delete' = any (kinds) then
    stage := convoy.decide_deletes(changes, cursors);
    decided := decided || stage;
    changes := convoy.still_open(changes, stage);
  end if;

  stage := convoy.spread_refusals(changes, all_changes, links, decided);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  if tells then
    stage := convoy.decide_lost_moves(changes);
    decided := decided || stage;
    changes := convoy.still_open(changes, stage);
  end if;
end
$$;

create or replace function convoy.lock_clocks(changes convoy.change[], kinds text[]) returns uuid[]
language plpgsql volatile set search_path = '' as $$
begin
  if 'insert workspaces' = any (kinds) then
    -- A workspace that is to be created has no clock yet. One of 256 locks stands for it, so that no batch fills
    -- the server's table of locks.
    perform pg_advisory_xact_lock('public.workspaces'::regclass::oid::integer, w.slot)
      from (
        select distinct uuid_hash(c.id) & 255 as slot from unnest(changes) c
        where c.table_name = 'workspaces' and c.op = 'insert' and c.id is not null order by slot
      ) w;
  end if;
  return array(
    select s.scope_id from convoy.scope_clocks s
    where s.scope_id in (
      select c.workspace_id from unnest(changes) c
      intersect
      select m.workspace_id from public.workspace_members m where m.user_id = auth.uid() and m.deleted_at is null)
    order by s.scope_id for update);
end
$$;

create or replace function public.sync_push(request jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = ''
set timezone = 'UTC'
set statement_timeout = '8s'
set lock_timeout = '5s'
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  reply jsonb := convoy.refuse_push(request);
  batch_no bigint;
  batch_key uuid;
  device uuid;
  digest bytea;
  settles boolean;
  cursors convoy.cursor_position[];
  changes convoy.change[];
  kinds text[];
  todo convoy.change[];
  links convoy.link[];
  decided convoy.decision[];
  refused convoy.decision[];
  locked uuid[];
begin
  if reply is not null then
    return reply;
  end if;
  begin
    cursors := convoy.read_cursors(request -> 'cursors', request -> 'skip');
  exception when sqlstate 'SN009' then
    return convoy.failure('malformed', sqlerrm);
  end;
  batch_no := convoy.to_count(request -> 'batch');
  batch_key := (request ->> 'key')::uuid;
  settles := coalesce(request -> 'settle' = 'true', false);
  device := (request ->> 'device_id')::uuid;
  digest := sha256(convert_to((request -> 'changes')::text, 'UTF8'));
  reply := convoy.answer_known_batch(device, batch_no, batch_key, digest, settles);
  if reply is not null then
    return reply;
  end if;
  if not convoy.knows_cursors(cursors) then
    -- A device id is its user's once a batch of it was applied; a refused request takes none.
    delete from convoy.devices d where d.device_id = device and d.batch = 0;
    return convoy.failure('history_changed');
  end if;
  if settles then
    -- The number is void from now on: a late copy of its batch is answered with device_conflict.
    update convoy.devices d
      set user_id = auth.uid(), batch = batch_no, key = batch_key, hash = null, answer = null, updated_at = now()
      where d.device_id = device;
    return convoy.void_answer(batch_no);
  end if;

  changes := convoy.parse_changes(request -> 'changes');
  -- A small push keeps its plans: the planner would make them anew for each, since it knows how many elements an array
  -- has and takes it for more in a plan that is kept. What takes rows along is planned for what it is.
  kinds := convoy.kinds_of(changes);
  if not convoy.is_small(changes) or kinds && '{delete, deletions}' then
    perform set_config('plan_cache_mode', 'auto', true);
  end if;
  links := convoy.find_links(changes);
  -- All that follows happens under the locks, so what does not need them comes before.
  locked := convoy.lock_clocks(changes, kinds);
  select d.changes, d.links, d.decided into todo, links, decided
    from convoy.decide(changes, links, kinds, cursors, locked) d;
  refused := convoy.write_groups(todo, links, '{}', null);
  todo := convoy.still_open(todo, refused);
  decided := decided || refused || convoy.conclude(todo, convoy.find_known(todo));
  reply := convoy.kept_answer(batch_no, changes, kinds, decided);
  if reply -> 'outcomes' @> '[{"outcome": "conflict"}]' then
    perform convoy.record_conflicts(changes, decided);
  end if;
  update convoy.devices d
    set user_id = auth.uid(), batch = batch_no, key = batch_key, hash = digest, answer = reply, updated_at = now()
    where d.device_id = device;
  return convoy.spell_answer(reply);
end
$$;

create or replace function convoy.answer_known_batch(
  device uuid, batch_no bigint, batch_key uuid, digest bytea, settles boolean
) returns jsonb
language plpgsql set search_path = '' as $$
declare
  known convoy.devices;
begin
  select * into known from convoy.devices d where d.device_id = device for update;
  if not found then
    insert into convoy.devices (device_id, user_id) values (device, auth.uid()) on conflict do nothing;
    select * into known from convoy.devices d where d.device_id = device for update;
  end if;
  if known.user_id is not null and known.user_id <> auth.uid() then
    return convoy.failure('device_conflict');
  end if;
  if batch_no > known.batch then
    return null;
  end if;
  if batch_no < known.batch
    or settles and known.key is distinct from batch_key
    or not settles and known.hash is distinct from digest
  then
    return convoy.failure('device_conflict');
  end if;
  if known.answer is null then
    return convoy.void_answer(batch_no);
  end if;
  -- A backup was put back since: the kept answer is of another history (U22).
  if exists (
    select from jsonb_each(known.answer -> 'revisions') r
    where not convoy.is_in_history(r.key::uuid, (r.value ->> 'revision')::bigint, r.value ->> 'tag'))
  then
    return convoy.failure('history_changed');
  end if;
  -- U41: the user has lost access to a scope since. Without revisions to skip, the next pull brings the rows that
  -- the user may still see.
  if exists (
    select from jsonb_array_elements_text(known.answer -> 'scopes') s
    where s not in (select v::text from convoy.visible_scopes() v))
  then
    return convoy.spell_answer(known.answer || '{"told": {}, "revisions": {}}');
  end if;
  return convoy.spell_answer(known.answer);
end
$$;

create or replace function convoy.spell_answer(kept jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  page record;
begin
  if kept -> 'told' = '{}' then
    return kept - 'told' - 'scopes' || '{"effects": {"rows": {}, "deleted": {}}}';
  end if;
  select p.rows, p.deleted into page
    from convoy.read_page('{}', array(
      select row(t.key, i::uuid)::convoy.pick
      from jsonb_each(kept -> 'told') t cross join lateral jsonb_array_elements_text(t.value) i)) p;
  return kept - 'told' - 'scopes'
    || jsonb_build_object('effects', jsonb_build_object('rows', page.rows, 'deleted', page.deleted));
end
$$;

create or replace function convoy.kept_answer(
  batch_no bigint, changes convoy.change[], kinds text[], decided convoy.decision[]
) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  scopes uuid[];
  revisions bigint[];
  made jsonb;
begin
  select coalesce(array_agg(s.scope_id), '{}'), coalesce(array_agg(s.revision), '{}'),
      coalesce(jsonb_object_agg(s.scope_id, jsonb_build_object('revision', s.revision, 'tag', s.tag)), '{}')
    into scopes, revisions, made
    from convoy.scope_clocks s
    where s.scope_id in (select c.workspace_id from unnest(changes) c)
      and s.bumped_in = pg_current_xact_id() and s.bumped_at = now();
  return jsonb_build_object(
    'user_id', auth.uid(),
    'batch', batch_no,
    'server_time', now(),
    'outcomes', (select coalesce(jsonb_agg(d.outcome order by d.position), '[]') from unnest(decided) d),
    'told', (
      select coalesce(jsonb_object_agg(t.table_name, t.ids), '{}')
      from (
        select p.table_name, jsonb_agg(p.id) as ids
        from unnest(convoy.pick_effects(changes, kinds, decided, scopes, revisions)) p group by p.table_name
      ) t),
    'scopes', (select coalesce(jsonb_agg(distinct c.workspace_id), '[]') from unnest(changes) c where c.workspace_id is not null),
    'revisions', made);
end
$$;

create or replace function convoy.is_small(changes convoy.change[]) returns boolean language sql immutable
  return cardinality(changes) <= 100;

create or replace function convoy.build_pushes() returns void
language plpgsql set search_path = '' as $outer$
declare
  t record;
  -- The text of a statement that inserts or updates, with :changes and :round for its parameters.
  statement text;
  finds text := '';
  stamped text := '';
  inserts text := '';
  updates text := '';
begin
  for t in select s.name, s.pushable, s.defaults from convoy.synced_tables s order by s.position loop
    finds := finds || format($code$
        when %1$L then
          return array(
            select row(%1$L, t.id, t.workspace_id, t.revision, t.deleted_at is not null, t.field_revisions)::convoy.found_row
            from public.%1$I t where t.id = any (ids));$code$, t.name);

    stamped := stamped || format($code$
      if tables is null or %1$L = any (tables) then
        written := written || array(
          select row(%1$L, t.id, t.deleted_at is not null)::convoy.written_row
          from unnest(scopes, revisions) s (scope, revision)
          join public.%1$I t on t.workspace_id = s.scope
            and (t.revision, t.id) >= (s.revision, '00000000-0000-0000-0000-000000000000')
            and (t.revision, t.id) <= (s.revision, 'ffffffff-ffff-ffff-ffff-ffffffffffff'));
      end if;$code$, t.name);

    statement := format($query$
            insert into public.%1$I (id, workspace_id, created_at, %2$s)
              select c.id, c.workspace_id, convoy.to_time(c.edited_at ->> 'created_at'), %3$s
              from unnest(:changes) c
              cross join lateral jsonb_populate_record(null::public.%1$I, %4$L::jsonb || c.payload) r
              where c.table_name = %1$L and c.op = 'insert' order by c.position
              %5$s$query$,
      t.name,
      (select string_agg(quote_ident(p), ', ') from unnest(t.pushable) p),
      (select string_agg('r.' || quote_ident(p), ', ') from unnest(t.pushable) p),
      t.defaults,
      -- U10: a row that exists under another id is not inserted, and `conclude` finds its twin.
      case t.name
        when 'task_dependencies' then 'on conflict (task_id, depends_on_task_id) where deleted_at is null do nothing'
        else '' end);
    inserts := inserts || format($code$
        when %1$L then
          if convoy.is_small(changes) then %2$s;
          else
            execute %3$L using changes;
          end if;$code$, t.name, replace(statement, ':changes', 'changes'), replace(statement, ':changes', '$1'));

    -- The edit times go in the form of field_revisions, for the stamp trigger to complete: not later than now, and not
    -- earlier than the revision the edit was made on.
    statement := format($query$
            update public.%1$I t
              set %2$s, field_revisions = t.field_revisions || coalesce(c.times, '{}')
              from (
                select c.id, c.workspace_id, c.payload, (
                    select jsonb_object_agg(e.key, jsonb_build_array(null, case
                      when e.instant > now() then convoy.iso(now())
                      when e.instant < b.created_at then convoy.iso(b.created_at)
                      else convoy.iso(e.instant) end))
                    from (
                      select x.key, x.value, convoy.to_time(x.value) as instant
                      from jsonb_each_text(c.edited_at) x where c.payload ? x.key offset 0
                    ) e
                    where e.instant is not null
                  ) as times
                from unnest(:changes) c
                left join convoy.scope_revisions b on b.scope_id = c.workspace_id and b.revision = c.base
                where c.table_name = %1$L and c.op = 'update' and c.nth = :round
                offset 0
              ) c
              cross join lateral jsonb_populate_record(null::public.%1$I, c.payload) r
              -- The workspace is no part of what the row is found by, or the plan might go through all rows of it.
              where t.id = c.id and (t.workspace_id = c.workspace_id) is true$query$,
      t.name,
      (select string_agg(format('%1$I = case when c.payload ? %1$L then r.%1$I else t.%1$I end', p), ', ')
        from unnest(t.pushable) p));
    updates := updates || format($code$
        when %1$L then
          if convoy.is_small(changes) then %2$s;
          else
            execute %3$L using changes, round;
          end if;$code$, t.name, replace(replace(statement, ':changes', 'changes'), ':round', 'round'),
      replace(replace(statement, ':changes', '$1'), ':round', '$2'));
  end loop;

  -- The rows with these ids. A sequential scan would read a table that has grown since the plan was made.
  execute format($function$
    create or replace function convoy.find_rows(target text, ids uuid[]) returns convoy.found_row[]
    language plpgsql stable set search_path = '' set enable_seqscan = off as $body$
    begin
      case target %s
      end case;
    end
    $body$
  $function$, finds);
  revoke execute on function convoy.find_rows(text, uuid[]) from public;

  -- The rows of these tables, or of all, at revisions of scopes. Comparing rows, and the planner settings, make it use
  -- the pull index, also where statistics lack the latest revisions.
  execute format($function$
    create or replace function convoy.written_rows(tables text[], scopes uuid[], revisions bigint[])
    returns convoy.written_row[]
    language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    declare
      written convoy.written_row[] := '{}';
    begin
      if cardinality(scopes) = 0 then
        return written;
      end if;%s
      return written;
    end
    $body$
  $function$, stamped);
  revoke execute on function convoy.written_rows(text[], uuid[], bigint[]) from public;

  execute format($function$
    create or replace function convoy.insert_rows(target text, changes convoy.change[]) returns void
    language plpgsql set search_path = '' as $body$
    begin
      case target %s
      end case;
    end
    $body$
  $function$, inserts);
  revoke execute on function convoy.insert_rows(text, convoy.change[]) from public;

  -- One statement updates a row once: a record that is changed twice takes a second round.
  execute format($function$
    create or replace function convoy.update_round(target text, changes convoy.change[], round bigint) returns void
    language plpgsql set search_path = '' as $body$
    begin
      case target %s
      end case;
    end
    $body$
  $function$, updates);
  revoke execute on function convoy.update_round(text, convoy.change[], bigint) from public;
end
$outer$;

-- Functions that are written from the columns of the tables.
select convoy.build_pages();
select convoy.build_pushes();

revoke all on function convoy.kinds_of(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.find_known(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.with_known(convoy.change[],convoy.found_row[]) from public, anon, authenticated, service_role;
revoke all on function convoy.judge_parents(convoy.change[],convoy.link[],convoy.found_row[]) from public, anon, authenticated, service_role;
revoke all on function convoy.conclude(convoy.change[],convoy.found_row[]) from public, anon, authenticated, service_role;
revoke all on function convoy.pick_effects(convoy.change[],text[],convoy.decision[],uuid[],bigint[]) from public, anon, authenticated, service_role;
revoke all on function convoy.pick_moved(convoy.change[],uuid[],bigint[]) from public, anon, authenticated, service_role;
revoke all on function convoy.decide(convoy.change[],convoy.link[],text[],convoy.cursor_position[],uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.lock_clocks(convoy.change[],text[]) from public, anon, authenticated, service_role;
revoke all on function convoy.kept_answer(bigint,convoy.change[],text[],convoy.decision[]) from public, anon, authenticated, service_role;
revoke all on function convoy.is_small(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.build_pushes() from public, anon, authenticated, service_role;
revoke all on function convoy.find_rows(text,uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.written_rows(text[],uuid[],bigint[]) from public, anon, authenticated, service_role;
revoke all on function convoy.update_round(text,convoy.change[],bigint) from public, anon, authenticated, service_role;
