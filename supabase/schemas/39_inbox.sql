-- The inbox (section 9 of docs/work-model.md): what waits for a user. src/domain/inbox.ts makes it of these facts; a device has the
-- same from its own database. Every list is read along an index, and no further than it may be shown.

-- Tasks by stage, those first that nobody has changed for longest. By the stage first: see tasks_key.
create index tasks_stage on public.tasks (current_stage, workspace_id, updated_at, id)
  where deleted_at is null and status in ('todo', 'in_progress', 'blocked');
create index tasks_assignee on public.tasks (assignee_id, updated_at, id)
  where deleted_at is null and status in ('todo', 'in_progress', 'blocked') and assignee_id is not null;

-- The user ids that an entry mentions, and what else its list has; null where there is no list.
create function convoy.mentioned(details jsonb) returns jsonb language sql immutable
  return case when jsonb_typeof(details -> 'mentions') = 'array' then lower((details -> 'mentions')::text)::jsonb end;

-- Entries that ask or mention somebody.
create index activity_feed_asked on public.activity_feed (convoy.named_id(activity_type, details), created_at)
  where activity_type = 'question';
create index activity_feed_mentions on public.activity_feed using gin (convoy.mentioned(details) jsonb_path_ops)
  where activity_type in ('comment', 'question', 'answer', 'comment_edited') and details ? 'mentions';

-- The last words of a user on a task.
create index activity_feed_words on public.activity_feed (actor_id, task_id, created_at)
  where activity_type in ('comment', 'question', 'answer') and deleted_at is null;

-- The newest request for review of a task that is in the form of one, while nobody has settled it; else null.
create function convoy.open_request(of_task uuid) returns jsonb
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

-- Whether milestone and project of a task are open (N3), and no deletion above it goes on.
create function convoy.waits_in_place(scope uuid, milestone uuid, task uuid) returns boolean
language sql stable security definer set search_path = '' set enable_seqscan = off as $$
  select exists (
      select from public.milestones m
      join public.projects p on p.id = m.project_id and p.deleted_at is null
      where m.id = milestone and m.deleted_at is null and convoy.is_open_place(p.status, m.status))
    and case when exists (select from convoy.unfinished_deletions u where u.workspace_id = scope)
      then convoy.hidden_by('tasks', task) is null else true end
$$;

-- Tasks that wait at a checkpoint, where milestone and project are open (N3): up to `most` of those that are assigned to the user, of
-- those that agents of the user's hold, and of all, those first that nobody has changed for longest.
--   is_full: whether there may be more of them
create function convoy.waiting_tasks(me uuid, scopes uuid[], most integer)
returns table (task_id uuid, is_full boolean)
language sql stable security definer set search_path = ''
set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
  with stages as materialized (
    select w.id as workflow, w.workspace_id as scope, s ->> 'name' as name
    from unnest(scopes || '{00000000-0000-7000-8000-000000000000}'::uuid[]) v (scope)
    join public.workflows w on w.workspace_id = v.scope and w.deleted_at is null
    cross join lateral jsonb_array_elements(w.stages) s
    where s -> 'is_checkpoint' = 'true'
  ), places as materialized (
    select distinct v.scope, n.name
    from unnest(scopes) v (scope)
    join stages n on n.scope in (v.scope, '00000000-0000-7000-8000-000000000000')
  ), found as (
    select t.id, t.updated_at, 'all' as list
      from places p
      cross join lateral (
        select x.id, x.updated_at from public.tasks x
        where x.current_stage = p.name and x.workspace_id = p.scope and x.deleted_at is null
          and x.status in ('todo', 'in_progress', 'blocked')
          and exists (
            select from stages n
            where n.workflow = coalesce(x.workflow_id, '00000000-0000-7000-8000-000000000001') and n.name = p.name offset 0)
          and convoy.waits_in_place(x.workspace_id, x.milestone_id, x.id)
        order by x.updated_at, x.id limit most + 1
      ) t
    union all
    (select x.id, x.updated_at, 'assigned' from public.tasks x
      where x.assignee_id = me and x.deleted_at is null and x.status in ('todo', 'in_progress', 'blocked')
        and x.workspace_id = any (scopes)
        and exists (
          select from stages n
          where n.workflow = coalesce(x.workflow_id, '00000000-0000-7000-8000-000000000001') and n.name = x.current_stage offset 0)
        and convoy.waits_in_place(x.workspace_id, x.milestone_id, x.id)
      order by x.updated_at, x.id limit most + 1)
    union all
    (select t.id, t.updated_at, 'held'
      from public.workspace_members m
      cross join lateral (
        select * from public.tasks x where x.claimed_by = m.user_id and x.workspace_id = m.workspace_id offset 0
      ) t
      where m.workspace_id = any (scopes) and m.made_by = me and m.deleted_at is null
        and t.deleted_at is null and t.status in ('todo', 'in_progress', 'blocked')
        and exists (
          select from stages n
          where n.workflow = coalesce(t.workflow_id, '00000000-0000-7000-8000-000000000001') and n.name = t.current_stage offset 0)
        and convoy.waits_in_place(t.workspace_id, t.milestone_id, t.id)
      order by t.updated_at, t.id limit most + 1)
  ), ranked as (
    select c.id, row_number() over (partition by c.list order by c.updated_at, c.id) as place from found c
  )
  select f.id, bool_or(f.is_full)
  from (select r.id, r.place, max(r.place) over () > most as is_full from ranked r) f
  where f.place <= most
  group by f.id
