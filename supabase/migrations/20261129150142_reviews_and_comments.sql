-- Reviews name what was reviewed; comments are edited and deleted (sections 6 and 7 of docs/work-model.md).

-- Entries of the feed that are read by their kind, of one task.
create index activity_feed_entries on public.activity_feed (task_id, activity_type)
  where activity_type in ('comment', 'comment_edited', 'comment_deleted', 'question', 'answer', 'review_requested',
    'review_approved', 'review_returned');

create or replace function convoy.reserved_activities() returns text[] language sql immutable set search_path = ''
  return array['task_created', 'task_updated', 'task_deleted', 'stage_changed', 'dependency_added',
    'dependency_removed', 'conflict_settled', 'review_approved', 'review_returned'];

create or replace function convoy.keep_activity() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- The texts of a deleted comment are blanked (F4).
  if current_setting('convoy.blanking', true) = 'on'
    and (new.task_id, new.entity_type, new.entity_id, new.actor_id, new.activity_type)
      is not distinct from (old.task_id, old.entity_type, old.entity_id, old.actor_id, old.activity_type)
  then
    return new;
  end if;
  raise exception 'What has happened is not rewritten.' using errcode = 'SN005';
end
$$;

create or replace function convoy.decide_lost_moves(changes convoy.change[]) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select row(a.position, jsonb_build_object('outcome', 'blocked', 'by', t.id), false)::convoy.decision
    from unnest(changes) a
    join unnest(changes) t
      on t.group_no = a.group_no and t.table_name = 'tasks' and t.id::text = a.payload ->> 'task_id'
    where a.table_name = 'activity_feed' and a.op = 'insert' and a.payload ->> 'activity_type' in ('stage_changed', 'review_approved', 'review_returned')
      and t.conflicts ? 'current_stage');
end
$$;

create or replace function convoy.decide(
  inout changes convoy.change[], inout links convoy.link[], kinds text[], cursors convoy.cursor_position[], locked uuid[],
  passing boolean,
  out decided convoy.decision[]
) language plpgsql set search_path = '' as $$
declare
  all_changes constant convoy.change[] := changes;
  tells constant boolean := 'insert activity_feed' = any (kinds);
  memberships jsonb;
  roles jsonb;
  known convoy.found_row[];
  hidden convoy.decision[];
  stage convoy.decision[];
  clashes convoy.clash[];
begin
  select coalesce(jsonb_object_agg(m.workspace_id, m.role), '{}') into memberships
    from public.workspace_members m
    where m.user_id = auth.uid() and m.deleted_at is null and m.workspace_id = any (locked);
  roles := memberships;
  if 'insert workspaces' = any (kinds) then
    -- The creator of a workspace owns it. A workspace that exists already, or did, gives no role.
    select coalesce(jsonb_object_agg(c.id, case when s.scope_id is null then 'owner' end), '{}') || memberships into roles
      from unnest(changes) c left join convoy.scope_clocks s on s.scope_id = c.id
      where c.table_name = 'workspaces' and c.op = 'insert' and c.id <> '00000000-0000-7000-8000-000000000000';
  end if;

  decided := array(
    select row(c.position, c.problem, false)::convoy.decision from unnest(changes) c where c.problem is not null);
  changes := convoy.still_open(changes, decided);

  stage := convoy.decide_permission(changes, roles);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  if 'insert workspaces' = any (kinds) then
    stage := convoy.decide_headstones(changes);
    decided := decided || stage;
    changes := convoy.still_open(changes, stage);
  end if;

  if tells then
    stage := convoy.decide_activities(changes, all_changes, passing);
    decided := decided || stage;
    changes := convoy.still_open(changes, stage);
  end if;
  known := convoy.find_known(changes);
  changes := convoy.with_known(changes, known);

  hidden := convoy.decide_hidden(changes, links, locked);
  decided := decided || hidden;
  changes := convoy.still_open(changes, hidden);

  if cardinality(known) > 0 or kinds && '{update, delete, again}' then
    stage := convoy.decide_existing(changes, memberships);
    decided := decided || stage;
    changes := convoy.still_open(changes, stage);
    if tells then
      stage := convoy.decide_idle_activities(changes, all_changes, hidden || stage);
      decided := decided || stage;
      changes := convoy.still_open(changes, stage);
    end if;
  end if;

  stage := convoy.decide_parents(changes, links);
  links := array(select l from unnest(links) l where l.provider is not null);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  if 'update' = any (kinds) then
    if exists (select from unnest(changes) c where c.expected is not null) then
      stage := convoy.decide_unexpected(changes);
      decided := decided || stage;
      changes := convoy.still_open(changes, stage);
    end if;
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

  if tells then
    stage := convoy.decide_reviews(changes);
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
    select m.changes, m.decided into changes, stage from convoy.decide_told_moves(changes) m;
    decided := decided || stage;
    changes := convoy.still_open(changes, stage);
  end if;
