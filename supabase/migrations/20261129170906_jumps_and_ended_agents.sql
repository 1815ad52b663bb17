-- The feed tells of agents that end with their maker's role (A4), and of jumps past checkpoints by clients of before reviews
-- (V6). Approvals, requests for review, deleted comments and calls of strangers are judged more strictly.

create type convoy.jump as (
  group_no bigint, workspace_id uuid, task_id uuid, workflow_id uuid, old_stage text, new_stage text, old_status text,
  -- Whether it makes the task done.
  finishes boolean,
  -- The names of the checkpoints, in their order.
  passed jsonb
);

create or replace function convoy.reserved_activities() returns text[] language sql immutable set search_path = ''
  return array['task_created', 'task_updated', 'task_deleted', 'stage_changed', 'dependency_added',
    'dependency_removed', 'conflict_settled', 'review_approved', 'review_returned', 'agent_ended'];

create or replace function convoy.pick_effects(
  changes convoy.change[], kinds text[], decided convoy.decision[], scopes uuid[], revisions bigint[]
) returns convoy.pick[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  -- A delete cascades anywhere, and so does undoing one; other changes stay in their table, but for the creator's
  -- membership.
  written constant convoy.written_row[] := convoy.written_rows(
    case
      when 'delete' = any (kinds) or 'deletions' = any (kinds) then null
      when 'workspaces' = any (kinds) then kinds || 'workspace_members'::text
      -- Whoever may claim no more loses their claims (C6), and whoever makes no agents any more loses those (A4).
      when 'update workspace_members' = any (kinds) then kinds || '{tasks,activity_feed}'::text[]
      else kinds end,
    scopes, revisions);
  result convoy.pick[];
begin
  result := array(
    with concluded as materialized (
      select c.table_name, c.id, c.op, d.tell, d.outcome
      from unnest(changes) c join unnest(decided) d on d.position = c.position
    )
    select row(e.table_name, e.id)::convoy.pick
    from (
      select t.table_name, coalesce((t.outcome ->> 'of')::uuid, t.id) as id from concluded t where t.tell
      union
      select u.table_name, u.id
      from (
        select w.table_name, w.id, w.deleted from unnest(written) w
        except
        select p.table_name, p.id, p.op = 'delete' from concluded p
          where not p.tell and p.outcome ->> 'outcome' = 'applied'
      ) u
    ) e);
  if not 'update tasks' = any (kinds) then
    return result;
  end if;
  return array(
    select distinct p from unnest(result || convoy.pick_moved(changes, scopes, revisions)) p);
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
  jumps convoy.jump[];
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
  if convoy.to_count(request -> 'protocol') < 7 and 'update tasks' = any (kinds) then
    select m.changes, m.jumps into todo, jumps from convoy.mark_jumps(todo) m;
  end if;
  refused := convoy.write_groups(todo, links, '{}', null);
  todo := convoy.still_open(todo, refused);
  if cardinality(jumps) > 0 and convoy.tell_jumps(jumps, todo) then
    kinds := kinds || 'activity_feed'::text;
  end if;
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
        case
          when c.payload ->> 'activity_type' = 'task_deleted' or c.payload ->> 'task_id' is not null then 'tasks'
          -- decide_reviews judges by the task.
          when c.payload ->> 'activity_type' not in ('review_approved', 'review_returned')
            then c.payload ->> 'entity_type' end as about,
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
    -- The server alone tells of ended agents. Devices of before would ask people about one that they bring back (P13).
    select case when passing or t.activity_type = 'agent_ended' then convoy.passed_over(t.position)
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

create or replace function convoy.readiness_facts(t public.tasks) returns jsonb
language plpgsql stable security definer set search_path = ''
set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
  return (
    -- It ends on circles too, of which old data may have some.
    with recursive above (id, n) as (
      select t.id, 0
      union all
      select p.parent_task_id, a.n + 1 from above a
      cross join lateral (select c.parent_task_id from public.tasks c where c.id = a.id offset 0) p
      where p.parent_task_id is not null
    ) cycle id set is_again using way
    select jsonb_build_object(
      'task', public.as_entity(to_jsonb(t)),
      'milestone', (select jsonb_build_object('id', m.id, 'status', m.status)
        from public.milestones m where m.id = t.milestone_id and m.deleted_at is null),
      'project', (select jsonb_build_object('id', p.id, 'status', p.status)
        from public.milestones m join public.projects p on p.id = m.project_id and p.deleted_at is null
        where m.id = t.milestone_id),
      'stages', (select w.stages from public.workflows w
        where w.id = coalesce(t.workflow_id, '00000000-0000-7000-8000-000000000001')),
      'subtasks', (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'title', s.title, 'status', s.status) order by s.id), '[]')
        from public.tasks s
        where s.parent_task_id = t.id and s.deleted_at is null and s.status not in ('done', 'cancelled')),
      'dependencies', (
        select coalesce(jsonb_agg(jsonb_build_object('of', a.id, 'id', n.id, 'title', n.title,
            'status', case when n.deleted_at is null then n.status else 'deleted' end) order by a.n, n.id), '[]')
        from above a
        cross join lateral (
          select d.depends_on_task_id from public.task_dependencies d
          where d.task_id = a.id and not a.is_again and (d.deleted_at is null or exists (
            -- A deleted task takes its dependencies along.
            select from public.tasks x
            where x.id = d.depends_on_task_id and x.deleted_at is not null and x.deletion_id = d.deletion_id)) offset 0
        ) d
        cross join lateral (select * from public.tasks x where x.id = d.depends_on_task_id offset 0) n),
      'absent', '[]'::jsonb,
      'now', now())
    );
