-- sync_push, part 2: decisions before anything is written. They run under the clocks' locks.

-- Section 4 of docs/sync-spec.md. `roles`: {workspace: role} of the caller; null where the batch inserts a
-- workspace that exists and is not the caller's, which blocks everything in it (U11).
create function convoy.decide_permission(changes convoy.change[], roles jsonb) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  agent boolean := exists (select from public.profiles p where p.id = auth.uid() and p.kind = 'agent');
  own uuid[] := array(
    select m.id from public.workspace_members m where m.user_id = auth.uid() and m.deleted_at is null);
  paused constant uuid[] := array(select convoy.paused_scopes());
begin
  return array(
    select row(c.position, case
        when roles -> c.workspace_id::text = 'null' then jsonb_build_object('outcome', 'blocked', 'by', c.workspace_id)
        -- Its device keeps the change, and sends it once the pause is over (A7).
        when c.workspace_id = any (paused)
          then jsonb_build_object('outcome', 'blocked', 'by', c.workspace_id, 'code', 'paused')
        -- Answered before anybody looks for the user: it says nothing about who has an account.
        when (c.table_name, c.op) = ('workspace_members', 'insert') and not agent
            and roles ->> c.workspace_id::text = 'owner' and c.workspace_id <> '00000000-0000-7000-8000-000000000000'
          then convoy.rejection('needs_invitation', null, 'People join a workspace by accepting an invitation.')
        else convoy.rejection('forbidden', null, 'You may not do this here.')
      end, false)::convoy.decision
    from unnest(changes) c
    left join convoy.permissions p
      on p.role = roles ->> c.workspace_id::text and p.table_name = c.table_name and p.op = c.op
    -- Every member may leave.
    cross join lateral (select (c.table_name, c.op) = ('workspace_members', 'delete') and c.id = any (own) as leaves) l
    where c.workspace_id = '00000000-0000-7000-8000-000000000000'
      or p.role is null and (c.table_name, c.op) <> ('workspaces', 'insert') and not l.leaves
      -- A workspace that an agent made would have no human owner (R2).
      or agent and (c.table_name, c.op) = ('workspaces', 'insert')
      -- Writes to these tables would take an agent past checkpoints, whatever its role.
      or agent and c.table_name in ('workflows', 'workspace_members') and not l.leaves
      or c.workspace_id = any (paused) and not l.leaves);
end
$$;

-- Workspaces whose ids have a headstone: there was one with this id, it was deleted, and nothing else is known of it (P20).
create function convoy.decide_headstones(changes convoy.change[]) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
begin
  return array(
    select row(c.position, convoy.rejection('id_taken', 'id', 'This id is taken.'), false)::convoy.decision
    from unnest(changes) c
    where c.table_name = 'workspaces' and c.op = 'insert'
      and exists (select from convoy.scope_clocks s where s.scope_id = c.id)
      and not exists (select from public.workspaces w where w.id = c.id));
end
$$;

-- Rows that exist already, or no longer (U7, U8, U9).
create function convoy.decide_existing(changes convoy.change[], memberships jsonb) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  result convoy.decision[];
  again convoy.change;
  mine jsonb;
  theirs jsonb;
  differing jsonb;