end
$$;

create or replace function convoy.decide_activities(
  changes convoy.change[], all_changes convoy.change[], passing boolean
) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  settled text[];
begin
  changes := array(
    select c from unnest(changes) c
    where c.table_name = 'activity_feed' and c.op = 'insert'
      and c.payload ->> 'activity_type' = any (convoy.reserved_activities()));
  if cardinality(changes) = 0 then
    return '{}'::convoy.decision[];
  end if;
  -- What a change of another group does, none of these may tell of.
  all_changes := convoy.changes_of(all_changes, array(select distinct c.group_no from unnest(changes) c));
  settled := array(
    select k.workspace_id || ' ' || k.table_name || ' ' || k.record_id from convoy.conflicts k
    where k.user_id = auth.uid() and k.record_id = any (array(
      select coalesce(c.payload ->> 'task_id', c.payload ->> 'entity_id')::uuid from unnest(changes) c
      where c.payload ->> 'activity_type' = 'conflict_settled')));
  return array(
    with told as (
      select c.position, c.group_no, c.workspace_id, c.payload ->> 'activity_type' as activity_type,
        -- The feed of a deleted task goes with it, so that this one stands in the feed of its parent task.
        case when c.payload ->> 'activity_type' = 'task_deleted' then c.payload ->> 'entity_id'
          else coalesce(c.payload ->> 'task_id', c.payload ->> 'entity_id') end as subject,
        case when c.payload ->> 'activity_type' = 'task_deleted' or c.payload ->> 'task_id' is not null then 'tasks'
          else c.payload ->> 'entity_type' end as about,
        c.payload -> 'details' as details
      from unnest(changes) c
    ), removed as materialized (
      select d.id, d.workspace_id, d.task_id from public.task_dependencies d
      where d.id = any (array(
        select c.id from unnest(all_changes) c where c.table_name = 'task_dependencies' and c.op = 'delete'))
    ), made as (
      select distinct c.group_no, c.workspace_id, what.activity_type, what.subject, what.about
      from unnest(all_changes) c
      left join removed d on d.id = c.id and d.workspace_id = c.workspace_id
      cross join lateral (values
        ('task_created', c.id::text, 'tasks', c.table_name = 'tasks' and c.op = 'insert'),
        ('stage_changed', c.id::text, 'tasks',
          c.table_name = 'tasks' and (c.op = 'insert' or c.op = 'update' and c.payload ? 'current_stage')),
        ('task_updated', c.id::text, 'tasks', c.table_name = 'tasks' and c.op <> 'delete' and c.payload <> '{}'),
        ('task_deleted', c.id::text, 'tasks', c.table_name = 'tasks' and c.op = 'delete'),
        ('review_approved', c.id::text, 'tasks',
          c.table_name = 'tasks' and (c.op = 'insert' or c.op = 'update' and c.payload ?| '{current_stage, status}')),
        ('review_returned', c.id::text, 'tasks',
          c.table_name = 'tasks' and (c.op = 'insert' or c.op = 'update' and c.payload ? 'current_stage')),
        ('dependency_added', c.payload ->> 'task_id', 'tasks', c.table_name = 'task_dependencies' and c.op = 'insert'),
        ('dependency_removed', d.task_id::text, 'tasks', d.id is not null and c.op = 'delete'),
        ('conflict_settled', c.id::text, c.table_name, c.op <> 'delete' and c.payload <> '{}')
      ) what (activity_type, subject, about, holds)
      where what.holds
    )
    select case when passing then convoy.passed_over(t.position)
      else convoy.untold(t.position) end
    from told t
    left join made m
      on m.group_no = t.group_no and m.workspace_id = t.workspace_id
        and m.activity_type = t.activity_type and m.subject = t.subject and m.about = t.about
    where m.subject is null
        and not (t.activity_type = 'conflict_settled'
          and t.workspace_id || ' ' || t.about || ' ' || t.subject = any (settled))
      or t.activity_type = 'conflict_settled' and (
        t.about = 'workspace_members' or t.details ->> 'table' is distinct from t.about
        or t.details ->> 'record_id' is distinct from t.subject));
