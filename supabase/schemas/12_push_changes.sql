-- sync_push, part 1: the changes of a batch as typed records, with the rows they are about.
-- The stages that follow take and return arrays of these: one statement for a whole batch.
-- Functions that join such arrays switch nested loops off, since the planner takes an array of unknown length
-- for ten elements.

create type convoy.change as (
  -- In the request, from 1.
  position integer,
  table_name text,
  op text,
  id uuid,
  workspace_id uuid,
  base bigint,
  group_no bigint,
  -- The columns to be written; conflicting ones are taken out. Ids are in small letters, as uuid::text has them.
  payload jsonb,
  edited_at jsonb,
  -- Why the change is malformed: a rejection, or null.
  problem jsonb,
  -- How many changes of the same kind to the same record stand before it, plus 1.
  nth bigint,
  -- The row as it stands; null where there is none. A row of another workspace counts for inserts alone.
  row_workspace uuid,
  row_revision bigint,
  row_deleted boolean,
  field_revisions jsonb,
  -- Columns that others changed since the base, with the time of their edit; null without conflict.
  conflicts jsonb,
  -- What columns of the row have to be for the change, and so its group, to be written; null: anything (U45).
  expected jsonb
);

-- The outcome of a change. `tell`: the device must be sent the row as it is now.
create type convoy.decision as (position integer, outcome jsonb, tell boolean);

create function convoy.rejection(code text, column_name text, message text) returns jsonb language sql stable
  return jsonb_build_object('outcome', 'rejected', 'code', code, 'column', column_name, 'message', message);

create function convoy.parse_changes(changes jsonb) returns convoy.change[]
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
      when e.expected is not null and (jsonb_typeof(e.expected) <> 'object' or e.op <> 'update')
        then convoy.rejection('malformed', null, 'An update expects values, as an object.')
      when t.name = 'workspaces' and e.id <> e.workspace_id
        then convoy.rejection('malformed', 'workspace_id', 'A workspace is its own scope.')
      when e.op <> 'delete' and e.payload - t.pushable - t.ignored <> '{}'
        then (select convoy.rejection('unknown_column', k, 'Clients do not write the column ' || quote_ident(k) || '.')
          from jsonb_object_keys(e.payload - t.pushable - t.ignored) k order by k limit 1)
      when e.expected is not null and e.expected - t.pushable - t.ignored <> '{}'
        then (select convoy.rejection('unknown_column', k, 'Clients do not write the column ' || quote_ident(k) || '.')
          from jsonb_object_keys(e.expected - t.pushable - t.ignored) k order by k limit 1)
      when i.unsound is not null then convoy.rejection('invalid_value', i.unsound, 'The value must be a UUID.')
      when f.column_name is not null then convoy.rejection('invalid_value', f.column_name, f.message)
      when x.column_name is not null then convoy.rejection('invalid_value', x.column_name, x.message)
    end,
    e.nth,
    null, null, null, null, null, e.expected
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
        convoy.to_count(e.c -> 'group') as group_no, e.c -> 'values' as payload, e.c -> 'edited_at' as edited_at,
        nullif(e.c -> 'expected', 'null') as expected
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
  -- JSON of up to 200 bytes is neither nested too deep nor holds too large a number. Nearly all edits are as short.
  left join lateral (
    select j.column_name, j.message from convoy.json_fault(e.payload) j
    where e.op <> 'delete' and octet_length(e.payload::text) > 200 offset 0
  ) f on true
  left join lateral (
    select j.column_name, j.message from convoy.expected_fault(e.expected) j
    where e.op = 'update' and octet_length(e.expected::text) > 200 offset 0
  ) x on true);
end
$$;

-- The subjects of a batch, for a push to leave out the steps that it does not need: its ops, its tables, both together, as
-- in 'insert tasks', and 'again' where a record comes twice. Looking at a list takes a fraction of a step.
create function convoy.kinds_of(changes convoy.change[]) returns text[]
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

-- A move past checkpoints (38_push_jumps.sql).
create type convoy.jump as (
  group_no bigint, workspace_id uuid, task_id uuid, workflow_id uuid, old_stage text, new_stage text, old_status text,
  -- Whether it makes the task done.
  finishes boolean,
  -- The names of the checkpoints, in their order.
  passed jsonb
);

