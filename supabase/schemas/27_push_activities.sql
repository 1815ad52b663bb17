-- sync_push, part 7: the activities that Convoy writes itself (U30).

-- The decision about an activity that tells of nothing that its push does: it is not taken, and nobody has to look at
-- it. To its device it is applied and, among the effects, deleted: devices of all versions then remove it without a word.
create function convoy.passed_over(at integer) returns convoy.decision language sql immutable
  return row(at, '{"outcome": "applied"}', true)::convoy.decision;

-- The decision about an activity that comes without the change that it tells of.
create function convoy.untold(at integer) returns convoy.decision language sql stable
  return row(at, convoy.rejection('reserved_activity', 'activity_type',
    'Convoy writes this activity itself, with the change that it tells of.'), false)::convoy.decision;

-- Activities that Convoy writes itself are taken only in the group of the change that they tell of (U30): what a feed
-- says has happened did happen. A settled conflict may also have left the record as it was; then the server knows
-- that this user met it.
--   passing: those of no such change are passed over, where the device cannot be told that they are refused.
create function convoy.decide_activities(
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

-- Activities whose changes all find their records gone, or there already: this push does nothing that they could tell
-- of. Where somebody has done the same, they are passed over; else they wait like what depends on a conflict (U13, U30).
-- `decided`: of the changes to records that exist already, or no longer.
create function convoy.decide_idle_activities(
  changes convoy.change[], all_changes convoy.change[], decided convoy.decision[]
) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  idle constant convoy.decision[] := array(
    select d from unnest(decided) d where d.outcome ->> 'outcome' in ('gone', 'conflict', 'applied'));
begin
  if cardinality(idle) = 0 then
    return '{}'::convoy.decision[];
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

-- Whether a checkpoint lies between two stages of a workflow, as R4 counts them; also where it has no such new stage.
create function convoy.passes_checkpoint(workflow uuid, old_stage text, new_stage text) returns boolean
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

-- A stage_changed activity tells what the changes of its group do. One is passed over that leads neither to
-- the stage that its task is moved to nor to one that another of the group leaves, and so are those of a move to the
-- stage that the task has already. One that begins at a stage which the task was not in begins where it was: others
-- have moved it meanwhile. Callers whom checkpoints bind tell of no stage that the task could not have been in.
-- Tasks that come back to a server that has lost them bring their whole feed, which begins anywhere.
create function convoy.decide_told_moves(inout changes convoy.change[], out decided convoy.decision[])
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
          c.problem, c.nth, c.row_workspace, c.row_revision, c.row_deleted, c.field_revisions, c.conflicts, c.expected
        )::convoy.change else c end
      from unnest(changes) c order by c.position);
  end if;
end
$$;

-- Puts tombstones in the place of the activities that were passed over, without what they told, and completes their
-- outcomes with the revision. Where the push was to make their workspace and could not, they are refused.
create function convoy.bury_passed_over(changes convoy.change[], decided convoy.decision[]) returns convoy.decision[]
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

revoke execute on all functions in schema convoy from public;