end
$$;

create or replace function convoy.text_hash(title text, description text) returns text language sql stable
  return encode(sha256(convert_to(title || E'\n' || coalesce(description, ''), 'UTF8')), 'hex');

create or replace function convoy.decide_reviews(changes convoy.change[]) returns convoy.decision[]
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
        (array_agg(c.payload ->> 'current_stage' order by c.position desc))[1] as stage
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
      select distinct e.task_id, e.details ->> 'request' as request_id from entries e
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
              and (jsonb_typeof(n.reason) is distinct from 'string' or convoy.is_blank(n.reason #>> '{}'))
            then row(n.position, convoy.rejection('invalid_value', 'details', 'A return gives its reason.'), false)::convoy.decision
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

create or replace function convoy.review_fault(details jsonb) returns text
language sql immutable set search_path = '' as $$
  select case
    when jsonb_typeof(details) is distinct from 'object' then 'A request for review is an object.'
    when jsonb_typeof(details -> 'text') is distinct from 'string' or convoy.is_blank(details ->> 'text')
      then 'A request for review says what is to be reviewed.'
    when jsonb_typeof(details -> 'stage') is distinct from 'string' or char_length(details ->> 'stage') > 64
      then 'A request for review names its stage.'
    when coalesce(jsonb_typeof(details -> 'branch'), 'null') not in ('string', 'null') or char_length(details ->> 'branch') > 255
      then 'A branch has at most 255 characters.'
    when coalesce(jsonb_typeof(details -> 'commit'), 'null') <> 'null' and details ->> 'commit' !~ '^[0-9a-f]{7,64}$'
      then 'A commit is 7 to 64 hexadecimal digits.'
    when coalesce(jsonb_typeof(details -> 'links'), 'array') <> 'array' then 'Links are a list.'
    when details -> 'links' is not null and (jsonb_array_length(details -> 'links') > 20 or exists (
        select from jsonb_array_elements(details -> 'links') l
        where jsonb_typeof(l) <> 'string' or l #>> '{}' !~ '^https?://[^[:space:]<>"]+$' or char_length(l #>> '{}') > 2000))
      then 'Links are at most 20 addresses with http or https.'
  end
$$;

create or replace function public.get_task_entries(task_id uuid, types text[]) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(a))
      order by a.revision, date_trunc('milliseconds', a.created_at), a.id), '[]')
  from public.activity_feed a
  where a.task_id = get_task_entries.task_id and a.deleted_at is null and a.activity_type = any (types)
    and a.activity_type in ('comment', 'comment_edited', 'comment_deleted', 'question', 'answer', 'review_requested',
      'review_approved', 'review_returned')
$$;

create or replace function convoy.blanked(details jsonb) returns jsonb language sql stable
  return jsonb_strip_nulls(jsonb_build_object(
    'comment', case when convoy.is_uuid(details ->> 'comment') then details -> 'comment' end,
    'question', case when convoy.is_uuid(details ->> 'question') then details -> 'question' end,
    'to', case when convoy.is_uuid(details ->> 'to') then details -> 'to' end)) || '{"deleted": true}'::jsonb;

create or replace function convoy.check_entries() returns trigger
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
    select n.id, case when convoy.review_fault(n.details) is not null then '22023' end
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
        or a.activity_type = 'comment_edited' and a.details ->> 'comment' in (select g::text from unnest(gone) g))
      and a.details -> 'deleted' is distinct from 'true';
  perform set_config('convoy.blanking', '', true);
  return null;
end
$$;

revoke all on function convoy.text_hash(text,text) from public, anon, authenticated, service_role;
revoke all on function convoy.decide_reviews(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.review_fault(jsonb) from public, anon, authenticated, service_role;
revoke all on function public.get_task_entries(uuid,text[]) from public, anon, authenticated, service_role;
grant execute on function public.get_task_entries(uuid,text[]) to authenticated, service_role;
revoke all on function convoy.blanked(jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.check_entries() from public, anon, authenticated, service_role;

create trigger c_entries after insert on public.activity_feed
  referencing new table as new_rows
  for each statement execute function convoy.check_entries();