end
$$;

create or replace function public.get_next_task(request jsonb) returns jsonb
language plpgsql stable security definer set search_path = '' set timezone = 'UTC' as $$
declare
  scope constant uuid := case when convoy.is_uuid(request ->> 'workspace_id') then (request ->> 'workspace_id')::uuid end;
  project constant uuid := case when convoy.is_uuid(request ->> 'project_id') then (request ->> 'project_id')::uuid end;
  own constant text := request ->> 'claim_id';
  scopes constant uuid[] := array(
    select v from convoy.visible_scopes() v
    where v <> '00000000-0000-7000-8000-000000000000'::uuid
      and (coalesce(jsonb_typeof(request -> 'workspace_id'), 'null') = 'null' or v = scope)
      and (coalesce(jsonb_typeof(request -> 'project_id'), 'null') = 'null' or project is not null));
  next uuid;
  candidates uuid[];
begin
  next := convoy.next_task(auth.uid(), scopes, project, own);
  if next is not null then
    return jsonb_build_object('task', (select public.as_entity(to_jsonb(t)) from public.tasks t where t.id = next));
  end if;
  candidates := array(
    select t.id from public.tasks t
    join public.milestones m on m.id = t.milestone_id and m.deleted_at is null
    join public.projects p on p.id = m.project_id and p.deleted_at is null
    where t.workspace_id = any (scopes) and t.deleted_at is null and t.status in ('todo', 'in_progress')
      and (project is null or p.id = project)
    order by array_position(array['urgent', 'high', 'medium', 'low'], t.priority),
      date_trunc('milliseconds', m.target_date) nulls last, t.sort_order,
      date_trunc('milliseconds', t.created_at at time zone 'UTC'), t.id);
  return jsonb_build_object('task', null, 'open', cardinality(candidates), 'waiting', (
    select coalesce(jsonb_agg(convoy.readiness_facts(t) order by c.n), '[]')
    from unnest(candidates[: 5]) with ordinality c (id, n) join public.tasks t on t.id = c.id));
end
$$;

create or replace function convoy.lock_own_agent(member uuid) returns public.workspace_members
language plpgsql volatile security definer set search_path = '' as $$
declare
  found_member public.workspace_members;
