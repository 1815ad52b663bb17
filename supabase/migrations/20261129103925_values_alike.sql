-- Devices, the remote service and sync_push take the same values and store the same: what a change sends is checked and
-- normalised when it arrives, and rows that are there stay as they are.

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
          -- The feed takes no device id, and corrects what it is told.
          or b.table_name = 'activity_feed' and (b.payload -> 'details' ? 'device_id' or b.edited_at ? 'details')
          -- Another value is stored than was sent.
          or b.edited_at ? 'corrected'
          or coalesce(convoy.to_time(b.edited_at ->> 'created_at') > now(), true)
        when 'update' then b.conflicts is not null or b.base is null or b.row_revision > b.base or b.edited_at ? 'corrected'
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
  is_new boolean;
  -- Devices of protocol 3 and before do not take back an activity whose change came to nothing: where one is refused,
  -- their users are asked about what they never wrote.
  passing constant boolean := convoy.to_count(request -> 'protocol') < 4;
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
  is_new := convoy.is_new_device(device);
  if not convoy.knows_cursors(cursors) or is_new and convoy.is_in_doubt(device, cursors) then
    -- A device id is its user's once a batch of it was applied; a refused request takes none.
    delete from convoy.devices d where d.device_id = device and d.batch = 0;
    return convoy.failure('history_changed');
  end if;
  if is_new then
    perform convoy.make_room(device);
  end if;
  if settles then
    -- The number is void from now on: a late copy of its batch is answered with device_conflict.
    update convoy.devices d
      set user_id = auth.uid(), batch = batch_no, key = batch_key, hash = null, answer = null, updated_at = now()
      where d.device_id = device;
    return convoy.void_answer(batch_no);
  end if;

  if convoy.to_count(request -> 'protocol') < 5 then
    -- It neither takes steps nor waits for them (U44).
    perform set_config('convoy.cascade', 'at once', true);
  end if;
  changes := convoy.sound_values(convoy.parse_changes(request -> 'changes'));
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
    from convoy.decide(changes, links, kinds, cursors, locked, passing) d;
  refused := convoy.write_groups(todo, links, '{}', null);
  todo := convoy.still_open(todo, refused);
  decided := convoy.bury_passed_over(
    changes, decided || refused || convoy.conclude(todo, convoy.find_known(todo)));
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

create or replace function convoy.kind_of(column_name text) returns text language sql immutable return
  case
    when column_name in ('name', 'title', 'current_stage', 'status', 'priority', 'role', 'entity_type', 'pattern_type',
      'category') then 'line'
    when column_name = 'target_date' then 'day'
    when column_name in ('claimed_until', 'completion_date', 'restored_at') then 'time'
    when column_name = 'sort_order' then 'number'
    when column_name in ('description', 'overview', 'requirements', 'activity_type') then 'text'
    when column_name in ('stages', 'tech_stack', 'details', 'content') then 'json'
    else 'any'
  end;

create or replace function convoy.trimmed(value text) returns text language sql immutable
  return btrim(value, E'\t\n\x0b\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff');

create or replace function convoy.is_blank(value text) returns boolean language sql immutable
  return value ~ '^[\u0001-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*$';

create or replace function convoy.moment_of(value text) returns timestamptz language sql stable
  return case
    when value ~* '^(?!0000)\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-](0\d|1[0-5])(:?[0-5]\d)?))?$'
      then convoy.to_time(upper(regexp_replace(value, '(\.\d{3})\d+', '\1')))
  end;

create or replace function convoy.day_of(instant timestamptz) returns timestamptz language sql stable
  return convoy.to_time(to_char(
    case when instant = date_trunc('day', instant, 'UTC') then instant else instant - interval '11 hours' end
      at time zone 'UTC', 'YYYY-MM-DD"T12:00:00Z"' || case when instant < '0001-01-01T11:00:00Z'
        and instant <> '0001-01-01T00:00:00Z' then ' BC' else '' end));

create or replace function convoy.surplus_of(value numeric) returns integer language sql immutable
  return case
    when value = 0 or abs(value) >= 0.000001 and abs(value) < 1e21 then 0
    else (
      select length(value::text) - (case when value < 0 then 1 else 0 end + digits + case when digits > 1 then 1 else 0 end + 2
        + length(abs(floor(log(abs(value))))::text))
      from length(trim(both '0' from translate(value::text, '-.', ''))) digits)
  end;

