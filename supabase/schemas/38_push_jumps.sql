-- sync_push, part 9: jumps of clients of before reviews (V6). They tell of a move past a checkpoint as of any other, and of no
-- reason; the server says what it was, so that people see it.

-- The checkpoints that a task passes on its way between two stages, as R4 counts them: where it is finished, also those that
-- lie ahead of it.
create function convoy.checkpoints_passed(workflow uuid, old_stage text, new_stage text, finishes boolean) returns jsonb
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

-- The moves past checkpoints that these changes make without an approval, of callers whom checkpoints do not bind: one for
-- each group and task.
create function convoy.find_jumps(changes convoy.change[]) returns convoy.jump[]
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

-- Adds to the activities of moves which checkpoints these passed, for no reason that is known.
--   jumps: those that no activity of their group tells of
create function convoy.mark_jumps(inout changes convoy.change[], out jumps convoy.jump[])
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

-- Tells of the jumps among changes that were written, in the feeds of their tasks. Returns whether there were any.
create function convoy.tell_jumps(jumps convoy.jump[], written convoy.change[]) returns boolean
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

revoke execute on all functions in schema convoy from public;
