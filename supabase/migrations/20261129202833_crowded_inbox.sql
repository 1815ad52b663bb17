-- crowded inbox: the server's inbox takes a step for each entry that mentions the user, whatever their tasks hold: edits, deletions and
-- the user's own words are looked up along indexes, from the newest entry on, until there are as many as it shows. Ids in capitals
-- count as others do.

create or replace function convoy.named_id(activity_type text, details jsonb) returns text language sql immutable
  return case when length(details ->> case activity_type when 'question' then 'to' when 'answer' then 'question'
      when 'comment_edited' then 'comment' when 'comment_deleted' then 'comment' else 'request' end) = 36
    then lower(details ->> case activity_type when 'question' then 'to' when 'answer' then 'question'
      when 'comment_edited' then 'comment' when 'comment_deleted' then 'comment' else 'request' end) end;

create or replace function convoy.mentioned(details jsonb) returns jsonb language sql immutable
  return case when jsonb_typeof(details -> 'mentions') = 'array' then lower((details -> 'mentions')::text)::jsonb end;

-- Entries that ask or mention somebody.
drop index public.activity_feed_asked;
create index activity_feed_asked on public.activity_feed (convoy.named_id(activity_type, details), created_at)
  where activity_type = 'question';
drop index public.activity_feed_mentions;
create index activity_feed_mentions on public.activity_feed using gin (convoy.mentioned(details) jsonb_path_ops)
  where activity_type in ('comment', 'question', 'answer', 'comment_edited') and details ? 'mentions';

-- Entries of the feed that are read by their kind, of one task, and by what they are about. One index: of two that begin alike the
-- planner may take the one by which all of a kind are read.
drop index public.activity_feed_entries;
create index activity_feed_entries on public.activity_feed (task_id, activity_type, convoy.named_id(activity_type, details))
  where activity_type in ('comment', 'comment_edited', 'comment_deleted', 'question', 'answer', 'review_requested',
    'review_approved', 'review_returned');

-- The last words of a user on a task.
create index activity_feed_words on public.activity_feed (actor_id, task_id, created_at)
  where activity_type in ('comment', 'question', 'answer') and deleted_at is null;

create or replace function convoy.open_request(of_task uuid) returns jsonb
language sql stable security definer set search_path = '' set enable_seqscan = off as $$
  select jsonb_build_object('id', r.id, 'stage', r.details -> 'stage', 'text', left(r.details ->> 'text', 280),
    'branch', nullif(r.details ->> 'branch', ''), 'commit', nullif(r.details ->> 'commit', ''),
    'requested_by', r.actor_id, 'requested_at', r.created_at)
  from (
    select * from public.activity_feed a
    where a.task_id = of_task and a.activity_type = 'review_requested' and a.deleted_at is null
      and jsonb_typeof(a.details -> 'text') = 'string' and jsonb_typeof(a.details -> 'stage') = 'string'
    order by a.revision desc, date_trunc('milliseconds', a.created_at) desc, a.id desc limit 1
  ) r
  where not exists (
    select from public.activity_feed s
    where s.task_id = of_task and s.activity_type in ('review_approved', 'review_returned') and s.deleted_at is null
      and convoy.named_id(s.activity_type, s.details) = r.id::text)
$$;

create or replace function convoy.is_gone(entry public.activity_feed) returns boolean
language sql stable security definer set search_path = '' set enable_seqscan = off as $$
  select entry.deleted_at is not null or entry.details -> 'deleted' is not distinct from 'true' or exists (
    select from public.activity_feed d
    where d.task_id = entry.task_id and d.activity_type = 'comment_deleted' and d.deleted_at is null
      and convoy.named_id(d.activity_type, d.details) = entry.id::text)
$$;

