-- sync_push, part 3: conflicts with changes of others since the base (U5, U6, U8).

-- Which conflicts a user has met: what tells of a settled one is taken from that user alone (U30).
create table convoy.conflicts (
  user_id uuid not null,
  record_id uuid not null,
  occurred_at timestamptz not null default now(),
  workspace_id uuid not null,
  table_name text not null,
  primary key (user_id, record_id, table_name, workspace_id)
);
alter table convoy.conflicts enable row level security;
grant select on convoy.conflicts to service_role;

create function convoy.record_conflicts(changes convoy.change[], decided convoy.decision[]) returns void
language plpgsql volatile set search_path = '' set enable_nestloop = off as $$
begin
  insert into convoy.conflicts (user_id, record_id, table_name, workspace_id)
    select distinct auth.uid(), c.id, c.table_name, c.workspace_id
    from unnest(decided) d join unnest(changes) c on c.position = d.position
    where d.outcome ->> 'outcome' = 'conflict'
    on conflict (user_id, record_id, table_name, workspace_id) do update set occurred_at = now();
end
$$;

-- The authors of the columns that others have changed since the base of an update, of those and the units that are in
-- conflict; null for an author who is not known (U5).
-- It is called by functions that switch nested loops off, and looks up a few revisions among all of the scope's.
create function convoy.rivals_of(c convoy.change, columns jsonb) returns jsonb
language plpgsql stable set search_path = '' set enable_nestloop = on as $$
begin
  return (
    select coalesce(jsonb_object_agg(f.key, r.author), '{}')
    from jsonb_each(c.field_revisions) f
    join convoy.synced_columns m on m.table_name = c.table_name and m.name = f.key
    left join convoy.scope_revisions r on r.scope_id = c.workspace_id and r.revision = (f.value ->> 0)::bigint
    where (f.value ->> 0)::bigint > coalesce(c.base, 0)
      and (columns ? f.key or m.unit is not null and exists (
        select from convoy.synced_columns u
        where u.table_name = c.table_name and u.unit = m.unit and columns ? u.name)));
end
$$;

create function convoy.conflict_with(c convoy.change, at bigint, columns jsonb) returns jsonb
language sql stable set search_path = ''
  return jsonb_build_object('outcome', 'conflict', 'revision', at, 'columns', columns,
    'authors', convoy.rivals_of(c, columns));

-- The columns of an update that clash with a row, with the time of the other edit; null without clash.
create function convoy.clashing_columns(c convoy.change) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  mine jsonb := convoy.canonical(c.table_name, c.payload);
  theirs jsonb := convoy.current_row(c.table_name, c.id);
  result jsonb;
begin
  with rivals as (
    select f.key as name, m.unit, f.value ->> 1 as edited
    from jsonb_each(c.field_revisions) f
    join convoy.synced_columns m on m.table_name = c.table_name and m.name = f.key
    where (f.value ->> 0)::bigint > c.base
    union all
    -- Base 0 is of no revision of this history: the edit has not seen the values the row was created with either.
    select m.name, m.unit, null from convoy.synced_columns m
    where c.base = 0 and m.table_name = c.table_name and not c.field_revisions ? m.name
  ), sent as (
    -- A column without a unit is one of its own.
    select m.name, coalesce(m.unit, m.name) as unit, mine is null or mine -> m.name is distinct from theirs -> m.name as differs
    from jsonb_object_keys(c.payload) k
    join convoy.synced_columns m on m.table_name = c.table_name and m.name = k
  ), clashing_units as (
    select s.unit, max(r.edited) as edited
    from sent s join rivals r on coalesce(r.unit, r.name) = s.unit
    group by s.unit having bool_or(s.differs)
  )
  select jsonb_object_agg(s.name, coalesce(r.edited, u.edited)) into result
    from sent s
    join clashing_units u on u.unit = s.unit
    left join rivals r on r.name = s.name;
  return result;
end
$$;

-- The columns of an update that are not as it expects them, as an array; null where all are. A unit that has the values of
-- the update already is as expected: somebody, this device above all, has done the same before.
create function convoy.stale_columns(c convoy.change) returns jsonb
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

-- Updates of rows that are not as expected: nothing of such an update is written, and so nothing of its group (U45).
create function convoy.decide_unexpected(changes convoy.change[]) returns convoy.decision[]
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

create type convoy.clash as (position integer, columns jsonb);

-- Updates that clash. A row is read only where others changed a column or a unit that was sent.
create function convoy.find_clashes(changes convoy.change[]) returns convoy.clash[]
language plpgsql stable set search_path = '' as $$
begin
  return array(
    select row(x.position, x.columns)::convoy.clash
    from (
      select c.position, case
          when c.base = 0 or exists (
            select from jsonb_each(c.field_revisions) f
            join convoy.synced_columns m on m.table_name = c.table_name and m.name = f.key
            where (f.value ->> 0)::bigint > c.base
              and (c.payload ? f.key or m.unit is not null and exists (
                select from convoy.synced_columns u
                where u.table_name = c.table_name and u.unit = m.unit and c.payload ? u.name)))
          then convoy.clashing_columns(c)
        end as columns
      from unnest(changes) c
      where c.op = 'update' and c.base is not null and c.row_revision > c.base
        -- Two devices that restore the same deletion do not conflict (U24).
        and c.table_name <> 'deletions'
      offset 0
    ) x
    where x.columns is not null);
end
$$;

