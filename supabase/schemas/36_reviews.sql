-- Reviews (section 6 of docs/work-model.md): a request names what is to be reviewed; approving and returning name the request.

-- What was reviewed: the task's text, as reviewed() of src/domain/reviews.ts has it.
create function convoy.text_hash(title text, description text) returns text language sql stable
  return encode(sha256(convert_to(title || E'\n' || coalesce(description, ''), 'UTF8')), 'hex');

-- The id that an entry names: of whom it asks, or of the entry that it is about; null where there is none. Any client may have
-- written any JSON: what is indexed is short. Some clients spell UUIDs in capitals.
create function convoy.named_id(activity_type text, details jsonb) returns text language sql immutable
  return case when length(details ->> case activity_type when 'question' then 'to' when 'answer' then 'question'
      when 'comment_edited' then 'comment' when 'comment_deleted' then 'comment' else 'request' end) = 36
    then lower(details ->> case activity_type when 'question' then 'to' when 'answer' then 'question'
      when 'comment_edited' then 'comment' when 'comment_deleted' then 'comment' else 'request' end) end;
-- An index is made by it, and whoever writes an entry past the API needs it.
grant execute on function convoy.named_id(text, jsonb) to service_role;

-- Entries of the feed that are read by their kind, of one task, and by what they are about. One index: of two that begin alike the
-- planner may take the one by which all of a kind are read.
create index activity_feed_entries on public.activity_feed (task_id, activity_type, convoy.named_id(activity_type, details))
  where activity_type in ('comment', 'comment_edited', 'comment_deleted', 'question', 'answer', 'review_requested',
    'review_approved', 'review_returned');

-- Approvals and returns are taken from people whom checkpoints do not bind, of the task's newest request, while nobody has
-- settled it and the text is still what was reviewed (V2 to V5). One whose move somebody has made already is passed over.
-- Tasks that come back to a server that has lost them bring their feed as it was (P13, P19). `changes`: the open ones; where
-- the move of a group is decided already, its activity shares its fate. Only rows of before the batch are asked: what the
-- batch itself brings is of the same device, which has judged its order.
create function convoy.decide_reviews(changes convoy.change[]) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  told constant convoy.change[] := array(
    select c from unnest(changes) c
    where c.table_name = 'activity_feed' and c.op = 'insert'
      and c.payload ->> 'activity_type' in ('review_approved', 'review_returned'));