begin
  result := array(
    select row(c.position, case
        when c.op = 'insert' and c.nth > 1
          then convoy.rejection('malformed', 'id', 'The batch inserts this record twice.')
        when c.op = 'insert' and (c.row_workspace <> c.workspace_id or not memberships ? c.workspace_id::text)
          then convoy.rejection('id_taken', 'id', 'This id is taken.')
        when c.op = 'delete' and c.row_workspace = c.workspace_id
          then jsonb_build_object('outcome', 'applied', 'revision', c.row_revision)
        else '{"outcome": "gone", "which": "record"}'
      end, false)::convoy.decision
    from unnest(changes) c
    left join unnest(changes) i
      on i.op = 'insert' and i.nth = 1 and i.table_name = c.table_name and i.id = c.id
        and i.workspace_id = c.workspace_id and c.op <> 'insert'
    where case c.op
      when 'insert' then c.nth > 1
        or c.row_revision is not null
          and (c.row_workspace <> c.workspace_id or not memberships ? c.workspace_id::text or c.row_deleted)
      else i.position is null and c.row_revision is null or coalesce(c.row_deleted, false)
    end);

  -- Inserts that arrived before, from a device that lost the answer and whose ledger row is gone.
  for again in
    select i.* from unnest(convoy.still_open(changes, result)) i where i.op = 'insert' and i.row_revision is not null
  loop
    mine := convoy.canonical(again.table_name, again.payload);
    theirs := convoy.current_row(again.table_name, again.id);
    select jsonb_object_agg(k, again.field_revisions -> k ->> 1) into differing
      from jsonb_object_keys(again.payload) k
      -- The key that a task brings may be another's by now: it has the one that it was given (Y5).
      where (again.table_name, k) <> ('tasks', 'key') and (mine is null or mine -> k is distinct from theirs -> k);
    result := result || row(again.position, case
        when differing is null then jsonb_build_object('outcome', 'applied', 'revision', again.row_revision)
        else convoy.conflict_with(again, again.row_revision, differing)
      end, true)::convoy.decision;
  end loop;
  return result;
end
$$;

create function convoy.find_links(changes convoy.change[]) returns convoy.link[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select row(l.position, l.column_name, l.parent_table, l.parent_id, l.is_parent, i.position)::convoy.link
    from (
      select c.position, m.name as column_name, m.refers_to as parent_table,
        case when convoy.is_uuid(c.payload ->> m.name) then (c.payload ->> m.name)::uuid end as parent_id, m.is_parent
      from unnest(changes) c
      join convoy.synced_columns m on m.table_name = c.table_name and m.refers_to is not null
      where c.op <> 'delete'
      union all
      select c.position, 'workspace_id', 'workspaces', c.workspace_id, true
      from unnest(changes) c where c.op = 'insert' and c.table_name <> 'workspaces'
      union all
      select c.position, 'id', c.table_name, c.id, true
      from unnest(changes) c where c.op <> 'insert'
    ) l
    left join unnest(changes) i
      on i.op = 'insert' and i.nth = 1 and i.table_name = l.parent_table and i.id = l.parent_id
    where l.parent_id is not null and i.position is distinct from l.position
      and (l.column_name <> 'id' or i.position is not null));
end
$$;

-- Parents outside the batch that are deleted (U7), or not in this workspace.
create function convoy.decide_parents(changes convoy.change[], links convoy.link[]) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
declare
  wanted record;
  parents convoy.found_row[] := '{}'::convoy.found_row[];
begin
  for wanted in
    select l.parent_table, array_agg(distinct l.parent_id) as ids
    from unnest(links) l where l.provider is null and l.is_parent group by l.parent_table
  loop
    parents := parents || convoy.find_rows(wanted.parent_table, wanted.ids);
  end loop;
  return convoy.judge_parents(changes, links, parents);
end
$$;

create function convoy.judge_parents(changes convoy.change[], links convoy.link[], parents convoy.found_row[])
returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select distinct on (c.position) row(c.position, case
        when p.deleted and p.workspace_id = c.workspace_id then '{"outcome": "gone", "which": "parent"}'
        else convoy.rejection('missing_parent', l.column_name, 'The record this one belongs to does not exist.')
      end, false)::convoy.decision
    from unnest(changes) c
    join unnest(links) l on l.position = c.position and l.provider is null and l.is_parent
    left join unnest(parents) p on p.table_name = l.parent_table and p.id = l.parent_id
    where p.id is null or p.workspace_id <> c.workspace_id or p.deleted
    order by c.position, coalesce(p.deleted and p.workspace_id = c.workspace_id, false) desc, l.column_name);