-- Takes the clashing columns out of the values to be written.
create function convoy.without_clashes(changes convoy.change[], clashes convoy.clash[]) returns convoy.change[]
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

-- Updates of which no column is left to write.
create function convoy.decide_lost_updates(changes convoy.change[]) returns convoy.decision[]
language sql stable set search_path = '' as $$
  select array(
    select row(c.position,
      convoy.conflict_with(c, c.row_revision, c.conflicts), true)::convoy.decision
    from unnest(changes) c
    where c.conflicts is not null and c.payload = '{}')
$$;

-- A stage move that lost leaves no activity, also where other columns of its change are written (U21).
create function convoy.decide_lost_moves(changes convoy.change[]) returns convoy.decision[]
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

-- Moves that clash while their group moves other tasks, subtasks above all: nothing of the group is written,
-- or subtasks would go where their task does not (U28).
create function convoy.decide_split_moves(changes convoy.change[]) returns convoy.decision[]
language sql stable set search_path = '' as $$
  select array(
    select row(c.position, convoy.conflict_with(c, c.row_revision,
        (select coalesce(jsonb_object_agg(k, null), '{}') from jsonb_object_keys(c.payload) k) || c.conflicts),
      true)::convoy.decision
    from unnest(changes) c
    where c.conflicts ? 'milestone_id' and exists (
      select from unnest(changes) m
      where m.group_no = c.group_no and m.position <> c.position
        and m.table_name = 'tasks' and m.op = 'update' and m.payload ? 'milestone_id'))
$$;

create type convoy.descendant as (root integer, table_name text, id uuid, revision bigint);

-- Deletes whose row or a live descendant has news of others after the base. Rows that this push moves under a
-- row that it deletes are deleted with it, and count (U40).
create function convoy.decide_deletes(changes convoy.change[], cursors convoy.cursor_position[])
returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
declare
  frontier convoy.descendant[];
  next_frontier convoy.descendant[];
  found_rows convoy.descendant[];
  everything convoy.descendant[];
  moved_rows convoy.descendant[];
  moves convoy.change[];
  child record;
begin
  -- In a scope without revisions of others since the base no delete can conflict.
  frontier := array(
    select row(c.position, c.table_name, c.id, convoy.news_revision(c.row_revision, c.field_revisions))::convoy.descendant
    from unnest(changes) c
    left join unnest(cursors) k on k.scope = c.workspace_id
    where c.op = 'delete' and c.base is not null and c.row_revision is not null
      -- Whoever leaves or is removed is, whatever others did to the role or the name meanwhile.
      and c.table_name <> 'workspace_members'
      and exists (
        select from convoy.scope_revisions r
        where r.scope_id = c.workspace_id and r.revision > c.base and r.revision <> all (coalesce(k.skip, '{}'))));
  everything := frontier;
  moves := case when cardinality(frontier) > 0 then array(
    select c from unnest(changes) c
    where c.op = 'update' and c.row_revision is not null and exists (
      select from convoy.synced_columns m
      where m.table_name = c.table_name and m.is_parent and c.payload ? m.name)) end;
  while cardinality(frontier) > 0 loop
    next_frontier := '{}';
    for child in
      select m.table_name, m.name, m.refers_to from convoy.synced_columns m
      where m.is_parent and exists (select from unnest(frontier) f where f.table_name = m.refers_to)
      union all
      -- A workspace is the parent of all its rows.
      select t.name, 'workspace_id', 'workspaces' from convoy.synced_tables t
      where t.name not in ('workspaces', 'workspace_members', 'deletions')
        and exists (select from unnest(frontier) f where f.table_name = 'workspaces')
    loop
      execute format(
        'select array_agg(row(f.root, %L, t.id, convoy.news_revision(t.revision, t.field_revisions))::convoy.descendant)
           from unnest($1) f join public.%I t on t.%I = f.id
          where f.table_name = %L and t.deleted_at is null
            and not exists (select from unnest($2) e where e.root = f.root and e.table_name = %L and e.id = t.id)',
        child.table_name, child.table_name, child.name, child.refers_to, child.table_name)
        into found_rows using frontier, case when child.table_name = child.refers_to then everything else '{}' end;
      next_frontier := next_frontier || coalesce(found_rows, '{}');
      if cardinality(moves) > 0 then
        select array_agg(row(f.root, c.table_name, c.id,
              convoy.news_revision(c.row_revision, c.field_revisions))::convoy.descendant) into moved_rows
          from unnest(frontier) f
          join unnest(moves) c on c.table_name = child.table_name and c.payload ->> child.name = f.id::text
          where f.table_name = child.refers_to
            and not exists (
              select from unnest(everything) e where e.root = f.root and e.table_name = c.table_name and e.id = c.id);
        next_frontier := next_frontier || coalesce(moved_rows, '{}');
      end if;
    end loop;
    everything := everything || next_frontier;
    -- The rows below a workspace have been found at once.
    frontier := array(
      select f from unnest(next_frontier) f
      join unnest(changes) c on c.position = f.root where c.table_name <> 'workspaces');
  end loop;
  return array(
    select distinct row(c.position,
      jsonb_build_object('outcome', 'conflict', 'revision', c.row_revision, 'columns', '{}'::jsonb), true)::convoy.decision
    from unnest(everything) e
    join unnest(changes) c on c.position = e.root
    left join unnest(cursors) k on k.scope = c.workspace_id
    where e.revision > c.base and e.revision <> all (coalesce(k.skip, '{}')));
end
$$;

revoke execute on all functions in schema convoy from public;
