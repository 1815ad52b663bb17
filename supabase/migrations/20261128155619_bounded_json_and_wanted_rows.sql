-- JSON values have the same limits here as on devices: 100 levels, 10,000 values, numbers that a device can represent.
-- A change beyond them is refused by itself; before, one deep value stopped every device that pulled it. What is too
-- complex for PostgreSQL is refused instead of being resent for ever. Devices ask once more for rows that they could not
-- store (`wanted`).

-- Version 3 of the protocol: `wanted`. Versions 1 and 2 are served as before.
update convoy.served_versions set protocol = 3;

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
    where jsonb_typeof(e.value) in ('object', 'array') and octet_length(e.value::text) <= most_bytes
    order by e.key
  loop
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

create or replace function convoy.wanted_rows(wanted jsonb, turns convoy.pull_turn[]) returns convoy.pick[]
language plpgsql stable set search_path = '' as $$
declare
  most_wanted constant integer := 100;
  result convoy.pick[] := '{}';
  found convoy.pick[];
  named record;
begin
  if wanted is null then
    return result;
  end if;
  if jsonb_typeof(wanted) <> 'array' or jsonb_array_length(wanted) > most_wanted then
    raise exception 'wanted must be a list of at most % rows.', most_wanted using errcode = 'SN009';
  end if;
  if exists (
    select from jsonb_array_elements(wanted) w
    where jsonb_typeof(w -> 'table') is distinct from 'string' or not coalesce(convoy.is_uuid(w ->> 'id'), false))
  then
    raise exception 'A wanted row is named by table and id.' using errcode = 'SN009';
  end if;
  for named in
    select s.name, array_agg((w ->> 'id')::uuid) as ids
    from jsonb_array_elements(wanted) w join convoy.synced_tables s on s.name = w ->> 'table'
    group by s.name
  loop
    execute format(
      'select array_agg(row(%1$L, r.id)::convoy.pick) from public.%1$I r join unnest($2) t on t.scope = r.workspace_id
         where r.id = any ($1) and not t.from_start and (r.revision, r.id) <= (t.from_revision, t.from_id)', named.name)
      into found using named.ids, turns;
    result := result || coalesce(found, '{}');
  end loop;
  return result;
end
$$;

create or replace function public.sync_pull(request jsonb) returns json
language plpgsql stable security definer
set search_path = ''
set timezone = 'UTC'
set statement_timeout = '8s'
as $$
declare
  me constant uuid := auth.uid();
  refusal jsonb := convoy.refuse_request(request);
  known convoy.cursor_position[];
  refills convoy.refill[];
  max_rows bigint := least(coalesce(convoy.to_count(request -> 'limit'), 5000), 5000);
  turns convoy.pull_turn[];
  wanted convoy.pick[];
  filled record;
  page record;
  is_more boolean;
  is_first_page boolean;
begin
  if refusal is not null then
    return refusal;
  end if;
  begin
    known := convoy.read_cursors(request -> 'cursors', request -> 'skip');
    refills := convoy.read_refills(nullif(request -> 'refill', 'null'));
    turns := convoy.plan_pull(me, known);
    wanted := convoy.wanted_rows(nullif(request -> 'wanted', 'null'), turns);
  exception when sqlstate 'SN009' then
    return convoy.failure('malformed', sqlerrm);
  end;
  if max_rows < 1 then
    return convoy.failure('malformed', 'limit must be at least 1.');
  end if;

  if cardinality(refills) > 0 then
    refills := convoy.due_refills(refills, turns);
  end if;
  select * into filled from convoy.fill_page(turns, refills, max_rows);
  select p.rows, p.deleted into page from convoy.read_page(filled.ranges, wanted) p;
  is_more := cardinality(filled.pending) > 0;
  is_first_page := not exists (select from unnest(turns) t where t.is_later_page)
    and not exists (select from unnest(refills) f where f.revision <> 0);

  return json_build_object(
    'user_id', me,
    'server_time', now(),
    'scopes', (
      select to_json(array_agg(jsonb_build_object('id', t.scope, 'role', t.role, 'head', t.head, 'tag', t.head_tag)
        || case when t.expired then '{"reset": true, "expired": true}' when t.reset then '{"reset": true}' else '{}' end::jsonb
        order by t.scope))
      from unnest(turns) t),
    'rows', page.rows,
    'deleted', page.deleted,
    'cursors', filled.cursors,
    'refilled', filled.refilled,
    -- A user who never was a member learns nothing: a foreign scope and a missing one answer alike (R7).
    'forgotten', array(
      select k.scope from unnest(known) k
      where k.tag <> '' and k.scope not in (select convoy.visible_scopes()) and not convoy.knew_cursor(k)),
    'more', is_more,
    'total', case when is_first_page and is_more then convoy.count_run(page.rows, page.deleted, filled.pending) end);
end
$$;

create or replace function convoy.parse_changes(changes jsonb) returns convoy.change[]
language sql stable set search_path = '' as $$
  select coalesce(array_agg(row(
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
  left join lateral convoy.json_fault(e.payload) f on e.op <> 'delete'
$$;

create or replace function convoy.is_transient(state text) returns boolean language sql immutable
  return left(state, 2) in ('40', '53', '55', '57', '58', 'XX') or state = '25006';

revoke all on function convoy.json_fault(jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.wanted_rows(jsonb,convoy.pull_turn[]) from public, anon, authenticated, service_role;