begin
  if cardinality(told) = 0 then
    return '{}'::convoy.decision[];
  end if;
  return array(
    with named as materialized (
      select c.position, c.group_no, c.workspace_id, c.payload ->> 'activity_type' as activity_type,
        c.payload ->> 'task_id' as task_id, c.payload #> '{details,reason}' as reason,
        case when convoy.is_uuid(c.payload #>> '{details,request}') then (c.payload #>> '{details,request}')::uuid end
          as request_id
      from unnest(told) c
    ), moves as materialized (
      select c.group_no, c.workspace_id, c.id, bool_or(c.op = 'insert') as is_new,
        (array_agg(c.payload ->> 'current_stage' order by c.position desc))[1] as stage,
        (array_agg(c.payload ->> 'status' order by c.position desc))[1] as status
      from unnest(changes) c
      where c.table_name = 'tasks' and c.op in ('insert', 'update')
      group by c.group_no, c.workspace_id, c.id
    ), brought as materialized (
      select c.id, c.workspace_id, c.payload ->> 'task_id' as task_id, c.payload #>> '{details,stage}' as stage
      from unnest(changes) c
      where c.table_name = 'activity_feed' and c.op = 'insert' and c.payload ->> 'activity_type' = 'review_requested'
    ), entries as materialized (
      select a.id, a.task_id, a.activity_type, a.revision, a.details,
        row_number() over (
          partition by a.task_id, a.activity_type
          order by a.revision desc, date_trunc('milliseconds', a.created_at) desc, a.id desc) as newness
      from public.activity_feed a
      where a.task_id = any (array(select m.id from moves m))
        and a.activity_type in ('review_requested', 'review_approved', 'review_returned') and a.deleted_at is null
    ), settled as materialized (
      select distinct e.task_id, lower(e.details ->> 'request') as request_id from entries e
      where e.activity_type <> 'review_requested'
    ), bound as materialized (
      select w.workspace_id, convoy.stops_at_checkpoints(w.workspace_id) as is_bound
      from (select distinct n.workspace_id from named n) w
    ), judged as (
      select n.position, case
          when b.is_bound then case when m.is_new then convoy.passed_over(n.position)
            else row(n.position, convoy.rejection('checkpoint', 'current_stage',
              'Only a person who owns or edits the workspace settles a review.'), false)::convoy.decision end
          when n.activity_type = 'review_returned'
              and (jsonb_typeof(n.reason) is distinct from 'string' or convoy.is_blank(n.reason #>> '{}')
                or char_length(n.reason #>> '{}') > 10000)
            then row(n.position, convoy.rejection('invalid_value', 'details',
              'A return gives its reason, in at most 10,000 characters.'), false)::convoy.decision
          when m.is_new then null
          when r.id is null and i.id is null
            then row(n.position, convoy.rejection('review_outdated', 'details',
              'The task has no such request for review.'), false)::convoy.decision
          when m.stage = t.current_stage then convoy.passed_over(n.position)
          when r.newness > 1
            then row(n.position, convoy.rejection('review_outdated', 'details',
              'There is a newer request for review. Look at that one.'), false)::convoy.decision
          when s.request_id is not null
            then row(n.position, convoy.rejection('review_outdated', 'details',
              'This request for review has been settled already.'), false)::convoy.decision
          when r.id is not null and (
              coalesce((t.field_revisions -> 'title' ->> 0)::bigint > r.revision, false)
              or coalesce((t.field_revisions -> 'description' ->> 0)::bigint > r.revision, false)
              or coalesce(r.details ->> 'text_hash' <> convoy.text_hash(t.title, t.description), false))
            then row(n.position, convoy.rejection('text_changed', 'details',
              'The text of the task has changed since the review was requested.'), false)::convoy.decision
          -- Past a checkpoint that is the last stage the task is done, and an approval without a move tells of nothing.
          when n.activity_type = 'review_approved' and m.stage is null and m.status is distinct from 'done'
            then convoy.untold(n.position)
          -- Moves that a device made one after the other are one change, and several activities that tell of its way.
          when n.activity_type = 'review_approved' and m.stage is not null
              and not convoy.passes_checkpoint(t.workflow_id, coalesce(r.details ->> 'stage', i.stage), m.stage)
              and not exists (
                select from unnest(changes) c
                where c.group_no = n.group_no and c.payload ->> 'activity_type' = 'stage_changed'
                  and c.payload ->> 'task_id' = n.task_id and convoy.passes_checkpoint(
                    t.workflow_id, coalesce(r.details ->> 'stage', i.stage), c.payload #>> '{details,to}'))
            then convoy.untold(n.position)
        end as decision
      from named n
      join moves m on m.group_no = n.group_no and m.workspace_id = n.workspace_id and m.id::text = n.task_id
      join bound b on b.workspace_id = n.workspace_id
      left join public.tasks t on t.id = m.id and t.workspace_id = m.workspace_id
      left join entries r on r.id = n.request_id and r.task_id = m.id and r.activity_type = 'review_requested'
      left join brought i on i.id = n.request_id and i.workspace_id = n.workspace_id and i.task_id = n.task_id
      left join settled s on s.task_id = m.id and s.request_id = n.request_id::text
    )
    select j.decision from judged j where j.decision is not null);
end
$$;

-- The shape of a request for review (V1), and of what is read out of it later: anything else would be shown to a person who
-- approves it.
create function convoy.review_fault(details jsonb) returns text
language sql immutable set search_path = '' as $$
  select case
    when jsonb_typeof(details) is distinct from 'object' then 'A request for review is an object.'
    when jsonb_typeof(details -> 'text') is distinct from 'string' or convoy.is_blank(details ->> 'text')
        or char_length(details ->> 'text') > 20000
      then 'A request for review says what is to be reviewed, in at most 20,000 characters.'
    when jsonb_typeof(details -> 'stage') is distinct from 'string' or char_length(details ->> 'stage') > 64
      then 'A request for review names its stage.'
    when coalesce(jsonb_typeof(details -> 'branch'), 'null') not in ('string', 'null') or char_length(details ->> 'branch') > 255
      then 'A branch has at most 255 characters.'
    when coalesce(jsonb_typeof(details -> 'commit'), 'null') not in ('string', 'null')
        or details ->> 'commit' !~ '^[0-9a-f]{7,64}$'
      then 'A commit is 7 to 64 hexadecimal digits.'
    when coalesce(jsonb_typeof(details -> 'links'), 'array') <> 'array' then 'Links are a list.'
    when details -> 'links' is not null and (jsonb_array_length(details -> 'links') > 20 or exists (
        select from jsonb_array_elements(details -> 'links') l
        where jsonb_typeof(l) <> 'string' or l #>> '{}' !~ '^https?://[^[:space:]<>"]+$' or char_length(l #>> '{}') > 2000))
      then 'Links are at most 20 addresses with http or https.'
  end
$$;

-- Entries of these kinds of one task, in the order in which the server took them.
create function public.get_task_entries(task_id uuid, types text[]) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(a))
      order by a.revision, date_trunc('milliseconds', a.created_at), a.id), '[]')
  from public.activity_feed a
  where a.task_id = get_task_entries.task_id and a.deleted_at is null and a.activity_type = any (types)
    and a.activity_type in ('comment', 'comment_edited', 'comment_deleted', 'question', 'answer', 'review_requested',
      'review_approved', 'review_returned')
$$;

revoke execute on all functions in schema convoy from public;
revoke execute on function public.get_task_entries(uuid, text[]) from public, anon;
grant execute on function public.get_task_entries(uuid, text[]) to authenticated, service_role;