-- A row as a push finds it, and one that it has written.
create type convoy.found_row as (
  table_name text, id uuid, workspace_id uuid, revision bigint, deleted boolean, field_revisions jsonb
);
create type convoy.written_row as (table_name text, id uuid, deleted boolean);

-- The rows that the changes are about.
create function convoy.find_known(changes convoy.change[]) returns convoy.found_row[]
language plpgsql stable set search_path = '' as $$
declare
  wanted record;
  known convoy.found_row[] := '{}'::convoy.found_row[];
begin
  for wanted in
    select c.table_name, array_agg(c.id) as ids from unnest(changes) c where c.problem is null group by c.table_name
  loop
    known := known || convoy.find_rows(wanted.table_name, wanted.ids);
  end loop;
  return known;
end
$$;

-- The changes with the rows that they are about. A row of another workspace counts for inserts alone.
create function convoy.with_known(changes convoy.change[], known convoy.found_row[]) returns convoy.change[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  -- Most pushes of new records find none.
  if cardinality(known) = 0 then
    return changes;
  end if;
  return (
    select coalesce(array_agg(row(
      c.position, c.table_name, c.op, c.id, c.workspace_id, c.base, c.group_no, c.payload, c.edited_at,
      c.problem, c.nth, k.workspace_id, k.revision, k.deleted, k.field_revisions, c.conflicts, c.expected
    )::convoy.change order by c.position), '{}')
    from unnest(changes) c
    left join unnest(known) k
      on k.table_name = c.table_name and k.id = c.id and (c.op = 'insert' or k.workspace_id = c.workspace_id));
end
$$;

-- The changes without a decision.
create function convoy.still_open(changes convoy.change[], decided convoy.decision[]) returns convoy.change[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  if cardinality(decided) = 0 then
    return changes;
  end if;
  return (
    select coalesce(array_agg(c order by c.position), '{}')
    from unnest(changes) c
    where not exists (select from unnest(decided) d where d.position = c.position));
end
$$;

-- The changes of these groups.
create function convoy.changes_of(changes convoy.change[], groups bigint[]) returns convoy.change[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select c from unnest(changes) c where c.group_no in (select g from unnest(groups) g) order by c.position);
end
$$;

-- Those of these groups, in their order, that have changes among these.
create function convoy.groups_of(ordered bigint[], changes convoy.change[]) returns bigint[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select g.group_no from unnest(ordered) with ordinality g (group_no, n)
    where g.group_no in (select c.group_no from unnest(changes) c) order by g.n);
end
$$;

-- PostgreSQL has instants, infinite ones among them, that devices cannot represent: they count as no instant.
create function convoy.try_time(value text) returns timestamptz
language plpgsql stable set search_path = '' as $$
declare
  instant timestamptz;
begin
  instant := value::timestamptz;
  return case when instant between '0001-01-01T00:00:00Z' and '9999-12-31T23:59:59.999999Z' then instant end;
exception when data_exception then
  return null;
end
$$;

-- The instant that the text names, or null. A text of the usual form needs no subtransaction.
create function convoy.to_time(value text) returns timestamptz language sql stable
  return case
    when value ~ '^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+]00:00)$'
      then value::timestamptz
    when value is not null then convoy.try_time(value) end;

-- Values in the table's types, to be compared with a row; null where they do not fit.
create function convoy.canonical(table_name text, payload jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  result jsonb;
begin
  execute format('select to_jsonb(jsonb_populate_record(null::public.%I, $1))', table_name) into result using payload;
  return result;
exception when data_exception then
  return null;
end
$$;

create function convoy.current_row(table_name text, id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  result jsonb;
begin
  execute format('select to_jsonb(t) from public.%I t where t.id = $1', table_name) into result using id;
  return result;
end
$$;

-- A change and a record it needs. `provider`: the insert of this batch that brings that record.
create type convoy.link as (
  position integer, column_name text, parent_table text, parent_id uuid, is_parent boolean, provider integer
);

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

create function convoy.batch_of(
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

-- The links of these changes.
create function convoy.links_of(links convoy.link[], changes convoy.change[]) returns convoy.link[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  if cardinality(links) = 0 then
    return links;
  end if;
  return array(
    select l from unnest(links) l where l.position in (select c.position from unnest(changes) c));
end
$$;

revoke execute on all functions in schema convoy from public;
