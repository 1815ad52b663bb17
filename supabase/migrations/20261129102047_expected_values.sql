-- Expected values: an update may say what columns of its row have to be. Where they are not, nothing of its group is
-- written, and the outcome is a conflict (U45). Clients before protocol 6 send none. get_record finds members too, for the
-- remote service to change their roles.

update convoy.served_versions set protocol = 6;
alter type convoy.change add attribute expected jsonb;

create or replace function convoy.parse_changes(changes jsonb) returns convoy.change[]
language plpgsql stable set search_path = '' as $$
begin
  return (select coalesce(array_agg(row(
    e.n,
    t.name,
    e.op,
    case when e.sound_id then e.id::uuid end,
    case when e.sound_workspace then e.workspace_id::uuid end,
    e.base,
    -- A change that names no group is one of its own.
    coalesce(e.group_no, -e.n),
    case when jsonb_typeof(e.payload) = 'object'
      then (e.payload - t.ignored) || coalesce(i.spelled, '{}') else '{}' end,
    case when jsonb_typeof(e.edited_at) = 'object' then e.edited_at else '{}' end,
    case
      when jsonb_typeof(e.c) <> 'object' then convoy.rejection('malformed', null, 'A change is an object.')
      when jsonb_typeof(e.c -> 'table') is distinct from 'string'
        then convoy.rejection('malformed', null, 'A change names its table.')
      when t.name is null
        then convoy.rejection('unknown_table', null, 'There is no table ' || quote_ident(e.table_name) || '.')
      when e.op is null or e.op not in ('insert', 'update', 'delete')
        then convoy.rejection('malformed', null, 'A change is an insert, an update or a delete.')
      when not e.sound_id
        then convoy.rejection('malformed', 'id', 'The id must be a UUID.')
      when not e.sound_workspace
        then convoy.rejection('malformed', 'workspace_id', 'The workspace must be a UUID.')
      when e.group_no is null
        then convoy.rejection('malformed', null, 'A change names its group by a number.')
      when e.base is null and coalesce(e.c -> 'base', 'null') <> 'null'
        then convoy.rejection('malformed', null, 'The base must be a revision or null.')
      when coalesce(jsonb_typeof(e.payload), 'absent')
          not in ('object', case when e.op = 'delete' then 'absent' else 'object' end)
        then convoy.rejection('malformed', null, 'The values must be an object.')
      when coalesce(jsonb_typeof(e.edited_at), 'object') <> 'object'
        then convoy.rejection('malformed', null, 'The edit times must be an object.')
      when e.expected is not null and (jsonb_typeof(e.expected) <> 'object' or e.op <> 'update')
        then convoy.rejection('malformed', null, 'An update expects values, as an object.')
      when t.name = 'workspaces' and e.id <> e.workspace_id
        then convoy.rejection('malformed', 'workspace_id', 'A workspace is its own scope.')
      when e.op <> 'delete' and e.payload - t.pushable - t.ignored <> '{}'
        then (select convoy.rejection('unknown_column', k, 'Clients do not write the column ' || quote_ident(k) || '.')
          from jsonb_object_keys(e.payload - t.pushable - t.ignored) k order by k limit 1)
      when e.expected is not null and e.expected - t.pushable <> '{}'
        then (select convoy.rejection('unknown_column', k, 'Clients do not write the column ' || quote_ident(k) || '.')
          from jsonb_object_keys(e.expected - t.pushable) k order by k limit 1)
      when i.unsound is not null then convoy.rejection('invalid_value', i.unsound, 'The value must be a UUID.')
      when f.column_name is not null then convoy.rejection('invalid_value', f.column_name, f.message)
    end,
    e.nth,
    null, null, null, null, null, e.expected
  )::convoy.change order by e.n), '{}')
  from (
    -- Each part is read out of the JSON once.
    select s.*,
      coalesce(convoy.is_uuid(s.id), false) as sound_id,
      coalesce(convoy.is_uuid(s.workspace_id), false) as sound_workspace,
      row_number() over (partition by s.id, s.table_name, s.op order by s.n) as nth
    from (
      select e.n, e.c, e.c ->> 'table' as table_name, e.c ->> 'op' as op, lower(e.c ->> 'id') collate "C" as id,
        lower(e.c ->> 'workspace_id') as workspace_id, convoy.to_count(e.c -> 'base') as base,
        convoy.to_count(e.c -> 'group') as group_no, e.c -> 'values' as payload, e.c -> 'edited_at' as edited_at,
        nullif(e.c -> 'expected', 'null') as expected
      from jsonb_array_elements(changes) with ordinality e (c, n)
      offset 0
    ) s
    offset 0
  ) e
  left join convoy.synced_tables t on t.name = e.table_name
  -- PostgreSQL takes a UUID in several spellings; an id in a second one would match nothing it is compared with.
  left join lateral (
    select jsonb_object_agg(k, lower(e.payload ->> k)) as spelled,
      min(k) filter (where not convoy.is_uuid(e.payload ->> k)) as unsound
    from unnest(t.ids) k
    where e.payload ?| t.ids and e.payload ->> k !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
  ) i on true
  left join lateral convoy.json_fault(e.payload) f on e.op <> 'delete');
end
$$;