create or replace function convoy.sent_bytes(value jsonb) returns bigint language sql immutable set search_path = '' as $$
  select octet_length(value::text) - coalesce(sum(case jsonb_typeof(v)
      when 'array' then greatest(jsonb_array_length(v) - 1, 0)
      when 'object' then greatest(2 * (select count(*) from jsonb_object_keys(v)) - 1, 0)
      when 'number' then convoy.surplus_of(v::numeric)
      else 0
    end), 0)
  from jsonb_path_query(value, 'strict $.**') v
$$;

create or replace function convoy.sound_value(column_name text, given jsonb, out sound jsonb, out code text, out message text)
language plpgsql stable set search_path = '' as $$
declare
  kind constant text := convoy.kind_of(column_name);
  spelled constant text := given #>> '{}';
  line text;
  instant timestamptz;
begin
  sound := given;
  if kind = 'json' then
    -- The tables take twice as much, since they count it as PostgreSQL prints it.
    if convoy.sent_bytes(given) > 65536 then
      code := 'too_long';
      message := 'The value is too long.';
    end if;
  elsif jsonb_typeof(given) <> (case kind when 'number' then 'number' else 'string' end) then
    code := 'invalid_value';
    message := 'The value is not of the type of its column.';
  elsif kind = 'line' then
    line := convoy.trimmed(spelled);
    sound := to_jsonb(line);
    if column_name <> 'entity_type' and convoy.is_blank(line) then
      code := 'invalid_value';
      message := 'A value is required that can be seen.';
    -- The workflow is asked for the stage before the table's own checks.
    elsif column_name = 'current_stage' and char_length(line) > 64 then
      code := 'too_long';
      message := 'The value is too long.';
    end if;
  elsif kind in ('time', 'day') then
    instant := convoy.moment_of(spelled);
    if kind = 'day' then
      instant := convoy.day_of(instant);
    end if;
    if instant is null then
      code := 'invalid_value';
      message := 'The value must be a time in ISO 8601 with its time zone, within the years 1 and 9999.';
    elsif instant <> spelled::timestamptz then
      sound := to_jsonb(to_char(instant at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'));
    end if;
  end if;
end
$$;

create or replace function convoy.sound_values(changes convoy.change[]) returns convoy.change[]
language plpgsql stable set search_path = '' as $$
declare
  item record;
begin
  for item in
    with looked_at as materialized (
      -- A change's position is its place in the list.
      select c.position as n, e.key, e.value
      from unnest(changes) c
      cross join lateral jsonb_each(c.payload) e
      cross join lateral (select convoy.kind_of(e.key) as kind, jsonb_typeof(e.value) as type offset 0) k
      where c.problem is null and c.op <> 'delete'
        -- Nearly all values are sound as they are.
        and case
          -- A stage that is missing is no unknown one; other columns that need a value are refused by their tables.
          when k.type = 'null' then e.key = 'current_stage'
          when k.kind = 'any' then false
          when k.kind = 'json' then octet_length(e.value::text) between 65537 and 2 * 65536
          when k.kind = 'number' then k.type <> 'number'
          when k.type <> 'string' then true
          when k.kind = 'text' then false
          when k.kind = 'line' then e.value #>> '{}' !~ '^[!-~]([ -~]{0,62}[!-~])?$'
          else true
        end
    )
    select l.n, min(l.key) filter (where s.code is not null) as culprit,
      (array_agg(jsonb_build_array(s.code, s.message) order by l.key) filter (where s.code is not null))[1] as refusal,
      jsonb_object_agg(l.key, s.sound) filter (where s.sound <> l.value) as corrected
    from looked_at l
    cross join lateral convoy.sound_value(l.key, l.value) s
    where s.code is not null or s.sound <> l.value
    group by l.n
  loop
    if item.culprit is not null then
      changes[item.n].problem := convoy.rejection(item.refusal ->> 0, item.culprit, item.refusal ->> 1);
    else
      changes[item.n].payload := changes[item.n].payload || item.corrected;
      changes[item.n].edited_at := changes[item.n].edited_at || '{"corrected": null}';
    end if;
  end loop;
  return changes;
end
$$;

revoke all on function convoy.kind_of(text) from public, anon, authenticated, service_role;
revoke all on function convoy.trimmed(text) from public, anon, authenticated, service_role;
revoke all on function convoy.is_blank(text) from public, anon, authenticated, service_role;
revoke all on function convoy.moment_of(text) from public, anon, authenticated, service_role;
revoke all on function convoy.day_of(timestamp with time zone) from public, anon, authenticated, service_role;
revoke all on function convoy.surplus_of(numeric) from public, anon, authenticated, service_role;
revoke all on function convoy.sent_bytes(jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.sound_value(text,jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.sound_values(convoy.change[]) from public, anon, authenticated, service_role;