$$;

-- Whether an entry is blanked, or another one deletes it.
create function convoy.is_gone(entry public.activity_feed) returns boolean
language sql stable security definer set search_path = '' set enable_seqscan = off as $$
  select entry.deleted_at is not null or entry.details -> 'deleted' is not distinct from 'true' or exists (
    select from public.activity_feed d
    where d.task_id = entry.task_id and d.activity_type = 'comment_deleted' and d.deleted_at is null
      and convoy.named_id(d.activity_type, d.details) = entry.id::text)
$$;

-- The newest edit of an entry by its author: {"details", "at"}; null where there is none.
create function convoy.newest_edit(entry public.activity_feed) returns jsonb
language sql stable security definer set search_path = '' set enable_seqscan = off as $$
  select jsonb_build_object('details', e.details, 'at', e.created_at) from public.activity_feed e
    where e.task_id = entry.task_id and e.activity_type = 'comment_edited' and e.deleted_at is null
      and convoy.named_id(e.activity_type, e.details) = entry.id::text and e.actor_id is not distinct from entry.actor_id
      and jsonb_typeof(e.details -> 'text') = 'string' and e.details ->> 'text' <> ''
    order by date_trunc('milliseconds', e.created_at) desc, e.id desc limit 1
$$;

-- A comment as its readers show it, {text, mentions}; null where it is deleted. foldComments of src/domain/comments.ts does the same.
create function convoy.folded(entry public.activity_feed) returns jsonb
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

-- Whether a task is there, and no deletion above it goes on.
create function convoy.is_shown_task(task uuid) returns boolean
language sql stable security definer set search_path = '' set enable_seqscan = off as $$
  select exists (
    select from public.tasks t
    where t.id = task and t.deleted_at is null
      and case when exists (select from convoy.unfinished_deletions u where u.workspace_id = t.workspace_id)
        then convoy.hidden_by('tasks', t.id) is null else true end)
$$;

-- Questions to the user without an answer, and comments of others that mention the user, who has written nothing on the task
-- since (I3, I4): the newest `most` of each. What may wait is found along indexes and sorted; edits and deletions are looked up
-- from the newest on, until there are so many.
create function convoy.waiting_messages(me uuid, scopes uuid[], most integer)
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

-- What waits for the caller: {"reviews": facts of tasks, "questions", "mentions": messages, "is_cut"}, as InboxFacts of
-- src/domain/inbox.ts. What is set aside on devices is no server's to know.
create function public.get_inbox() returns jsonb
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

create function convoy.inbox_task(t public.tasks) returns jsonb language sql immutable
  return jsonb_build_object('id', t.id, 'workspace_id', t.workspace_id, 'key', t.key, 'title', t.title,
    'current_stage', t.current_stage, 'status', t.status, 'priority', t.priority, 'assignee_id', t.assignee_id,
    'claimed_by', t.claimed_by);

-- The live memberships of these users and of the makers of those among them that are agents.
create function convoy.reviewers_known(scope uuid, users uuid[]) returns jsonb
language sql stable security definer set search_path = '' set enable_seqscan = off as $$
  with named as materialized (
    select m.user_id, m.role, m.kind, m.made_by from public.workspace_members m
    where m.workspace_id = scope and m.deleted_at is null and m.user_id = any (users)
  ), all_known as (
    select * from named
    union
    select m.user_id, m.role, m.kind, m.made_by from named n
    join public.workspace_members m on m.workspace_id = scope and m.user_id = n.made_by and m.deleted_at is null
  )
  select coalesce(jsonb_agg(to_jsonb(k) order by k.user_id), '[]') from all_known k
$$;

revoke all on function public.get_inbox() from public, anon, authenticated;
grant execute on function public.get_inbox() to authenticated, service_role;
revoke execute on all functions in schema convoy from public;
-- An index is made by it, and whoever writes an entry past the API needs it.
grant execute on function convoy.mentioned(jsonb) to service_role;
