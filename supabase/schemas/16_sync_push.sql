-- sync_push: section 3 of docs/sync-spec.md. Every stage works on the whole batch at once.

-- The outcomes of the written changes, from the rows before and after.
create function convoy.conclude(before convoy.change[], after convoy.found_row[]) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select row(b.position, case
        -- The twin of a duplicate may have been deleted by the same push.
        when b.op = 'insert' and a.revision is null
          then coalesce(
            (select jsonb_build_object('outcome', 'duplicate', 'of', twin) from convoy.find_twin(b) twin
              where twin is not null),
            '{"outcome": "gone", "which": "record"}')
        when b.conflicts is not null
          then convoy.conflict_with(b, a.revision, b.conflicts)
        when b.op = 'update' and b.base is not null and b.row_revision > b.base
          then jsonb_build_object('outcome', 'merged', 'revision', a.revision)
        else jsonb_build_object('outcome', 'applied', 'revision', a.revision)
      end, case b.op
        when 'insert' then a.revision is null
          -- The server fills in defaults, and dates rows that claim a later time.
          or not b.payload ?& t.defaulted
          -- The feed takes no device id, and corrects what it is told.
          or b.table_name = 'activity_feed' and (b.payload -> 'details' ? 'device_id' or b.edited_at ? 'details')
          -- Another value is stored than was sent.
          or b.edited_at ? 'corrected'
          or coalesce(convoy.to_time(b.edited_at ->> 'created_at') > now(), true)
        when 'update' then b.conflicts is not null or b.base is null or b.row_revision > b.base or b.edited_at ? 'corrected'
          -- The server dates a restore, and its triggers move subtasks along.
          or b.table_name = 'deletions' or b.table_name = 'tasks' and b.payload ? 'milestone_id'
          -- Its stage or status released the claim, or granted it anew (C5, C6).
          or coalesce((a.field_revisions -> 'news' ->> 0)::bigint = a.revision, false)
        else false
      end)::convoy.decision
    from unnest(before) b
    left join unnest(after) a
      on a.table_name = b.table_name and a.id = b.id and (b.op = 'insert' or a.workspace_id = b.workspace_id)
    join convoy.synced_tables t on t.name = b.table_name);
end
$$;

-- The live record that stands for the same thing (U10).
create function convoy.find_twin(c convoy.change) returns uuid
language sql stable set search_path = '' as $$
  select d.id from public.task_dependencies d
    where c.table_name = 'task_dependencies' and d.workspace_id = c.workspace_id
      and d.task_id = (c.payload ->> 'task_id')::uuid
      and d.depends_on_task_id = (c.payload ->> 'depends_on_task_id')::uuid and d.deleted_at is null
$$;

-- The rows the device has to be sent (U14): those of this push's revisions that differ from what it
-- sent, and those it lost a conflict against.
--   kinds: as kinds_of has them.
create function convoy.pick_effects(
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
  if 'insert activity_feed' = any (kinds) then
    result := result || convoy.pick_blanked(changes, decided);
  end if;
  if 'update workspace_members' = any (kinds) then
    -- The claims that a role took along (C6) went from tasks that this push has changed, too.
    result := result || array(
      select row('tasks', t.id)::convoy.pick
      from unnest(changes) c
      join unnest(decided) d on d.position = c.position and d.outcome ->> 'outcome' = 'applied'
      join public.tasks t on t.id = c.id and t.workspace_id = c.workspace_id
      where c.table_name = 'tasks' and c.op <> 'delete' and t.deleted_at is null and t.claim_id is null);
  end if;
  if 'update tasks' = any (kinds) then
    result := result || convoy.pick_moved(changes, scopes, revisions);
  end if;
  return array(select distinct p from unnest(result) p);
end
$$;

-- A move takes subtasks along (U29). A task that the device changed in this push may be a subtask of the moved one
-- without the device knowing, so it is sent where its milestone is not the one that the device has.
create function convoy.pick_moved(changes convoy.change[], scopes uuid[], revisions bigint[]) returns convoy.pick[]
language plpgsql stable set search_path = '' as $$
begin
  if not exists (select from unnest(changes) c where c.table_name = 'tasks' and c.op = 'update' and c.payload ? 'milestone_id')
  then
    return '{}'::convoy.pick[];
  end if;
  return array(
    select row('tasks', t.id)::convoy.pick
    from unnest(scopes, revisions) s (scope, revision)
    join unnest(changes) c on c.workspace_id = s.scope and c.table_name = 'tasks' and c.op <> 'delete'
    join public.tasks t on t.id = c.id and t.workspace_id = s.scope and t.revision = s.revision
    where t.deleted_at is null and (t.field_revisions -> 'milestone_id' ->> 0)::bigint = s.revision
      and t.milestone_id::text is distinct from c.payload ->> 'milestone_id');
end
$$;

-- The outcomes of refusals and conflicts that need no writing; the changes that are left are ready to be written.
--   links: of all changes; those to records of this batch come back. kinds: as kinds_of has them.
--   locked: the scopes whose clocks are locked. In others a membership gained since then does not count (S3).
--   passing: as in decide_activities.
create function convoy.decide(
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

  if tells then
    stage := convoy.decide_reviews(changes);
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

-- U3. Whether all cursors are of the scopes' histories. While paging, a cursor carries the tag of the revision it is
-- going to. Only users who could see a scope once know its tags, so that this tells a stranger nothing (R7).
create function convoy.knows_cursors(cursors convoy.cursor_position[]) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return not exists (
    select from unnest(cursors) k
    where k.revision is not null and not convoy.knows_cursor(k)
      and not (k.own_revision is null and exists (
        select from convoy.scope_revisions r
        where r.scope_id = k.scope and r.revision > k.revision and r.tag = k.tag)));
end
$$;

-- S2, S3: locks the clocks of the scopes that the batch writes in, in sorted order. A function that is VOLATILE, so
-- that the statements after it see what was committed before. Returns the scopes.
create function convoy.lock_clocks(changes convoy.change[], kinds text[]) returns uuid[]
language plpgsql volatile set search_path = '' as $$
begin
  if 'insert workspaces' = any (kinds) then
    -- A workspace that is to be created has no clock yet. One of 256 locks stands for it, so that no batch fills
    -- the server's table of locks.
    perform pg_advisory_xact_lock('public.workspaces'::regclass::oid::integer, w.slot)
      from (
        select distinct uuid_hash(c.id) & 255 as slot from unnest(changes) c
        where c.table_name = 'workspaces' and c.op = 'insert' and c.id is not null order by slot
      ) w;
  end if;
  return array(
    select s.scope_id from convoy.scope_clocks s
    where s.scope_id in (
      select c.workspace_id from unnest(changes) c
      intersect
      select m.workspace_id from public.workspace_members m where m.user_id = auth.uid() and m.deleted_at is null)
    order by s.scope_id for update);
end
$$;

create function public.sync_push(request jsonb) returns jsonb
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

revoke all on function public.sync_push(jsonb) from public, anon, authenticated;
grant execute on function public.sync_push(jsonb) to authenticated;
revoke execute on all functions in schema convoy from public;
