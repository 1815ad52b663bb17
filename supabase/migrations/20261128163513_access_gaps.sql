-- A removal of a membership never conflicts: whoever leaves or is removed is, whatever others did to the role or the name
-- meanwhile. Activities tell only of what their push does, in their workspace. A restored membership takes the name and
-- kind of its user anew, and none of a deleted account comes back. An address has one open invitation to a workspace,
-- and open invitations have a bound and an end. The authors of a conflict are looked up, not searched for. A refused
-- request takes no device id. An acceptance says whose it is.

alter table convoy.conflicts add column workspace_id uuid, add column table_name text;
do $$
declare
  t record;
begin
  for t in select s.name from convoy.synced_tables s loop
    execute format('update convoy.conflicts k set table_name = %1$L, workspace_id = r.workspace_id
      from public.%1$I r where r.id = k.record_id and k.table_name is null', t.name);
  end loop;
end
$$;
delete from convoy.conflicts where table_name is null;
alter table convoy.conflicts
  alter column workspace_id set not null,
  alter column table_name set not null,
  drop constraint conflicts_pkey,
  add primary key (user_id, record_id, table_name, workspace_id);

-- The latest invitation of an address stands for the others.
delete from public.invitations i using public.invitations later
  where i.accepted_at is null and later.accepted_at is null and later.workspace_id = i.workspace_id
    and later.email = i.email and (later.created_at, later.id) > (i.created_at, i.id);
create unique index invitations_address on public.invitations (workspace_id, email) where accepted_at is null;

drop trigger b_member on public.workspace_members;
create trigger b_member before insert or update of user_id, deleted_at on public.workspace_members
  for each row execute function convoy.fill_member();

create or replace function convoy.fill_member() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' and new.user_id <> old.user_id then
    raise exception 'A membership stays with its user.' using errcode = 'SN005', column = 'user_id';
  end if;
  if tg_op = 'INSERT' or new.deleted_at is null and old.deleted_at is not null then
    -- Locked, so that who becomes an agent meanwhile becomes one here too (R2).
    select p.display_name, p.kind into new.display_name, new.kind
      from public.profiles p where p.id = new.user_id for share;
    if not found then
      raise exception 'There is no such user.' using errcode = 'SN008', column = 'user_id';
    end if;
  end if;
  return new;
end
$$;

create or replace function convoy.restore_rows(deletion uuid, scope uuid) returns bigint
language plpgsql set search_path = '' as $$
declare
  t record;
  tasks constant uuid[] := array(
    select c.id from public.tasks c where c.deletion_id = deletion and c.workspace_id = scope);
  restored bigint := 0;
  in_table bigint;
begin
  for t in
    select s.name from convoy.synced_tables s
    where s.name not in ('workspace_members', 'task_dependencies', 'deletions') order by s.position
  loop
    execute format('update public.%I set deleted_at = null where deletion_id = $1 and workspace_id = $2', t.name)
      using deletion, scope;
    get diagnostics in_table = row_count;
    restored := restored + in_table;
  end loop;
  return restored
    + convoy.restore_singly('workspace_members', array(
      select m.id from public.workspace_members m
      where m.deletion_id = deletion and m.workspace_id = scope and convoy.may_restore(scope, 'workspace_members')
        -- Whoever left comes back by an invitation alone.
        and m.last_modified_by is distinct from m.user_id
        -- So does nobody whose account is deleted.
        and exists (select from auth.users u where u.id = m.user_id)))
    + convoy.restore_singly('task_dependencies', array(
      select d.id from public.task_dependencies d
      where d.workspace_id = scope and d.deleted_at is not null
        and (d.deletion_id = deletion
          or (d.task_id = any (tasks) or d.depends_on_task_id = any (tasks))
            and exists (
              select from public.deletions x
              where x.id = d.deletion_id and x.workspace_id = scope and x.restored_at is not null))
        and not exists (
          select from public.tasks e
          where e.id in (d.task_id, d.depends_on_task_id) and e.deleted_at is not null)));
end
$$;

create or replace function convoy.decide_activities(changes convoy.change[], all_changes convoy.change[]) returns convoy.decision[]
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
    select row(t.position, convoy.rejection('reserved_activity', 'activity_type',
        'Convoy writes this activity itself, with the change that it tells of.'), false)::convoy.decision
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
  idle integer[] := array(
    select d.position from unnest(decided) d where d.outcome ->> 'outcome' in ('gone', 'conflict', 'applied'));
begin
  if cardinality(idle) = 0 then
    return '{}';
  end if;
  return array(
    select row(d.position, jsonb_build_object('outcome', 'blocked', 'by', i.id), false)::convoy.decision
    from unnest(convoy.decide_activities(changes,
      array(select c from unnest(all_changes) c where c.position <> all (idle)))) d
    join unnest(changes) a on a.position = d.position
    join (
      select distinct on (c.group_no) c.group_no, c.id
      from unnest(all_changes) c where c.position = any (idle) and c.table_name <> 'activity_feed'
      order by c.group_no, c.position
    ) i on i.group_no = a.group_no);
end
$$;

create or replace function convoy.record_conflicts(changes convoy.change[], decided convoy.decision[]) returns void
language plpgsql volatile set search_path = '' set enable_nestloop = off as $$
begin
  insert into convoy.conflicts (user_id, record_id, table_name, workspace_id)
    select distinct auth.uid(), c.id, c.table_name, c.workspace_id
    from unnest(decided) d join unnest(changes) c on c.position = d.position
    where d.outcome ->> 'outcome' = 'conflict'
    on conflict (user_id, record_id, table_name, workspace_id) do update set occurred_at = now();
end
$$;

create or replace function convoy.rivals_of(c convoy.change, columns jsonb) returns jsonb
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

create or replace function convoy.decide_deletes(changes convoy.change[], cursors convoy.cursor_position[])
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
    select row(c.position, c.table_name, c.id, c.row_revision)::convoy.descendant
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
        'select array_agg(row(f.root, %L, t.id, t.revision)::convoy.descendant)
           from unnest($1) f join public.%I t on t.%I = f.id
          where f.table_name = %L and t.deleted_at is null
            and not exists (select from unnest($2) e where e.root = f.root and e.table_name = %L and e.id = t.id)',
        child.table_name, child.table_name, child.name, child.refers_to, child.table_name)
        into found_rows using frontier, case when child.table_name = child.refers_to then everything else '{}' end;
      next_frontier := next_frontier || coalesce(found_rows, '{}');
      if cardinality(moves) > 0 then
        select array_agg(row(f.root, c.table_name, c.id, c.row_revision)::convoy.descendant) into moved_rows
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