begin
  -- Strangers hold up nobody.
  perform from convoy.scope_clocks c
    where c.scope_id = (select m.workspace_id from public.workspace_members m where m.id = member)
      and c.scope_id in (select convoy.visible_scopes()) for update;
  select m.* into found_member from public.workspace_members m
    where m.id = member and m.deleted_at is null and m.kind = 'agent'
      and convoy.is_maker(m.workspace_id, auth.uid())
      and (m.made_by = auth.uid() or convoy.role_in(m.workspace_id) = 'owner');
  return found_member;
end
$$;

create or replace function public.create_agent(workspace_id uuid, name text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  most_agents constant integer := 200;
  agent constant uuid := gen_random_uuid();
  address constant text := 'agent-' || agent || '@agents.convoy.invalid';
  -- Of two random UUIDs; a capital letter, small ones and a hyphen satisfy rules for passwords.
  secret constant text := 'Convoy-' || left(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 48);
  agent_name constant text := convoy.trimmed(create_agent.name);
  member public.workspace_members;
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  if agent_name is null or convoy.is_blank(agent_name) or char_length(agent_name) > 200 then
    return convoy.failure('malformed', 'name must be a text of 1 to 200 characters.');
  end if;
  perform from convoy.scope_clocks c
    where c.scope_id = create_agent.workspace_id and c.scope_id in (select convoy.visible_scopes()) for update;
  if not convoy.is_maker(create_agent.workspace_id, auth.uid()) then
    return convoy.failure('forbidden');
  end if;
  if most_agents <= (
    select count(*) from public.workspace_members m
    where m.workspace_id = create_agent.workspace_id and m.made_by is not null and m.deleted_at is null)
  then
    return convoy.failure('too_many', 'A workspace has at most ' || most_agents || ' agents that people made.');
  end if;
  begin
    perform convoy.insert_agent(agent, address, agent_name, secret);
    if not exists (select from public.profiles p where p.id = agent and p.kind = 'agent') then
      raise exception 'The user is no agent.' using errcode = '0A000';
    end if;
  exception
    -- What passes by itself fails the call.
    when transaction_rollback or insufficient_resources or operator_intervention then raise;
    when others then return convoy.failure('auth_changed', sqlstate);
  end;
  insert into public.workspace_members as m (id, workspace_id, user_id, role, made_by)
    values (gen_random_uuid(), create_agent.workspace_id, agent, 'agent', auth.uid())
    returning m.* into member;
  return jsonb_build_object('member', public.as_entity(to_jsonb(member)), 'email', address, 'secret', secret);
end
$$;

create or replace function public.pause_agent(member_id uuid, paused boolean) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  member public.workspace_members;
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  if pause_agent.paused is null then
    return convoy.failure('malformed', 'paused must be true or false.');
  end if;
  member := convoy.lock_own_agent(pause_agent.member_id);
  if member.id is null then
    return convoy.failure('not_found');
  end if;
  if pause_agent.paused is distinct from (member.paused_at is not null) then
    update public.workspace_members m set paused_at = case when pause_agent.paused then now() end
      where m.id = member.id returning m.* into member;
  end if;
  return jsonb_build_object('member', public.as_entity(to_jsonb(member)));
end
$$;

create or replace function convoy.end_agents_of_maker() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  why constant text := case
    when not exists (select from auth.users u where u.id = new.user_id) then 'account_deleted'
    when new.kind <> 'human' then 'maker_is_agent'
    when new.deleted_at is null then 'role_lost'
    when convoy.author() = new.user_id then 'left'
    else 'removed' end;
  agents constant uuid[] := array(
    select a.id from public.workspace_members a
    where a.workspace_id = new.workspace_id and a.made_by = new.user_id and a.deleted_at is null order by a.id);
  agent uuid;
begin
  if cardinality(agents) = 0 then
    return null;
  end if;
  update public.workspace_members a set deleted_at = now() where a.id = any (agents);
  -- What stands in a deleted workspace is deleted.
  insert into public.activity_feed (id, workspace_id, entity_type, entity_id, activity_type, details)
    select gen_random_uuid(), a.workspace_id, 'workspace_members', a.id, 'agent_ended', jsonb_build_object(
      'agent', a.user_id, 'name', a.display_name, 'made_by', new.user_id, 'maker_name', new.display_name, 'why', why)
    from public.workspace_members a
    join public.workspaces w on w.id = a.workspace_id and w.deleted_at is null
    where a.id = any (agents);
  for agent in select a.user_id from public.workspace_members a where a.id = any (agents) order by a.user_id loop
    perform convoy.end_sessions(agent);
  end loop;
  return null;
end
$$;

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

create or replace function convoy.review_fault(details jsonb) returns text
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

create or replace function convoy.checkpoints_passed(workflow uuid, old_stage text, new_stage text, finishes boolean) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(s.name order by s.at), '[]')
  from (
    select e ->> 'name' as name, (e ->> 'order')::numeric as at, e -> 'is_checkpoint' = 'true' as is_checkpoint,
      coalesce(max((e ->> 'order')::numeric) filter (where e ->> 'name' = old_stage) over (), '-Infinity') as old_at,
      max((e ->> 'order')::numeric) filter (where e ->> 'name' = new_stage) over () as new_at
    from public.workflows w cross join lateral jsonb_array_elements(w.stages) e
    where w.id = coalesce(workflow, '00000000-0000-7000-8000-000000000001')
  ) s
  where s.is_checkpoint and s.at >= case when finishes then least(s.old_at, s.new_at) else s.old_at end
    and (finishes or s.at < s.new_at)
