-- Reading a request without trusting it, for sync_pull and sync_push.

create function convoy.is_uuid(value text) returns boolean language sql immutable
  return value ~ '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$';

-- A whole number that fits a bigint and JavaScript alike, or null.
create function convoy.to_count(value jsonb) returns bigint language sql immutable
  return case when jsonb_typeof(value) = 'number' and value::text ~ '^[0-9]{1,15}$' then value::text::bigint end;

create function convoy.failure(code text, message text default null) returns jsonb language sql stable set search_path = ''
  return jsonb_build_object('error', jsonb_strip_nulls(jsonb_build_object('code', code, 'message', message)));

-- The first of the values that is nested too deep, holds too many values, or a number that no device can represent:
-- devices refuse the same (JSON_LIMITS in src/core/text.ts). The nesting is walked level by level, since recursion
-- without a bound would end the request, or the server. Larger values are refused by their tables.
create function convoy.json_fault(payload jsonb, out column_name text, out message text)
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

-- As `json_fault`, of what an update expects. No table refuses larger values of it, and no row holds one.
create function convoy.expected_fault(expected jsonb, out column_name text, out message text)
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

-- Which clients this server serves: one row. A migration that adds a synced table or column raises `schema`.
-- An operator who wants older clients to be updated raises the oldest version:
-- update convoy.served_versions set oldest_schema = 2;
create table convoy.served_versions (
  singleton boolean primary key default true check (singleton),
  protocol integer not null,
  oldest_protocol integer not null,
  schema integer not null,
  oldest_schema integer not null,
  check (oldest_protocol <= protocol and oldest_schema <= schema)
);
insert into convoy.served_versions (protocol, oldest_protocol, schema, oldest_schema) values (7, 1, 2, 1);
alter table convoy.served_versions enable row level security;
grant select, update on convoy.served_versions to service_role;