create or replace function convoy.decide(
  inout changes convoy.change[], cursors convoy.cursor_position[], locked uuid[],
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

  stage := convoy.decide_activities(changes, all_changes);
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
  device uuid;
  digest bytea;
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
  device := (request ->> 'device_id')::uuid;
  digest := sha256(convert_to((request -> 'changes')::text, 'UTF8'));
  reply := convoy.answer_known_batch(device, batch_no, digest, request -> 'changes');
  if reply is not null then
    return reply;
  end if;
  if not convoy.knows_cursors(cursors) then
    -- A device id is its user's once a batch of it was applied; a refused request takes none.
    delete from convoy.devices d where d.device_id = device and d.batch = 0;
    return convoy.failure('history_changed');
  end if;

  changes := convoy.parse_changes(request -> 'changes');
  locked := convoy.lock_clocks(changes);
  select d.changes, d.links, d.decided into todo, links, decided from convoy.decide(changes, cursors, locked) d;
  refused := convoy.write_groups(todo, links, '{}', null);
  todo := convoy.still_open(todo, refused);
  decided := decided || refused || convoy.conclude(todo, convoy.look_up(todo));
  perform convoy.record_conflicts(changes, decided);
  reply := convoy.answer_push(batch_no, changes, decided);
  update convoy.devices d
    set user_id = auth.uid(), batch = batch_no, hash = digest, answer = reply, updated_at = now()
    where d.device_id = device;
  return reply;
end
$$;

create or replace function convoy.invitations_to_me(wanted uuid, address boolean) returns setof public.invitations
language sql stable security definer set search_path = '' as $$
  select i.* from public.invitations i
    join auth.users u on u.id = auth.uid()
    join public.workspaces w on w.id = i.workspace_id and w.deleted_at is null
    join public.workspace_members o
      on o.workspace_id = i.workspace_id and o.user_id = i.invited_by and o.role = 'owner' and o.kind = 'human'
        and o.deleted_at is null and o.created_at <= i.created_at
    where (i.id = wanted or address and i.email = lower(u.email))
      and (i.email = lower(u.email) or i.email is null)
      and i.accepted_at is null and i.expires_at > now()
      and not exists (
        select from public.workspace_members m
        where m.workspace_id = i.workspace_id and m.user_id = auth.uid() and m.deleted_at >= i.created_at)
$$;

create or replace function public.invite_member(workspace_id uuid, email text, role text) returns jsonb
language plpgsql security definer set search_path = '' as $$
-- The columns that ON CONFLICT names have the names of arguments.
#variable_conflict use_column
declare
  most_open constant integer := 200;
  invitation uuid;
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  if invite_member.workspace_id is null or invite_member.workspace_id not in (select convoy.owned_scopes())
    or not exists (
      select from public.workspaces w where w.id = invite_member.workspace_id and w.deleted_at is null)
  then
    return convoy.failure('forbidden');
  end if;
  if btrim(invite_member.email) !~ '^[^@\s]+@[^@\s]+$' or char_length(invite_member.email) > 320 then
    return convoy.failure('malformed', 'email must be an e-mail address.');
  end if;
  if coalesce(invite_member.role, '') not in ('owner', 'editor', 'viewer', 'agent') then
    return convoy.failure('malformed', 'role must be owner, editor, viewer or agent.');
  end if;
  -- One at a time, so that the count below holds.
  perform from convoy.scope_clocks c where c.scope_id = invite_member.workspace_id for update;
  delete from public.invitations i
    where i.workspace_id = invite_member.workspace_id and i.accepted_at is null and i.expires_at <= now();
  if (select count(*) from public.invitations i
      where i.workspace_id = invite_member.workspace_id and i.accepted_at is null) >= most_open
  then
    return convoy.failure('too_many', 'A workspace has at most ' || most_open || ' open invitations.');
  end if;
  insert into public.invitations (workspace_id, email, role, invited_by)
    values (invite_member.workspace_id, lower(btrim(invite_member.email)), invite_member.role, auth.uid())
    on conflict (workspace_id, email) where accepted_at is null do update
      set role = excluded.role, invited_by = excluded.invited_by, created_at = now(), expires_at = excluded.expires_at
    returning id into invitation;
  return jsonb_build_object('invitation_id', invitation);
end
$$;

create or replace function public.my_invitations() returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  return (
    select coalesce(jsonb_agg(convoy.shown_invitation(x.i) order by (x.i).created_at desc, (x.i).id), '[]')
    from (
      select i from convoy.invitations_to_me(null, true) i order by i.created_at desc, i.id limit 100
    ) x);
end
$$;

drop function public.accept_invitation(uuid);
create function public.accept_invitation(invitation_id uuid, accepted_as uuid default null) returns jsonb
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
      convoy.failure('not_found'));
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

