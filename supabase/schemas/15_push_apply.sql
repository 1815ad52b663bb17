-- sync_push, part 4: writing. Changes without a fault are written at once; where there is one, they are halved by groups until
-- the culprit stands alone (U4, U12).

-- The rejection that an SQL error becomes. SQLSTATE and constraint tell errors apart, never text.
create function convoy.rejection_of(
  state text, table_name text, constraint_name text, column_name text, message text
) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  culprit text := nullif(column_name, '');
  code text := case state
    when 'SN001' then 'checkpoint'
    when 'SN002' then 'unknown_stage'
    when 'SN003' then 'cycle'
    when 'SN004' then 'last_owner'
    when 'SN005' then 'immutable'
    when 'SN006' then 'forbidden'
    when 'SN007' then 'immutable'
    when 'SN008' then 'missing_parent'
    when 'SN010' then 'nothing_to_restore'
    when '22001' then 'too_long'
    when '23502' then 'invalid_value'
    when '23503' then 'missing_parent'
    when '23505' then 'unique'
    when '23514' then case when constraint_name like '%\_length' then 'too_long' else 'invalid_value' end
    when '54000' then 'too_long'
    else case when state like '22%' then 'invalid_value' else 'unexpected' end
  end;
begin
  if culprit is null and constraint_name <> '' then
    -- The last column of the constraint: foreign keys begin with the workspace.
    select a.attname into culprit
      from pg_catalog.pg_constraint c
      join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[cardinality(c.conkey)]
      where c.conname = constraint_name and c.conrelid = to_regclass(format('public.%I', table_name));
  end if;
  return convoy.rejection(code, culprit, case
    when state like 'SN%' then message
    when code = 'missing_parent' then 'The record this one belongs to does not exist.'
    when code = 'too_long' then 'The value is too long.'
    when code = 'unique' then 'There is such a record already.'
    when state = '23502' then 'A value is required.'
    when code = 'invalid_value' then 'The value is not allowed.'
    else 'The change was refused (' || state || ').' end);
end
$$;

-- Errors that pass by themselves, or that are the server's own: the push fails as a whole and is resent. What is too
-- complex for the server (54) is so every time, and is refused.
create function convoy.is_transient(state text) returns boolean language sql immutable set search_path = ''
  return left(state, 2) in ('40', '53', '55', '57', '58', 'XX') or state = '25006';

-- One statement updates a row once: a record that is changed twice takes a second round.
create function convoy.update_rows(target text, changes convoy.change[]) returns void
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

-- The ids among these that some deletion has: one with a record, or one without, such as a membership's.
create function convoy.taken_deletions(ids uuid[]) returns uuid[]
language plpgsql stable set search_path = '' as $$
declare
  t record;
  in_table uuid[];
  taken uuid[] := array(select d.id from public.deletions d where d.id = any (ids));
begin
  if cardinality(ids) > 0 then
    for t in select s.name from convoy.synced_tables s loop
      execute format('select array(select distinct r.deletion_id from public.%I r where r.deletion_id = any ($1))', t.name)
        into in_table using ids;
      taken := taken || in_table;
    end loop;
  end if;
  return taken;
end
$$;

-- Which deletion each delete belongs to: the one that its device names, so that an undo knows it before and after
-- the push; else one for the whole group. A name that is taken is not used again: restoring a deletion restores
-- every row that has its id.
create function convoy.deletions_of(changes convoy.change[]) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  taken constant uuid[] := convoy.taken_deletions(array(
    select distinct (c.payload ->> 'deletion_id')::uuid from unnest(changes) c
    where c.op = 'delete' and convoy.is_uuid(c.payload ->> 'deletion_id')));
begin
  return (
    with deletes as (
      select c.position, c.group_no,
        case when convoy.is_uuid(c.payload ->> 'deletion_id') then (c.payload ->> 'deletion_id')::uuid end as named
      from unnest(changes) c where c.op = 'delete'
    ), groups as materialized (
      select g.group_no, gen_random_uuid() as made from (select distinct d.group_no from deletes d) g
    )
    select jsonb_object_agg(d.position, case
        when d.named is null or d.named = any (taken) then g.made
        else d.named end)
      from deletes d join groups g on g.group_no = d.group_no);
end
$$;

-- Deletes of rows that are deleted by then change nothing.
create function convoy.delete_rows(target text, changes convoy.change[], deletions jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  execute format(
    'update public.%1$I t set deleted_at = now(), deletion_id = ($2 ->> c.position::text)::uuid
       from unnest($1) c
      where c.table_name = %1$L and c.op = ''delete''
        and t.id = c.id and t.workspace_id = c.workspace_id and t.deleted_at is null', target)
    using changes, deletions;
end
$$;

-- Deletes that have to come before the inserts: of dependencies, since a new one may only be possible
-- without an old one.
create function convoy.early_deletes(changes convoy.change[]) returns convoy.change[]
language sql stable set search_path = '' as $$
  select coalesce(array_agg(c), '{}')
  from unnest(changes) c
  where c.op = 'delete' and c.row_revision is not null and c.table_name = 'task_dependencies'
$$;

create function convoy.write_changes(changes convoy.change[]) returns void
language plpgsql set search_path = '' as $$
declare
  early convoy.change[] := '{}'::convoy.change[];
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

-- The change of a refused group that cannot be written, and why. Writes nothing. Halves are written one after the other,
-- each on top of what could be written before it, so that every change is tried about twice.
create function convoy.find_culprit(changes convoy.change[]) returns convoy.decision
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

-- How long a push goes on trying changes; tests replace it.
create function convoy.push_time() returns interval language sql immutable set search_path = ''
  return interval '4 seconds';

-- The changes that this push does not try any more, and that the next one brings again (U18).
create function convoy.leave_untried(changes convoy.change[]) returns convoy.decision[]
language sql stable set search_path = '' as $$
  select array(
    select row(c.position, jsonb_build_object('outcome', 'blocked', 'by', c.id), false)::convoy.decision
    from unnest(changes) c)
$$;

-- Writes all groups that can be written together or by halves, and returns the refusals.
--   ordered: the groups in the order of order_groups, or null. any_tried: whether the push has written or refused
--   anything yet: then it ends at `ends_at`.
create function convoy.write_halves(
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
    return '{}'::convoy.decision[];
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
    return '{}'::convoy.decision[];
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
revoke execute on all functions in schema convoy from public;