create or replace function convoy.newest_edit(entry public.activity_feed) returns jsonb
language sql stable security definer set search_path = '' set enable_seqscan = off as $$
  select jsonb_build_object('details', e.details, 'at', e.created_at) from public.activity_feed e
    where e.task_id = entry.task_id and e.activity_type = 'comment_edited' and e.deleted_at is null
      and convoy.named_id(e.activity_type, e.details) = entry.id::text and e.actor_id is not distinct from entry.actor_id
      and jsonb_typeof(e.details -> 'text') = 'string' and e.details ->> 'text' <> ''
    order by date_trunc('milliseconds', e.created_at) desc, e.id desc limit 1
$$;

create or replace function convoy.folded(entry public.activity_feed) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  own constant jsonb := case jsonb_typeof(entry.details) when 'object' then entry.details else '{}' end;
  latest jsonb;
begin
  if convoy.is_gone(entry) then
    return null;
  end if;
  latest := own || coalesce(convoy.newest_edit(entry) -> 'details', '{}');
  return jsonb_build_object(
    'text', left(coalesce(
      case jsonb_typeof(latest -> 'text') when 'string' then nullif(latest ->> 'text', '') end,
      case jsonb_typeof(own -> 'comment') when 'string' then own ->> 'comment' end, ''), 280),
    'mentions', coalesce(convoy.mentioned(latest), '[]'));
end
$$;

create or replace function convoy.is_shown_task(task uuid) returns boolean
language sql stable security definer set search_path = '' set enable_seqscan = off as $$
  select exists (
    select from public.tasks t
    where t.id = task and t.deleted_at is null
      and case when exists (select from convoy.unfinished_deletions u where u.workspace_id = t.workspace_id)
        then convoy.hidden_by('tasks', t.id) is null else true end)
$$;

create or replace function convoy.waiting_messages(me uuid, scopes uuid[], most integer)
returns table (list text, entry_id uuid, content text, since timestamptz)
language sql stable security definer set search_path = ''
set enable_seqscan = off set jit = off as $$
  with asked as materialized (
    select q.id, q.task_id, date_trunc('milliseconds', q.created_at) as since
    from public.activity_feed q
    where q.activity_type = 'question' and convoy.named_id(q.activity_type, q.details) = me::text
      and q.workspace_id = any (scopes) and q.deleted_at is null
  ), named as materialized (
    select n.id, n.task_id, n.activity_type, date_trunc('milliseconds', n.created_at) as since,
      case n.activity_type when 'comment_edited' then convoy.named_id(n.activity_type, n.details) end as about
    from public.activity_feed n
    where n.activity_type in ('comment', 'question', 'answer', 'comment_edited') and n.details ? 'mentions'
      and convoy.mentioned(n.details) @> jsonb_build_array(me) and n.workspace_id = any (scopes) and n.deleted_at is null
      and n.actor_id is distinct from me
      and not (n.activity_type = 'question' and convoy.named_id(n.activity_type, n.details) is not distinct from me::text)
  ), edited as materialized (
    -- Of other forms "comment" may be anything. The planner is free to convert it before its form is looked at.
    select distinct n.task_id, case when convoy.is_uuid(n.about) then n.about::uuid end as id
    from named n where n.activity_type = 'comment_edited'
  ), mentioning as materialized (
    select n.id, n.task_id, n.since from named n where n.activity_type <> 'comment_edited'
    union all
    -- Those that have mentioned the user since their newest edit.
    select o.id, o.task_id, date_trunc('milliseconds', (e.edit ->> 'at')::timestamptz)
    from edited n
    cross join lateral (select * from public.activity_feed x where x.id = n.id offset 0) o
    cross join lateral (select convoy.newest_edit(o) as edit offset 0) e
    where o.task_id = n.task_id and o.activity_type in ('comment', 'question', 'answer') and o.deleted_at is null
      and o.workspace_id = any (scopes) and o.actor_id is distinct from me
      and not (o.activity_type = 'question' and convoy.named_id(o.activity_type, o.details) is not distinct from me::text)
      and (convoy.mentioned(o.details) @> jsonb_build_array(me)) is not true
      and convoy.mentioned(e.edit -> 'details') @> jsonb_build_array(me)
  )
  (select 'questions', q.id, f.content ->> 'text', q.since
    from (select * from asked a order by a.since desc, a.id desc offset 0) q
    cross join lateral (
      select convoy.folded(x) as content from public.activity_feed x
      where x.id = q.id and convoy.is_shown_task(x.task_id) and not exists (
        select from public.activity_feed a
        where a.task_id = q.task_id and a.activity_type = 'answer' and a.deleted_at is null
          and convoy.named_id(a.activity_type, a.details) = q.id::text and not convoy.is_gone(a) offset 0)
      offset 0
    ) f
    where f.content is not null
    order by q.since desc, q.id desc limit most)
  union all
  (select 'mentions', c.id, f.content ->> 'text', c.since
    from (select * from mentioning m order by m.since desc, m.id desc offset 0) c
    cross join lateral (
      select convoy.folded(x) as content from public.activity_feed x
      where x.id = c.id and not exists (
        select from public.activity_feed w
        where w.actor_id = me and w.task_id = c.task_id and w.activity_type in ('comment', 'question', 'answer')
          and w.deleted_at is null and w.created_at >= c.since + interval '1 millisecond' offset 0)
        and convoy.is_shown_task(x.task_id)
      offset 0
    ) f
    where f.content -> 'mentions' @> jsonb_build_array(me)
    order by c.since desc, c.id desc limit most)
