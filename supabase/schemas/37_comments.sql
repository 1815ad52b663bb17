-- Comments, questions and answers (section 7 of docs/work-model.md). They are entries of the feed; an edit and a deletion of one
-- are entries of their own, and readers fold them.

-- What is left of a deleted entry: what it refers to, and nothing of its text.
create function convoy.blanked(details jsonb) returns jsonb language sql stable
  return jsonb_strip_nulls(jsonb_build_object(
    'comment', case when convoy.is_uuid(details ->> 'comment') then details -> 'comment' end,
    'question', case when convoy.is_uuid(details ->> 'question') then details -> 'question' end,
    'to', case when convoy.is_uuid(details ->> 'to') then details -> 'to' end)) || '{"deleted": true}'::jsonb;

-- F2 to F4, and the shape of requests for review (V1). Runs after the statement, so that it sees a comment and its edit that
-- come together.
create function convoy.check_entries() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  fault record;
  gone uuid[];
begin
  -- Most entries are none of these; what was passed over is deleted already.
  if not exists (
    select from new_rows n
    where n.activity_type in ('comment_edited', 'comment_deleted', 'review_requested') and n.deleted_at is null)
  then
    return null;
  end if;
  with named as materialized (
    select n.*, case when convoy.is_uuid(n.details ->> 'comment') then (n.details ->> 'comment')::uuid end as comment_id
    from new_rows n
    where n.activity_type in ('comment_edited', 'comment_deleted') and n.deleted_at is null
  ), faults as (
    select n.id, case
        when c.id is null then 'SN008'
        -- One that its device had blanked already.
        when n.activity_type = 'comment_edited' and n.details -> 'deleted' = 'true' and not n.details ? 'text'
            and c.actor_id = n.actor_id then null
        when n.activity_type = 'comment_edited' and (
            jsonb_typeof(n.details -> 'text') is distinct from 'string' or convoy.is_blank(n.details ->> 'text')) then '22023'
        when c.actor_id = n.actor_id then
          case when n.activity_type = 'comment_edited' and c.details -> 'deleted' = 'true' then 'SN008' end
        when n.activity_type = 'comment_edited' then 'SN006'
        -- Secrets that were pasted have to go, whoever pasted them.
        when not exists (
            select from public.workspace_members m
            join public.profiles p on p.id = m.user_id
            where m.workspace_id = n.workspace_id and m.user_id = n.actor_id and m.deleted_at is null
              and m.role = 'owner' and p.kind = 'human') then 'SN006'
      end as state
    from named n
    left join public.activity_feed c
      on c.id = n.comment_id and c.workspace_id = n.workspace_id and c.task_id = n.task_id and c.deleted_at is null
        and c.activity_type in ('comment', 'question', 'answer')
    union all
    select n.id, case when n.task_id is null or convoy.review_fault(n.details) is not null then '22023' end
    from new_rows n
    where n.activity_type = 'review_requested' and n.deleted_at is null
  )
  select f.state into fault from faults f where f.state is not null order by f.id limit 1;
  if fault.state = 'SN008' then
    raise exception 'The comment does not exist, or was deleted.' using errcode = 'SN008', column = 'details';
  elsif fault.state = 'SN006' then
    raise exception 'A comment is changed by its author alone.' using errcode = 'SN006', column = 'details';
  elsif fault.state is not null then
    raise exception 'The details of this entry are not allowed.' using errcode = '22023', column = 'details';
  end if;

  gone := array(
    select (n.details ->> 'comment')::uuid from new_rows n
    where n.activity_type = 'comment_deleted' and n.deleted_at is null);
  if cardinality(gone) = 0 then
    return null;
  end if;
  -- The one exception from append-only: the texts go in the transaction that deletes them.
  perform set_config('convoy.blanking', 'on', true);
  update public.activity_feed a set details = convoy.blanked(a.details)
    where a.task_id in (select n.task_id from new_rows n where n.activity_type = 'comment_deleted')
      and (a.activity_type in ('comment', 'question', 'answer') and a.id = any (gone)
        -- An id may be spelled in capitals.
        or a.activity_type = 'comment_edited' and lower(a.details ->> 'comment') in (select g::text from unnest(gone) g))
      and a.details -> 'deleted' is distinct from 'true';
  perform set_config('convoy.blanking', '', true);
  return null;
end
$$;
create trigger c_entries after insert on public.activity_feed
  referencing new table as new_rows
  for each statement execute function convoy.check_entries();

-- The deletion of a comment blanks it and its edits (F4), those too that came in the same push, by a device that was restored
-- from a backup for example. They are sent where the device does not have them blanked.
create function convoy.pick_blanked(changes convoy.change[], decided convoy.decision[]) returns convoy.pick[]
language plpgsql stable set search_path = '' as $$
begin
  if not exists (
    select from unnest(changes) c
    where c.table_name = 'activity_feed' and c.op = 'insert'
      and c.payload ->> 'activity_type' in ('comment', 'question', 'answer', 'comment_edited'))
  then
    return '{}'::convoy.pick[];
  end if;
  return array(
    select row('activity_feed', a.id)::convoy.pick
    from unnest(changes) c
    join unnest(decided) d on d.position = c.position and d.outcome ->> 'outcome' = 'applied'
    join public.activity_feed a on a.id = c.id and a.workspace_id = c.workspace_id
    where c.table_name = 'activity_feed' and c.op = 'insert'
      and c.payload ->> 'activity_type' in ('comment', 'question', 'answer', 'comment_edited')
      and a.details -> 'deleted' = 'true' and c.payload -> 'details' -> 'deleted' is distinct from 'true');
end
$$;

revoke execute on all functions in schema convoy from public;