create or replace function convoy.with_known(changes convoy.change[], known convoy.found_row[]) returns convoy.change[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  -- Most pushes of new records find none.
  if cardinality(known) = 0 then
    return changes;
  end if;
  return (
    select coalesce(array_agg(row(
      c.position, c.table_name, c.op, c.id, c.workspace_id, c.base, c.group_no, c.payload, c.edited_at,
      c.problem, c.nth, k.workspace_id, k.revision, k.deleted, k.field_revisions, c.conflicts, c.expected
    )::convoy.change order by c.position), '{}')
    from unnest(changes) c
    left join unnest(known) k
      on k.table_name = c.table_name and k.id = c.id and (c.op = 'insert' or k.workspace_id = c.workspace_id));
end
$$;

create or replace function convoy.stale_columns(c convoy.change) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  mine constant jsonb := convoy.canonical(c.table_name, c.payload);
  -- Null where a value is none that the column can have: then nothing is as expected.
  wanted constant jsonb := convoy.canonical(c.table_name, c.expected);
  theirs constant jsonb := convoy.current_row(c.table_name, c.id);
begin
  return (
    with named as (
      select m.name, coalesce(m.unit, m.name) as unit, c.payload ? m.name as is_sent,
        c.expected ? m.name and (wanted is null or case
          -- Devices know times to the millisecond.
          when a.atttypid = 'timestamptz'::regtype
            then date_trunc('milliseconds', (wanted ->> m.name)::timestamptz)
              is distinct from date_trunc('milliseconds', (theirs ->> m.name)::timestamptz)
          else wanted -> m.name is distinct from theirs -> m.name end) as is_stale,
        c.payload ? m.name and (mine is null or mine -> m.name is distinct from theirs -> m.name) as is_new
      from convoy.synced_columns m
      join pg_catalog.pg_attribute a
        on a.attrelid = to_regclass(format('public.%I', c.table_name)) and a.attname = m.name
      where m.table_name = c.table_name and (c.payload ? m.name or c.expected ? m.name)
    ), stale_units as (
      select n.unit from named n group by n.unit having bool_or(n.is_stale) and bool_or(n.is_new or n.is_stale and not n.is_sent)
    )
    select jsonb_agg(n.name order by n.name) from named n join stale_units s on s.unit = n.unit where n.is_stale);
end
$$;

create or replace function convoy.decide_unexpected(changes convoy.change[]) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
begin
  return array(
    select row(c.position, convoy.conflict_with(c, c.row_revision, (
        select coalesce(jsonb_object_agg(k, f.edited), '{}')
        from jsonb_object_keys(c.payload) k
        left join lateral (
          select c.field_revisions -> k -> 1 as edited
          where (c.field_revisions -> k ->> 0)::bigint > coalesce(c.base, 0)
        ) f on true)) || jsonb_build_object('stale', s.stale), true)::convoy.decision
    from unnest(changes) c
    cross join lateral (select convoy.stale_columns(c) as stale offset 0) s
    where c.op = 'update' and c.expected is not null and s.stale is not null);
end
$$;

create or replace function convoy.without_clashes(changes convoy.change[], clashes convoy.clash[]) returns convoy.change[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return (
    select coalesce(array_agg(row(
      c.position, c.table_name, c.op, c.id, c.workspace_id, c.base, c.group_no,
      c.payload - array(select jsonb_object_keys(coalesce(x.columns, '{}'))),
      c.edited_at, c.problem, c.nth, c.row_workspace, c.row_revision, c.row_deleted, c.field_revisions, x.columns,
      c.expected
    )::convoy.change order by c.position), '{}')
    from unnest(changes) c left join unnest(clashes) x on x.position = c.position);
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
          c.problem, c.nth, c.row_workspace, c.row_revision, c.row_deleted, c.field_revisions, c.conflicts, c.expected
        )::convoy.change else c end
      from unnest(changes) c order by c.position);
  end if;
end
$$;

create or replace function public.get_record(table_name text, record_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select public.as_entity(found.record) from (
    select case table_name
      when 'workspaces' then (select to_jsonb(r) from public.workspaces r where r.id = record_id)
      when 'workspace_members' then (select to_jsonb(r) from public.workspace_members r where r.id = record_id)
      when 'workflows' then (select to_jsonb(r) from public.workflows r where r.id = record_id)
      when 'projects' then (select to_jsonb(r) from public.projects r where r.id = record_id)
      when 'milestones' then (select to_jsonb(r) from public.milestones r where r.id = record_id)
      when 'tasks' then (select to_jsonb(r) from public.tasks r where r.id = record_id)
      when 'task_dependencies' then (select to_jsonb(r) from public.task_dependencies r where r.id = record_id)
      when 'activity_feed' then (select to_jsonb(r) from public.activity_feed r where r.id = record_id)
      when 'patterns' then (select to_jsonb(r) from public.patterns r where r.id = record_id)
      when 'best_practices' then (select to_jsonb(r) from public.best_practices r where r.id = record_id)
    end as record
  ) found
  where found.record -> 'deleted_at' = 'null'
$$;

revoke all on function convoy.stale_columns(convoy.change) from public, anon, authenticated, service_role;
revoke all on function convoy.decide_unexpected(convoy.change[]) from public, anon, authenticated, service_role;
