-- bounded inbox: the inbox reads no more of the tasks that wait than it may show, and an entry whose "comment" is no id does not
-- end it.

drop index public.tasks_stage;
create index tasks_stage on public.tasks (current_stage, workspace_id, updated_at, id)
  where deleted_at is null and status in ('todo', 'in_progress', 'blocked');
drop index public.tasks_assignee;
create index tasks_assignee on public.tasks (assignee_id, updated_at, id)
  where deleted_at is null and status in ('todo', 'in_progress', 'blocked') and assignee_id is not null;

create or replace function convoy.waits_in_place(scope uuid, milestone uuid, task uuid) returns boolean
language sql stable security definer set search_path = '' set enable_seqscan = off as $$
  select exists (
      select from public.milestones m
      join public.projects p on p.id = m.project_id and p.deleted_at is null
      where m.id = milestone and m.deleted_at is null and convoy.is_open_place(p.status, m.status))
    and case when exists (select from convoy.unfinished_deletions u where u.workspace_id = scope)
      then convoy.hidden_by('tasks', task) is null else true end
$$;

create or replace function convoy.waiting_tasks(me uuid, scopes uuid[], most integer)
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

create or replace function convoy.waiting_messages(me uuid, scopes uuid[], most integer)
returns table (list text, entry_id uuid, content text, since timestamptz)
language sql stable security definer set search_path = ''
set enable_seqscan = off set jit = off as $$
  (select 'questions', q.id, f.content ->> 'text', q.created_at
    from public.activity_feed q
    cross join lateral (select convoy.folded(q) as content offset 0) f
    where q.activity_type = 'question' and left(q.details ->> 'to', 36) = me::text and q.details ->> 'to' = me::text
      and q.workspace_id = any (scopes) and q.deleted_at is null
      and not exists (
        select from public.activity_feed a
        where a.task_id = q.task_id and a.activity_type = 'answer' and a.deleted_at is null
          and a.details ->> 'question' = q.id::text and convoy.folded(a) is not null)
      and f.content is not null
    order by q.created_at desc, q.id desc limit most)
  union all
  (select 'mentions', c.id, f.content ->> 'text', s.since
    from (
      select distinct coalesce(o.id, n.id) as id
      from public.activity_feed n
      -- Of other kinds "comment" may be anything. The planner is free to convert it before the kind is looked at.
      left join public.activity_feed o on n.activity_type = 'comment_edited' and o.task_id = n.task_id
        and o.id = case when convoy.is_uuid(n.details ->> 'comment') then (n.details ->> 'comment')::uuid end
      where n.activity_type in ('comment', 'comment_edited') and n.details ? 'mentions'
        and n.details -> 'mentions' @> jsonb_build_array(me) and n.workspace_id = any (scopes) and n.deleted_at is null
        and n.actor_id is distinct from me
        and not exists (
          select from public.activity_feed w
          where w.task_id = n.task_id and w.activity_type in ('comment', 'question', 'answer') and w.actor_id = me
            and w.deleted_at is null
            and date_trunc('milliseconds', w.created_at) > date_trunc('milliseconds', n.created_at))
    ) h
    join public.activity_feed c on c.id = h.id and c.activity_type in ('comment', 'question', 'answer')
    cross join lateral (select convoy.folded(c) as content offset 0) f
    cross join lateral (select case when jsonb_typeof(c.details -> 'mentions') = 'array'
        and c.details -> 'mentions' @> jsonb_build_array(me) then c.created_at
      else coalesce((f.content ->> 'edited_at')::timestamptz, c.created_at) end as since) s
    where f.content is not null and f.content -> 'mentions' @> jsonb_build_array(me)
      and jsonb_typeof(f.content -> 'mentions') = 'array'
      and not exists (
        select from public.activity_feed w
        where w.task_id = c.task_id and w.activity_type in ('comment', 'question', 'answer') and w.actor_id = me
          and w.deleted_at is null and date_trunc('milliseconds', w.created_at) > date_trunc('milliseconds', s.since))
    order by s.since desc, c.id desc limit most)
$$;

revoke all on function convoy.waits_in_place(uuid,uuid,uuid) from public, anon, authenticated, service_role;