-- Checks the user and the version of a request (P2). Null when the request may go on.
create function convoy.refuse_request(request jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  served convoy.served_versions;
  too_old constant text := 'This version of Convoy is too old for the server.';
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  if jsonb_typeof(request) is distinct from 'object' then
    return convoy.failure('malformed', 'The request must be an object.');
  end if;
  select * into served from convoy.served_versions;
  if coalesce(convoy.to_count(request -> 'protocol'), 0) < served.oldest_protocol then
    return convoy.failure('client_too_old', too_old);
  end if;
  if not coalesce(jsonb_typeof(request -> 'user_id') = 'string' and convoy.is_uuid(request ->> 'user_id'), false) then
    return convoy.failure('malformed', 'user_id must be a UUID.');
  end if;
  if (request ->> 'user_id')::uuid <> auth.uid() then
    return convoy.failure('wrong_user');
  end if;
  if convoy.to_count(request -> 'schema') is null then
    return convoy.failure('malformed', 'schema must be a number.');
  end if;
  if convoy.to_count(request -> 'schema') < served.oldest_schema then
    return convoy.failure('client_too_old', too_old);
  end if;
  -- A newer client would send columns that are not there yet, and have them rejected one by one.
  if convoy.to_count(request -> 'protocol') > served.protocol
    or convoy.to_count(request -> 'schema') > served.schema
  then
    return convoy.failure('schema_mismatch', 'The server is older than this version of Convoy.');
  end if;
  return null;
end
$$;

create type convoy.cursor_position as (
  scope uuid, revision bigint, tag text, target bigint, after uuid,
  -- The run of pages began with nothing.
  whole boolean,
  own_revision bigint, own_tag text, skip bigint[]
);

-- The cursors of a request with the revisions to leave out. Raises SN009 where they are malformed.
create function convoy.read_cursors(cursors jsonb, skips jsonb) returns convoy.cursor_position[]
language plpgsql stable set search_path = '' as $$
declare
  result convoy.cursor_position[] := '{}'::convoy.cursor_position[];
  item record;
  skip bigint[];
begin
  cursors := coalesce(nullif(cursors, 'null'), '{}');
  skips := coalesce(nullif(skips, 'null'), '{}');
  if jsonb_typeof(cursors) <> 'object' or jsonb_typeof(skips) <> 'object' then
    raise exception 'cursors and skip must be objects.' using errcode = 'SN009';
  end if;
  for item in
    select coalesce(c.key, s.key) as key, c.value, s.value as skips
    from jsonb_each(cursors) c full join jsonb_each(skips) s using (key)
  loop
    if not convoy.is_uuid(item.key) then
      raise exception 'Cursors and skip are named by scope.' using errcode = 'SN009';
    end if;
    if item.value is not null and (
      convoy.to_count(item.value -> 'revision') is null
      or jsonb_typeof(item.value -> 'tag') is distinct from 'string'
      or coalesce(item.value -> 'target', 'null') <> 'null' and convoy.to_count(item.value -> 'target') is null
      or coalesce(item.value -> 'after', 'null') <> 'null' and not convoy.is_uuid(item.value ->> 'after')
      or coalesce(item.value -> 'own', 'null') <> 'null' and (
        convoy.to_count(item.value -> 'own' -> 'revision') is null
        or jsonb_typeof(item.value -> 'own' -> 'tag') is distinct from 'string'))
    then
      raise exception 'The cursor of scope % is malformed.', item.key using errcode = 'SN009';
    end if;
    skip := '{}';
    if item.skips is not null then
      if jsonb_typeof(item.skips) <> 'array' then
        raise exception 'skip holds lists of revisions.' using errcode = 'SN009';
      end if;
      skip := array(select convoy.to_count(s) from jsonb_array_elements(item.skips) s);
      if array_position(skip, null) is not null then
        raise exception 'skip holds lists of revisions.' using errcode = 'SN009';
      end if;
    end if;
    result := result || row(
      item.key::uuid,
      convoy.to_count(item.value -> 'revision'),
      item.value ->> 'tag',
      convoy.to_count(nullif(item.value -> 'target', 'null')),
      (item.value ->> 'after')::uuid,
      coalesce(item.value -> 'whole' = 'true', false),
      convoy.to_count(item.value -> 'own' -> 'revision'),
      item.value -> 'own' ->> 'tag',
      skip)::convoy.cursor_position;
  end loop;
  return result;
end
$$;

-- Where a device stands in tables that are new to it, or have new columns (P14).
create type convoy.refill as (scope uuid, tables text[], revision bigint, after uuid, target bigint);

-- The refills of a request. Raises SN009 where they are malformed.
create function convoy.read_refills(refills jsonb) returns convoy.refill[]
language plpgsql stable set search_path = '' as $$
declare
  result convoy.refill[] := '{}'::convoy.refill[];
  item record;
begin
  if refills is null then
    return result;
  end if;
  if jsonb_typeof(refills) <> 'object' then
    raise exception 'refill must be an object.' using errcode = 'SN009';
  end if;
  for item in select r.key, r.value from jsonb_each(refills) r loop
    if not convoy.is_uuid(item.key)
      or jsonb_typeof(item.value -> 'tables') is distinct from 'array'
      or convoy.to_count(item.value -> 'revision') is null
      or convoy.to_count(item.value -> 'target') is null
      or item.value -> 'after' is not null and not coalesce(convoy.is_uuid(item.value ->> 'after'), false)
    then
      raise exception 'The refill of % is malformed.', item.key using errcode = 'SN009';
    end if;
    result := result || row(
      item.key::uuid,
      array(select jsonb_array_elements_text(item.value -> 'tables')),
      convoy.to_count(item.value -> 'revision'),
      (item.value ->> 'after')::uuid,
      convoy.to_count(item.value -> 'target'))::convoy.refill;
  end loop;
  return result;
end
$$;

-- Whether a revision with this tag is part of the scope's history (S4). PL/pgSQL keeps its plans for the session;
-- an SQL function that is not inlined is planned anew for every cursor of every push.
create function convoy.is_in_history(scope uuid, at bigint, at_tag text) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return exists (
    select from convoy.scope_clocks c where c.scope_id = scope and c.revision = at and c.tag = at_tag)
  or exists (
    select from convoy.scope_revisions r
    join convoy.scope_clocks c on c.scope_id = r.scope_id and c.revision >= r.revision
    where r.scope_id = scope and r.revision = at and r.tag = at_tag);
end
$$;

-- Whether the device's revisions of a scope are part of its history: those it pulled, and those it pushed since.
create function convoy.knows_cursor(k convoy.cursor_position) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  -- While paging, the tag is the target's.
  return convoy.is_in_history(k.scope, coalesce(k.target, k.revision), k.tag)
    and (k.own_revision is null or convoy.is_in_history(k.scope, k.own_revision, k.own_tag));
end
$$;

-- Checks the request of a push as a whole. Returns the answer to a request that is refused, or null.
create function convoy.refuse_push(request jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  most_changes constant integer := 10000;
  refusal constant jsonb := convoy.refuse_request(request);
begin
  if refusal is not null then
    return refusal;
  end if;
  if not coalesce(convoy.is_uuid(request ->> 'device_id'), false) then
    return convoy.failure('malformed', 'device_id must be a UUID.');
  end if;
  if coalesce(convoy.to_count(request -> 'batch'), 0) < 1 then
    return convoy.failure('malformed', 'batch must be a number from 1.');
  end if;
  if request -> 'key' is not null and not coalesce(convoy.is_uuid(request ->> 'key'), false) then
    return convoy.failure('malformed', 'key must be a UUID.');
  end if;
  if jsonb_typeof(request -> 'changes') is distinct from 'array' then
    return convoy.failure('malformed', 'changes must be a list.');
  end if;
  if request -> 'settle' = 'true' and (request -> 'key' is null or request -> 'changes' <> '[]') then
    return convoy.failure('malformed', 'A batch is settled by its key, without changes.');
  end if;
  if jsonb_array_length(request -> 'changes') > most_changes then
    return convoy.failure('too_large', 'A batch holds at most ' || most_changes || ' changes.');
  end if;
  return null;
end
$$;

revoke execute on all functions in schema convoy from public;
