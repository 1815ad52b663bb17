-- A membership that an owner ended comes back by an invitation alone, unless it went with its workspace. An invitation to
-- an e-mail address is for a user who has confirmed that address. A stage_changed activity tells of the move that its
-- push makes, and what two users did alike is told once: what tells of nothing is passed over.

drop function convoy.decide(convoy.change[],convoy.cursor_position[],uuid[]);
drop function convoy.decide_activities(convoy.change[],convoy.change[]);

create or replace function convoy.restorable_members(deletions uuid[], scope uuid) returns uuid[]
language plpgsql stable set search_path = '' as $$
begin
  return array(
    select distinct on (m.user_id) m.id
    from public.workspace_members m
    where m.workspace_id = scope and m.deletion_id = any (deletions)
      and exists (
        select from public.deletions d
        where d.id = m.deletion_id and d.workspace_id = scope and d.entity_type = 'workspaces')
      and convoy.may_restore(scope, 'workspace_members')
      -- So does whoever left.
      and m.last_modified_by is distinct from m.user_id
      -- So does nobody whose account is deleted.
      and exists (select from auth.users u where u.id = m.user_id)
      -- A membership that was made anew stands.
      and not exists (
        select from public.workspace_members l
        where l.workspace_id = scope and l.user_id = m.user_id and l.deleted_at is null)
    order by m.user_id, m.deleted_at desc, m.id);
end
$$;

create or replace function convoy.conclude(before convoy.change[], after convoy.change[]) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select row(b.position, case
        -- The twin of a duplicate may have been deleted by the same push.
        when b.op = 'insert' and a.row_revision is null
          then coalesce(
            (select jsonb_build_object('outcome', 'duplicate', 'of', twin) from convoy.find_twin(b) twin
              where twin is not null),
            '{"outcome": "gone", "which": "record"}')
        when b.conflicts is not null
          then convoy.conflict_with(b, a.row_revision, b.conflicts)
        when b.op = 'update' and b.base is not null and b.row_revision > b.base
          then jsonb_build_object('outcome', 'merged', 'revision', a.row_revision)
        else jsonb_build_object('outcome', 'applied', 'revision', a.row_revision)
      end, case b.op
        when 'insert' then a.row_revision is null
          -- The server fills in defaults, and dates rows that claim a later time.
          or not b.payload ?& t.defaulted
          -- The feed takes no device id, and corrects what it is told.
          or b.table_name = 'activity_feed' and (b.payload -> 'details' ? 'device_id' or b.edited_at ? 'details')
          or coalesce(convoy.to_time(b.edited_at ->> 'created_at') > now(), true)
        when 'update' then b.conflicts is not null or b.base is null or b.row_revision > b.base
          -- The server dates a restore, and its triggers move subtasks along.
          or b.table_name = 'deletions' or b.table_name = 'tasks' and b.payload ? 'milestone_id'
        else false
      end)::convoy.decision
    from unnest(before) b
    join unnest(after) a on a.position = b.position
    join convoy.synced_tables t on t.name = b.table_name);
end
$$;

create or replace function convoy.decide(
  inout changes convoy.change[], cursors convoy.cursor_position[], locked uuid[], passing boolean,
  out links convoy.link[], out decided convoy.decision[]
) language plpgsql set search_path = '' as $$
declare
  all_changes constant convoy.change[] := changes;
  memberships jsonb;
  roles jsonb;
  stage convoy.decision[];
  clashes convoy.clash[];
begin
  select coalesce(jsonb_object_agg(m.workspace_id, m.role), '{}') into memberships
    from public.workspace_members m
    where m.user_id = auth.uid() and m.deleted_at is null and m.workspace_id = any (locked);
  -- The creator of a workspace owns it. A workspace that exists already gives no role.
  select coalesce(jsonb_object_agg(c.id, case when w.id is null then 'owner' end), '{}') || memberships into roles
    from unnest(changes) c left join public.workspaces w on w.id = c.id
    where c.table_name = 'workspaces' and c.op = 'insert' and c.id is not null;

  decided := array(
    select row(c.position, c.problem, false)::convoy.decision from unnest(changes) c where c.problem is not null);
  changes := convoy.still_open(changes, decided);

  stage := convoy.decide_permission(changes, roles);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  stage := convoy.decide_activities(changes, all_changes, passing);
  decided := decided || stage;
  changes := convoy.look_up(convoy.still_open(changes, stage));

  stage := convoy.decide_existing(changes, memberships);
  links := convoy.find_links(all_changes);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  stage := convoy.decide_idle_activities(changes, all_changes, stage);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  stage := convoy.decide_parents(changes, links);
  links := array(select l from unnest(links) l where l.provider is not null);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

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
  stage := convoy.decide_deletes(changes, cursors);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  stage := convoy.spread_refusals(changes, all_changes, links, decided);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  stage := convoy.decide_lost_moves(changes);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  select m.changes, m.decided into changes, stage from convoy.decide_told_moves(changes) m;
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);
end
$$;