$$;

create or replace function convoy.find_jumps(changes convoy.change[]) returns convoy.jump[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  moves constant convoy.change[] := array(
    select c from unnest(changes) c
    where c.table_name = 'tasks' and c.op = 'update' and c.payload ?| '{current_stage,status,completion_date,workflow_id}');
begin
  if cardinality(moves) = 0 then
    return '{}'::convoy.jump[];
  end if;
  return array(
    with known as materialized (
      select t.id, t.workspace_id, t.current_stage, t.workflow_id, t.status,
        t.status = 'done' or t.completion_date is not null as is_finished
      from public.tasks t where t.id = any (array(select m.id from unnest(moves) m))
    ), bound as materialized (
      select w.workspace_id, convoy.stops_at_checkpoints(w.workspace_id) as is_bound
      from (select distinct m.workspace_id from unnest(moves) m) w
    ), grouped as (
      select m.group_no, m.workspace_id, m.id, min(m.position) as position,
        array_agg(m.payload ->> 'current_stage' order by m.position desc)
          filter (where m.payload ? 'current_stage') as stages,
        array_agg(m.payload ->> 'workflow_id' order by m.position desc)
          filter (where m.payload ? 'workflow_id') as workflows,
        bool_or(coalesce(m.payload ->> 'status' = 'done' or m.payload ->> 'completion_date' is not null, false)) as finishes
      from unnest(moves) m
      group by m.group_no, m.workspace_id, m.id
    ), placed as materialized (
      select g.group_no, g.workspace_id, g.id, k.status, g.finishes and not k.is_finished as finishes,
        case when g.workflows is null then k.workflow_id else g.workflows[1]::uuid end as workflow_id,
        coalesce(g.before[cardinality(g.before)], k.current_stage) as old_stage,
        coalesce(g.stages[1], g.before[cardinality(g.before)], k.current_stage) as new_stage
      from (
        -- The stages that earlier groups of the batch lead to.
        select m.*, array_agg(m.stages[1]) filter (where m.stages is not null) over (
            partition by m.workspace_id, m.id order by m.position rows between unbounded preceding and 1 preceding) as before
        from grouped m
      ) g
      join known k on k.id = g.id and k.workspace_id = g.workspace_id
      join bound b on b.workspace_id = g.workspace_id and not b.is_bound
    )
    select row(p.group_no, p.workspace_id, p.id, p.workflow_id, p.old_stage, p.new_stage, p.status, p.finishes,
        x.passed)::convoy.jump
    from placed p
    cross join lateral (
      select convoy.checkpoints_passed(p.workflow_id, p.old_stage, p.new_stage, p.finishes) as passed offset 0
    ) x
    where x.passed <> '[]'
      and not exists (
        select from unnest(changes) c
        where c.group_no = p.group_no and c.table_name = 'activity_feed' and c.payload ->> 'task_id' = p.id::text
          and c.payload ->> 'activity_type' = 'review_approved'));
end
$$;

create or replace function convoy.mark_jumps(inout changes convoy.change[], out jumps convoy.jump[])
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  found_jumps constant convoy.jump[] := convoy.find_jumps(changes);
  marks jsonb;
begin
  if cardinality(found_jumps) = 0 then
    return;
  end if;
  with tales as materialized (
    select c.position, j.group_no, j.task_id, c.payload -> 'details' ? 'jumped' as is_marked,
      case when j.old_stage = j.new_stage then j.passed
        else convoy.checkpoints_passed(j.workflow_id, c.payload #>> '{details,from}', c.payload #>> '{details,to}',
          j.finishes and c.payload #>> '{details,to}' = j.new_stage) end as passed
    from unnest(changes) c
    join unnest(found_jumps) j
      on j.group_no = c.group_no and j.workspace_id = c.workspace_id and c.payload ->> 'task_id' = j.task_id::text
    where c.table_name = 'activity_feed' and c.op = 'insert' and jsonb_typeof(c.payload -> 'details') = 'object'
      and c.payload ->> 'activity_type' = case when j.old_stage = j.new_stage then 'task_updated' else 'stage_changed' end
  )
  select jsonb_object_agg(t.position, t.passed) filter (where not t.is_marked and t.passed <> '[]'),
      array(
        select j from unnest(found_jumps) j
        where not exists (select from tales o where o.group_no = j.group_no and o.task_id = j.task_id))
    into marks, jumps
    from tales t;
  if marks is not null then
    -- The edit time of the details marks that the device has to be told.
    changes := array(
      select case when marks ? c.position::text then row(
          c.position, c.table_name, c.op, c.id, c.workspace_id, c.base, c.group_no,
          jsonb_set(c.payload, '{details}', c.payload -> 'details'
            || jsonb_build_object('jumped', marks -> c.position::text, 'reason', null)),
          c.edited_at || '{"details": null}', c.problem, c.nth, c.row_workspace, c.row_revision, c.row_deleted,
          c.field_revisions, c.conflicts, c.expected
        )::convoy.change else c end
      from unnest(changes) c order by c.position);
  end if;
end
$$;

create or replace function convoy.tell_jumps(jumps convoy.jump[], written convoy.change[]) returns boolean
language plpgsql volatile set search_path = '' as $$
begin
  insert into public.activity_feed (id, workspace_id, task_id, activity_type, details)
    select gen_random_uuid(), j.workspace_id, j.task_id,
      case when j.old_stage = j.new_stage then 'task_updated' else 'stage_changed' end,
      case
        when j.old_stage <> j.new_stage then jsonb_build_object('from', j.old_stage, 'to', j.new_stage)
        when j.old_status = t.status then '{"fields": ["completion_date"], "changes": {}}'
        else jsonb_build_object(
          'fields', array['status'], 'changes', jsonb_build_object('status', array[j.old_status, t.status])) end
      || jsonb_build_object('jumped', j.passed, 'reason', null)
    from unnest(jumps) j
    join public.tasks t on t.id = j.task_id
    where exists (
      select from unnest(written) c
      where c.group_no = j.group_no and c.table_name = 'tasks' and c.id = j.task_id and c.workspace_id = j.workspace_id);
  return found;
end
$$;

revoke all on function convoy.checkpoints_passed(uuid,text,text,boolean) from public, anon, authenticated, service_role;
revoke all on function convoy.find_jumps(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.mark_jumps(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.tell_jumps(convoy.jump[],convoy.change[]) from public, anon, authenticated, service_role;