end
$$;

-- Refusals that follow from others (U11 to U13): of changes that need the refused record, and of the rest of its
-- group. `all_changes` holds the decided ones too. Each change and each link is looked at once, in rounds: what follows
-- from the refusals of one round is decided in the next, and what a record needs counts before its group.
create function convoy.spread_refusals(
  changes convoy.change[], all_changes convoy.change[], links convoy.link[], decided convoy.decision[]
) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
declare
  b convoy.batch;
  verdicts "char"[];
  blockers uuid[];
  -- 0: to be decided; else the round a change was decided in, from 1, or -1 for before.
  rounds integer[];
  spread boolean[];
  queue integer[];
  first integer := 1;
  last integer;
  tail integer;
  n integer;
  m integer;
  verdict "char";
begin
  if cardinality(changes) = 0 or cardinality(decided) = 0 then
    return '{}'::convoy.decision[];
  end if;
  if not exists (
    select from unnest(decided) d where d.outcome ->> 'outcome' in ('rejected', 'blocked', 'gone', 'conflict'))
  then
    return '{}'::convoy.decision[];
  end if;
  b := convoy.batch_of(changes, all_changes, links, decided);
  verdicts := b.verdicts;
  blockers := b.blockers;
  rounds := array(select case when o.open then 0 else -1 end from unnest(b.open) with ordinality o (open, n) order by o.n);
  spread := array_fill(false, array[cardinality(b.begins)]);
  queue := array(select v.n from unnest(verdicts) with ordinality v (verdict, n) where v.verdict <> '-' order by v.n);
  last := cardinality(queue);
  tail := last;
  for round in 1 .. cardinality(b.positions) loop
    exit when first > last;
    for i in first .. last loop
      n := queue[i];
      continue when verdicts[n] = 'c';
      for at in b.follows[n] .. b.follows[n + 1] - 1 loop
        m := b.followers[at];
        verdict := case
          when verdicts[n] in ('r', 'b') then 'b'
          when not b.follow_parent[at] then '-'
          when b.follow_self[at] then 'g'
          else 'p' end;
        if verdict <> '-' and (rounds[m] = 0 or rounds[m] = round and verdicts[m] = 'b') then
          if rounds[m] = 0 then
            tail := tail + 1;
            queue[tail] := m;
          end if;
          rounds[m] := round;
          verdicts[m] := verdict;
          blockers[m] := b.follow_ids[at];
        end if;
      end loop;
    end loop;
    -- A refusal that the server has a code for counts before one that waits for another.
    foreach verdict in array '{r,b}'::"char"[] loop
      for i in first .. last loop
        n := queue[i];
        continue when spread[b.groups[n]] or verdicts[n] = 'g' or (verdicts[n] = 'r') <> (verdict = 'r');
        spread[b.groups[n]] := true;
        for at in b.begins[b.groups[n]] .. b.begins[b.groups[n] + 1] - 1 loop
          m := b.members[at];
          if rounds[m] = 0 then
            tail := tail + 1;
            queue[tail] := m;
            rounds[m] := round;
            verdicts[m] := verdict;
            blockers[m] := case when verdicts[n] = 'b' then blockers[n] else b.ids[n] end;
          end if;
        end loop;
      end loop;
    end loop;
    first := last + 1;
    last := tail;
  end loop;
  return array(
    select row(x.position, case x.verdict
        when 'r' then convoy.rejection('group', null, 'Another change of the same action was refused.')
        when 'b' then jsonb_build_object('outcome', 'blocked', 'by', x.blocker)
        when 'g' then '{"outcome": "gone", "which": "record"}'
        else '{"outcome": "gone", "which": "parent"}'
      end, false)::convoy.decision
    from unnest(b.positions, verdicts, blockers, rounds) x (position, verdict, blocker, round)
    where x.round > 0);
end
$$;

revoke execute on all functions in schema convoy from public;