create or replace function public.sync_push(request jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = ''
set timezone = 'UTC'
set statement_timeout = '8s'
set lock_timeout = '5s'
as $$
declare
  reply jsonb := convoy.refuse_push(request);
  batch_no bigint;
  batch_key uuid;
  device uuid;
  digest bytea;
  settles boolean;
  -- Devices of protocol 3 and before do not take back an activity whose change came to nothing: where one is refused,
  -- their users are asked about what they never wrote.
  passing constant boolean := convoy.to_count(request -> 'protocol') < 4;
  cursors convoy.cursor_position[];
  changes convoy.change[];
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
  if not convoy.knows_cursors(cursors) then
    -- A device id is its user's once a batch of it was applied; a refused request takes none.
    delete from convoy.devices d where d.device_id = device and d.batch = 0;
    return convoy.failure('history_changed');
  end if;
  if settles then
    -- The number is void from now on: a late copy of its batch is answered with device_conflict.
    update convoy.devices d
      set user_id = auth.uid(), batch = batch_no, key = batch_key, hash = null, answer = null, updated_at = now()
      where d.device_id = device;
    return convoy.void_answer(batch_no);
  end if;

  changes := convoy.parse_changes(request -> 'changes');
  locked := convoy.lock_clocks(changes);
  select d.changes, d.links, d.decided into todo, links, decided from convoy.decide(changes, cursors, locked, passing) d;
  refused := convoy.write_groups(todo, links, '{}', null);
  todo := convoy.still_open(todo, refused);
  decided := convoy.bury_passed_over(
    changes, decided || refused || convoy.conclude(todo, convoy.look_up(todo)));
  perform convoy.record_conflicts(changes, decided);
  reply := convoy.kept_answer(batch_no, changes, decided);
  update convoy.devices d
    set user_id = auth.uid(), batch = batch_no, key = batch_key, hash = digest, answer = reply, updated_at = now()
    where d.device_id = device;
  return convoy.spell_answer(reply);
end
$$;

create or replace function convoy.confirmed_address() returns text
language sql stable security definer set search_path = '' as $$
  select lower(u.email) from auth.users u where u.id = (select auth.uid()) and u.email_confirmed_at is not null
$$;

create or replace function convoy.no_invitation(wanted uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select convoy.failure(case when exists (
      select from public.invitations i
      join auth.users u on u.id = auth.uid() and u.email_confirmed_at is null and lower(u.email) = i.email
      where i.id = wanted and i.accepted_at is null and i.expires_at > now())
    then 'unconfirmed' else 'not_found' end)
$$;

create or replace function convoy.invitations_to_me(wanted uuid, address boolean) returns setof public.invitations
language sql stable security definer set search_path = '' as $$
  select i.* from public.invitations i
    cross join (select convoy.confirmed_address() as email offset 0) u
    join public.workspaces w on w.id = i.workspace_id and w.deleted_at is null
    join public.workspace_members o
      on o.workspace_id = i.workspace_id and o.user_id = i.invited_by and o.role = 'owner' and o.kind = 'human'
        and o.deleted_at is null and o.created_at <= i.created_at
    where (i.id = wanted or address and i.email = u.email)
      and (i.email = u.email or i.email is null)
      and i.accepted_at is null and i.expires_at > now()
      and not exists (
        select from public.workspace_members m
        where m.workspace_id = i.workspace_id and m.user_id = auth.uid() and m.deleted_at >= i.created_at)
$$;

create or replace function public.get_invitation(invitation_id uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  return coalesce(
    (select convoy.shown_invitation(i) from convoy.invitations_to_me(get_invitation.invitation_id, false) i),
    convoy.no_invitation(get_invitation.invitation_id));
end
$$;

create or replace function public.accept_invitation(invitation_id uuid, accepted_as uuid default null) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  invitation public.invitations;
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  if accepted_as <> auth.uid() then
    return convoy.failure('wrong_user');
  end if;
  -- Statements of their own, so that the next one sees what was committed until the locks were there: members who were
  -- removed or given another role (S2), a link that somebody else has just used.
  perform from convoy.scope_clocks c
    where c.scope_id = (select i.workspace_id from public.invitations i where i.id = accept_invitation.invitation_id)
    for update;
  perform from public.invitations i where i.id = accept_invitation.invitation_id for update;
  select i.* into invitation from convoy.invitations_to_me(accept_invitation.invitation_id, false) i;
  if not found then
    -- An answer that was lost: the invitation is used, by the caller.
    return coalesce(
      (select jsonb_build_object('workspace_id', i.workspace_id) from public.invitations i
        where i.id = accept_invitation.invitation_id and i.accepted_by = auth.uid()
          and convoy.role_in(i.workspace_id) is not null),
      convoy.no_invitation(accept_invitation.invitation_id));
  end if;
  if convoy.role_in(invitation.workspace_id) is null then
    insert into public.workspace_members (id, workspace_id, user_id, role)
      values (gen_random_uuid(), invitation.workspace_id, auth.uid(), invitation.role);
    -- Accepting uses up all invitations of this address to the workspace.
    update public.invitations i set accepted_at = now(), accepted_by = auth.uid()
      where i.id = invitation.id
        or i.workspace_id = invitation.workspace_id and i.email = invitation.email and i.accepted_at is null;
  end if;
  return jsonb_build_object('workspace_id', invitation.workspace_id);
end
$$;

create or replace function public.decline_invitation(invitation_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  delete from public.invitations i
    where i.id = decline_invitation.invitation_id and i.accepted_at is null and i.email = convoy.confirmed_address();
  if not found then
    return convoy.no_invitation(decline_invitation.invitation_id);
  end if;
  return jsonb_build_object('invitation_id', decline_invitation.invitation_id);
end
$$;

create or replace function convoy.passed_over(at integer) returns convoy.decision language sql immutable
  return row(at, '{"outcome": "applied"}', true)::convoy.decision;

create or replace function convoy.untold(at integer) returns convoy.decision language sql stable
  return row(at, convoy.rejection('reserved_activity', 'activity_type',
    'Convoy writes this activity itself, with the change that it tells of.'), false)::convoy.decision;

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
    return '{}';
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

create or replace function convoy.decide_idle_activities(
  changes convoy.change[], all_changes convoy.change[], decided convoy.decision[]
) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  idle constant convoy.decision[] := array(
    select d from unnest(decided) d where d.outcome ->> 'outcome' in ('gone', 'conflict', 'applied'));
begin
  if cardinality(idle) = 0 then
    return '{}';
  end if;
  return array(
    select case when i.is_done then convoy.passed_over(d.position)
      else row(d.position, jsonb_build_object('outcome', 'blocked', 'by', i.id), false)::convoy.decision end
    from unnest(convoy.decide_activities(changes, convoy.still_open(all_changes, idle), false)) d
    join unnest(changes) a on a.position = d.position
    join (
      select distinct on (c.group_no) c.group_no, c.id, x.is_done
      from unnest(all_changes) c
      join unnest(idle) d on d.position = c.position
      cross join lateral (select d.outcome ->> 'outcome' = 'applied' as is_done) x
      where c.table_name <> 'activity_feed'
      order by c.group_no, x.is_done, c.position
    ) i on i.group_no = a.group_no);
end
$$;

create or replace function convoy.passes_checkpoint(workflow uuid, old_stage text, new_stage text) returns boolean
language sql stable set search_path = '' as $$
  select coalesce(bool_or(s.is_checkpoint and s.at >= s.old_at and s.at < s.new_at) or min(s.new_at) is null, true)
  from (
    select (e ->> 'order')::numeric as at, e -> 'is_checkpoint' = 'true' as is_checkpoint,
      coalesce(max((e ->> 'order')::numeric) filter (where e ->> 'name' = old_stage) over (), '-Infinity') as old_at,
      max((e ->> 'order')::numeric) filter (where e ->> 'name' = new_stage) over () as new_at
    from public.workflows w cross join lateral jsonb_array_elements(w.stages) e
    where w.id = coalesce(workflow, '00000000-0000-7000-8000-000000000001')
  ) s
$$;

create or replace function convoy.decide_told_moves(inout changes convoy.change[], out decided convoy.decision[])
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  told constant convoy.change[] := array(
    select c from unnest(changes) c
    where c.table_name = 'activity_feed' and c.op = 'insert' and c.payload ->> 'activity_type' = 'stage_changed');
  corrected jsonb;
begin
  decided := '{}';
  if cardinality(told) = 0 then
    return;
  end if;
  with known as materialized (
    select t.id, t.workspace_id, t.current_stage, t.workflow_id from public.tasks t
    where t.id = any (array(select c.id from unnest(changes) c where c.table_name = 'tasks' and c.op = 'update'))
  ), moves as (
    -- A group may hold several changes of a task.
    select c.group_no, c.workspace_id, c.id, min(c.position) as position, bool_or(c.op = 'insert') as is_new,
      (array_agg(coalesce(c.payload ->> 'current_stage', t.defaults ->> 'current_stage') order by c.position desc))[1] as stage
    from unnest(changes) c
    join convoy.synced_tables t on t.name = c.table_name
    where c.table_name = 'tasks' and (c.op = 'insert' or c.op = 'update' and c.payload ? 'current_stage')
    group by c.group_no, c.workspace_id, c.id
  ), placed as materialized (
    select m.*, k.workflow_id,
      coalesce(lag(m.stage) over (partition by m.workspace_id, m.id order by m.position), k.current_stage) as stage_before
    from moves m left join known k on k.id = m.id and k.workspace_id = m.workspace_id
  ), bound as materialized (
    select w.workspace_id, convoy.stops_at_checkpoints(w.workspace_id) as is_bound
    from (select distinct c.workspace_id from unnest(told) c) w
  ), tales as materialized (
    select c.position, c.group_no, c.workspace_id, c.payload ->> 'task_id' as task_id,
      c.payload -> 'details' ->> 'from' as left_stage, c.payload -> 'details' ->> 'to' as reached
    from unnest(told) c
  ), judged as materialized (
    select t.*, p.stage_before, p.is_new,
      coalesce(t.left_stage <> t.reached and p.stage_before is distinct from p.stage
        and (t.reached = p.stage or onward.reached is not null and not (
          b.is_bound and convoy.passes_checkpoint(p.workflow_id, p.stage_before, t.reached))), false) as is_true
    from tales t
    join placed p on p.group_no = t.group_no and p.workspace_id = t.workspace_id and p.id::text = t.task_id
    join bound b on b.workspace_id = t.workspace_id
    left join (
      select distinct o.group_no, o.task_id, o.left_stage as reached from tales o where o.left_stage <> o.reached
    ) onward on onward.group_no = t.group_no and onward.task_id = t.task_id and onward.reached = t.reached
    where b.is_bound or not p.is_new
  )
  select coalesce(array_agg(convoy.passed_over(j.position)) filter (where not j.is_true), '{}'),
      jsonb_object_agg(j.position, j.stage_before) filter (
        where j.is_true and not j.is_new and j.left_stage <> j.stage_before and earlier.left_stage is null)
    into decided, corrected
    from judged j
    left join (
      select distinct o.group_no, o.task_id, o.reached as left_stage from judged o where o.is_true
    ) earlier on earlier.group_no = j.group_no and earlier.task_id = j.task_id and earlier.left_stage = j.left_stage;
  if corrected is not null then
    -- The edit time of the details marks that the device has to be told.
    changes := array(
      select case when corrected ? c.position::text then row(
          c.position, c.table_name, c.op, c.id, c.workspace_id, c.base, c.group_no,
          jsonb_set(c.payload, '{details,from}', corrected -> c.position::text), c.edited_at || '{"details": null}',
          c.problem, c.nth, c.row_workspace, c.row_revision, c.row_deleted, c.field_revisions, c.conflicts
        )::convoy.change else c end
      from unnest(changes) c order by c.position);
  end if;
end
$$;

create or replace function convoy.bury_passed_over(changes convoy.change[], decided convoy.decision[]) returns convoy.decision[]
language plpgsql volatile set search_path = '' set enable_nestloop = off as $$
declare
  revisions jsonb;
begin
  if not exists (select from unnest(decided) d where d.outcome = '{"outcome": "applied"}') then
    return decided;
  end if;
  with buried as (
    insert into public.activity_feed (id, workspace_id, activity_type, deleted_at, deletion_id)
      select c.id, c.workspace_id, c.payload ->> 'activity_type', now(), gen_random_uuid()
      from unnest(changes) c
      join unnest(decided) d on d.position = c.position and d.outcome = '{"outcome": "applied"}'
      where exists (select from convoy.scope_clocks s where s.scope_id = c.workspace_id)
      order by c.position
      returning id, revision
  )
  select jsonb_object_agg(b.id, b.revision) into revisions from buried b;
  return array(
    select case
        when d.outcome <> '{"outcome": "applied"}' then d
        when revisions ? c.id::text then row(
          d.position, d.outcome || jsonb_build_object('revision', revisions -> c.id::text), true)::convoy.decision
        else convoy.untold(d.position) end
    from unnest(decided) d join unnest(changes) c on c.position = d.position);
end
$$;

revoke all on function convoy.decide(convoy.change[],convoy.cursor_position[],uuid[],boolean) from public, anon, authenticated, service_role;
revoke all on function convoy.confirmed_address() from public, anon, authenticated, service_role;
revoke all on function convoy.no_invitation(uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.passed_over(integer) from public, anon, authenticated, service_role;
revoke all on function convoy.untold(integer) from public, anon, authenticated, service_role;
revoke all on function convoy.decide_activities(convoy.change[],convoy.change[],boolean) from public, anon, authenticated, service_role;
revoke all on function convoy.passes_checkpoint(uuid,text,text) from public, anon, authenticated, service_role;
revoke all on function convoy.decide_told_moves(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.bury_passed_over(convoy.change[],convoy.decision[]) from public, anon, authenticated, service_role;
