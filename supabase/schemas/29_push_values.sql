-- sync_push, part 8: the values that a change sends. Devices and the remote service check and normalise the same
-- (src/domain/values.ts); the list of all normalisations stands in docs/sync-spec.md. Only the columns of a change are
-- looked at, so that a row which an earlier rule took can still be edited.

-- The kind of value that a pushable column holds: a line (one line of text, trimmed), a key (in capitals), text as it is, a
-- day, a time, a number, JSON; else anything that its table takes. Ids are looked at where changes are parsed.
create function convoy.kind_of(column_name text) returns text language sql immutable return
  case
    when column_name in ('name', 'title', 'current_stage', 'status', 'priority', 'role', 'entity_type', 'pattern_type',
      'category') then 'line'
    when column_name = 'key' then 'key'
    when column_name = 'target_date' then 'day'
    when column_name in ('claimed_until', 'completion_date', 'restored_at') then 'time'
    when column_name = 'sort_order' then 'number'
    when column_name in ('description', 'overview', 'requirements', 'activity_type') then 'text'
    when column_name in ('stages', 'tech_stack', 'details', 'content') then 'json'
    else 'any'
  end;

-- Without white space at either end, as JavaScript's trim() has it.
create function convoy.trimmed(value text) returns text language sql immutable
  return btrim(value, E'\t\n\x0b\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff');

-- Whether nothing of the text can be seen: white space, control and format characters, blank letters. INVISIBLE of
-- src/core/text.ts is the same list.
create function convoy.is_blank(value text) returns boolean language sql immutable
  return value ~ '^[\u0001-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*$';

-- The instant that the text names, to the millisecond; null where it is no ISO 8601 date, or date and time with its
-- offset, within the years 1 and 9999. To be called where the time zone is UTC: a date alone is its midnight there.
create function convoy.moment_of(value text) returns timestamptz language sql stable
  return case
    when value ~* '^(?!0000)\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-](0\d|1[0-5])(:?[0-5]\d)?))?$'
      then convoy.to_time(upper(regexp_replace(value, '(\.\d{3})\d+', '\1')))
  end;

-- A day is noon UTC of its date, so that it reads as that date from UTC-12 to UTC+11, by its UTC date anywhere. Exact
-- midnight UTC keeps its date: that is how a date alone is read. Anything else is shifted back 11 hours first: the end of
-- a day, as earlier versions send it, counts as that day from UTC-11 to UTC+12. Null beyond the years 1 and 9999.
create function convoy.day_of(instant timestamptz) returns timestamptz language sql stable
  return convoy.to_time(to_char(
    case when instant = date_trunc('day', instant, 'UTC') then instant else instant - interval '11 hours' end
      at time zone 'UTC', 'YYYY-MM-DD"T12:00:00Z"' || case when instant < '0001-01-01T11:00:00Z'
        and instant <> '0001-01-01T00:00:00Z' then ' BC' else '' end));

-- How much longer PostgreSQL prints a number than JavaScript, which writes an exponent from 1e21 on, and below 1e-6.
create function convoy.surplus_of(value numeric) returns integer language sql immutable
  return case
    when value = 0 or abs(value) >= 0.000001 and abs(value) < 1e21 then 0
    else (
      select length(value::text) - (case when value < 0 then 1 else 0 end + digits + case when digits > 1 then 1 else 0 end + 2
        + length(abs(floor(log(abs(value))))::text))
      from length(trim(both '0' from translate(value::text, '-.', ''))) digits)
  end;

-- The bytes of JSON as devices send it and count it: PostgreSQL puts a space after each comma and colon.
create function convoy.sent_bytes(value jsonb) returns bigint language sql immutable set search_path = '' as $$
  select octet_length(value::text) - coalesce(sum(case jsonb_typeof(v)
      when 'array' then greatest(jsonb_array_length(v) - 1, 0)
      when 'object' then greatest(2 * (select count(*) from jsonb_object_keys(v)) - 1, 0)
      when 'number' then convoy.surplus_of(v::numeric)
      else 0
    end), 0)
  from jsonb_path_query(value, 'strict $.**') v
$$;

-- A value as it is stored, or the code of its refusal.
--   given: not null, of a column that does not take anything; JSON of at most twice the size that is taken
create function convoy.sound_value(column_name text, given jsonb, out sound jsonb, out code text, out message text)
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
  elsif kind = 'key' then
    line := translate(convoy.trimmed(spelled), 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ');
    sound := to_jsonb(line);
    if line !~ '^[A-Z][A-Z0-9]{0,9}(-[1-9][0-9]{0,9})?$' then
      code := 'invalid_value';
      message := 'A key begins with a letter, and has at most 10 letters and digits.';
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

-- The changes with values in the form in which they are stored, and with a problem where one cannot be stored. The edit
-- time `corrected` marks a change that stores another value than it sends, so that its device is told (U14).
create function convoy.sound_values(changes convoy.change[]) returns convoy.change[]
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

revoke execute on all functions in schema convoy from public;
