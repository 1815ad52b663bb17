-- A number that devices cannot represent is refused where it is the whole value too: no device could have the record. What
-- an update expects is held to the limits of values, since PostgreSQL compares it with them, and fails on what is nested deeper.

create or replace function convoy.json_fault(payload jsonb, out column_name text, out message text)
language plpgsql immutable set search_path = '' as $$
declare
  most_levels constant integer := 100;
  most_values constant integer := 10000;
  most_bytes constant integer := 2 * 65536;
  largest constant numeric := 1.7976931348623157e308;
  spelled constant text := payload::text;
  item record;
  level jsonb[];
  depth integer;
  found bigint;
  seen bigint;
  is_beyond boolean;
begin
  -- Nearly all values are passed by counting brackets and commas.
  if jsonb_typeof(payload) <> 'object' or
    length(spelled) - length(translate(spelled, '{[', '')) <= most_levels
      and length(spelled) - length(translate(spelled, '{[,', '')) <= most_values
      and spelled !~ '[0-9]{250}'
  then
    return;
  end if;
  for item in
    select e.key, e.value from jsonb_each(payload) e
    where jsonb_typeof(e.value) in ('object', 'array', 'number') and octet_length(e.value::text) <= most_bytes
    order by e.key
  loop
    if jsonb_typeof(item.value) = 'number' then
      if abs(item.value::numeric) > largest then
        column_name := item.key;
        message := 'The value holds a number that devices cannot represent.';
        return;
      end if;
      continue;
    end if;
    level := array[item.value];
    depth := 0;
    seen := 0;
    while cardinality(level) > 0 loop
      depth := depth + 1;
      if depth > most_levels then
        column_name := item.key;
        message := 'The value is nested more than ' || most_levels || ' levels deep.';
        return;
      end if;
      select coalesce(array_agg(n.value) filter (where jsonb_typeof(n.value) in ('object', 'array')), '{}'), count(*),
          coalesce(bool_or(case when jsonb_typeof(n.value) = 'number' then abs(n.value::numeric) > largest end), false)
        into level, found, is_beyond
        from (
          select a.value from unnest(level) v
            cross join lateral jsonb_array_elements(case when jsonb_typeof(v) = 'array' then v else '[]' end) a
          union all
          select o.value from unnest(level) v
            cross join lateral jsonb_each(case when jsonb_typeof(v) = 'object' then v else '{}' end) o
        ) n;
      seen := seen + found;
      if seen > most_values then
        column_name := item.key;
        message := 'The value holds more than ' || most_values || ' values.';
        return;
      end if;
      if is_beyond then
        column_name := item.key;
        message := 'The value holds a number that devices cannot represent.';
        return;
      end if;
    end loop;
  end loop;
end
$$;

create or replace function convoy.expected_fault(expected jsonb, out column_name text, out message text)
language plpgsql immutable set search_path = '' as $$
declare
  most_bytes constant integer := 2 * 65536;
begin
  select f.column_name, f.message into column_name, message from convoy.json_fault(expected) f;
  -- Nearly all of it is short.
  if column_name is null and jsonb_typeof(expected) = 'object' and octet_length(expected::text) > most_bytes then
    select e.key, 'The value is too long.' into column_name, message
      from jsonb_each(expected) e
      where jsonb_typeof(e.value) in ('object', 'array', 'number') and octet_length(e.value::text) > most_bytes
      order by e.key limit 1;
  end if;
end
$$;

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
      when e.expected is not null and (jsonb_typeof(e.expected) <> 'object' or e.op <> 'update')
        then convoy.rejection('malformed', null, 'An update expects values, as an object.')
      when t.name = 'workspaces' and e.id <> e.workspace_id
        then convoy.rejection('malformed', 'workspace_id', 'A workspace is its own scope.')
      when e.op <> 'delete' and e.payload - t.pushable - t.ignored <> '{}'
        then (select convoy.rejection('unknown_column', k, 'Clients do not write the column ' || quote_ident(k) || '.')
          from jsonb_object_keys(e.payload - t.pushable - t.ignored) k order by k limit 1)
      when e.expected is not null and e.expected - t.pushable <> '{}'
        then (select convoy.rejection('unknown_column', k, 'Clients do not write the column ' || quote_ident(k) || '.')
          from jsonb_object_keys(e.expected - t.pushable) k order by k limit 1)
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
  left join lateral convoy.json_fault(e.payload) f on e.op <> 'delete'
  left join lateral convoy.expected_fault(e.expected) x on e.op = 'update' and e.expected is not null);
end
$$;

revoke all on function convoy.expected_fault(jsonb) from public, anon, authenticated, service_role;