$$;

create or replace function public.get_inbox() returns jsonb
language plpgsql stable security definer set search_path = '' set timezone = 'UTC' as $$
declare
  most constant integer := 200;
  me constant uuid := auth.uid();
  scopes constant uuid[] := array(
    select v from convoy.visible_scopes() v where v <> '00000000-0000-7000-8000-000000000000'::uuid);
  reviews jsonb;
  messages jsonb;
  is_cut boolean;
begin
  select coalesce(jsonb_agg(jsonb_build_object(
        'task', convoy.inbox_task(t), 'request', r.request, 'updated_at', t.updated_at,
        'members', convoy.reviewers_known(t.workspace_id, array[me, t.assignee_id, t.claimed_by, (r.request ->> 'requested_by')::uuid]))), '[]'),
      coalesce(bool_or(f.is_full), false)
    into reviews, is_cut
    from convoy.waiting_tasks(me, scopes, most) f
    cross join lateral (select * from public.tasks x where x.id = f.task_id offset 0) t
    cross join lateral (select convoy.open_request(t.id) as request offset 0) r;
  select coalesce(jsonb_object_agg(l.list, l.items), '{}'), is_cut or coalesce(bool_or(l.n > most), false)
    into messages, is_cut
    from (
      select w.list, count(*) as n, jsonb_agg(jsonb_build_object(
        'id', a.id, 'kind', a.activity_type, 'task', convoy.inbox_task(t), 'author_id', a.actor_id,
        'text', w.content, 'since', w.since)) as items
      from convoy.waiting_messages(me, scopes, most + 1) w
      join public.activity_feed a on a.id = w.entry_id
      join public.tasks t on t.id = a.task_id
      group by w.list
    ) l;
  return jsonb_build_object('reviews', reviews, 'questions', coalesce(messages -> 'questions', '[]'),
    'mentions', coalesce(messages -> 'mentions', '[]'), 'is_cut', is_cut);
end
$$;

revoke all on function convoy.named_id(text,jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.mentioned(jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.is_gone(public.activity_feed) from public, anon, authenticated, service_role;
revoke all on function convoy.newest_edit(public.activity_feed) from public, anon, authenticated, service_role;
revoke all on function convoy.is_shown_task(uuid) from public, anon, authenticated, service_role;
grant execute on function convoy.named_id(text, jsonb), convoy.mentioned(jsonb) to service_role;