create or replace function convoy.purge(horizon interval default interval '180 days') returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  t record;
  unreferenced text;
  purged bigint := 0;
  in_table bigint;
begin
  perform set_config('convoy.purge', 'on', true);
  perform from convoy.scope_clocks c order by c.scope_id for update;
  update convoy.scope_clocks c set purged_to = old.head
    from (
      select r.scope_id, max(r.revision) as head from convoy.scope_revisions r
      where r.created_at < now() - horizon group by r.scope_id
    ) old
    where old.scope_id = c.scope_id and old.head > c.purged_to;
  for t in select s.name from convoy.synced_tables s order by s.position desc loop
    select coalesce(string_agg(format('and not exists (select from public.%I c where c.%I = t.id)', c.table_name, c.name), ' '), '')
      into unreferenced from convoy.synced_columns c where c.refers_to = t.name;
    execute format(
      'delete from public.%I t using convoy.scope_clocks s
        where s.scope_id = t.workspace_id and t.deleted_at is not null and t.revision <= s.purged_to %s',
      t.name,
      unreferenced || case when t.name = 'workspaces' then ' and false' else '' end);
    get diagnostics in_table = row_count;
    purged := purged + in_table;
  end loop;
  -- Deletions whose rows are erased are no longer offered for restoring. Devices learn that from a tombstone.
  update public.deletions d set deleted_at = now() from convoy.scope_clocks c
    where c.scope_id = d.workspace_id and d.deleted_at is null and d.revision <= c.purged_to;
  insert into convoy.purged_tags as p (scope_id, tags)
    select r.scope_id, string_agg(decode(left(r.tag, 8), 'hex'), ''::bytea order by r.revision)
    from convoy.scope_revisions r join convoy.scope_clocks c on c.scope_id = r.scope_id and r.revision < c.purged_to
    group by r.scope_id
    on conflict (scope_id) do update set tags = p.tags || excluded.tags;
  delete from convoy.scope_revisions r using convoy.scope_clocks c
    where c.scope_id = r.scope_id and r.revision < c.purged_to;
  -- In one transaction with the tags: a batch that arrives a second time after this was made on a cursor older
  -- than its own revision, and is refused (U3, U20).
  delete from convoy.devices d where d.updated_at < now() - horizon;
  delete from convoy.conflicts k where k.occurred_at < now() - horizon;
  delete from public.invitations i where coalesce(i.accepted_at, i.expires_at) < now() - horizon;
  perform set_config('convoy.purge', '', true);
  return purged;
end
$$;

revoke all on function convoy.decide_idle_activities(convoy.change[],convoy.change[],convoy.decision[]) from public, anon, authenticated, service_role;
revoke all on function public.accept_invitation(uuid,uuid) from public, anon, authenticated, service_role;
grant execute on function public.accept_invitation(uuid,uuid) to authenticated, service_role;
