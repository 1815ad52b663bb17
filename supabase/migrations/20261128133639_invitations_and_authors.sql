-- Nobody is drawn into a workspace: people join by accepting an invitation, by address or by link, and every member
-- may leave. A workspace keeps an owner who is a person. Activities of Convoy's own are taken only with the change that
-- they tell of; conflicts name the authors of the other edits by column; a device is one user's; deleted rows are no
-- longer read over the table API.

alter table convoy.scope_revisions add column author uuid;

create table convoy.conflicts (
  user_id uuid not null,
  record_id uuid not null,
  occurred_at timestamptz not null default now(),
  primary key (user_id, record_id)
);
alter table convoy.conflicts enable row level security;
grant select on convoy.conflicts to service_role;

alter table public.invitations alter column email drop not null;
alter table public.invitations add column accepted_by uuid;
create index invitations_email on public.invitations (email) where accepted_at is null;

-- Version 2 of the protocol: conflicts name authors. Version 1 is served as before.
update convoy.served_versions set protocol = 2;

delete from convoy.permissions p where p.table_name = 'workspace_members' and p.op = 'insert';

create or replace function convoy.record_revision() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into convoy.scope_revisions (scope_id, revision, tag, author)
    values (new.scope_id, new.revision, new.tag, auth.uid());
  return null;
end
$$;

create or replace function convoy.make_synced(
  table_name text,
  table_position integer,
  refs jsonb default '{}',
  parents text[] default '{}',
  units jsonb default '{}',
  server_set text[] default '{}',
  ignored text[] default '{}'
) returns void
language plpgsql set search_path = '' as $$
declare
  common constant text[] := array['id', 'workspace_id', 'revision', 'field_revisions', 'created_at',
    'updated_at', 'deleted_at', 'deletion_id', 'last_modified_by'];
  columns text[];
  defaults jsonb := '{}';
  item record;
  value jsonb;
begin
  select array_agg(a.attname::text order by a.attnum) into columns
    from pg_catalog.pg_attribute a
    where a.attrelid = format('public.%I', table_name)::regclass
      and a.attnum > 0 and not a.attisdropped and a.attname <> all (common);
  for item in
    select a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid) as expression
    from pg_catalog.pg_attrdef d
    join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
    where d.adrelid = format('public.%I', table_name)::regclass
      and a.attname = any (columns) and a.attname <> all (server_set || make_synced.ignored)
  loop
    execute format('select to_jsonb(%s)', item.expression) into value;
    defaults := defaults || jsonb_build_object(item.attname, value);
  end loop;

  delete from convoy.synced_columns c where c.table_name = make_synced.table_name;
  insert into convoy.synced_tables as t (name, position, pushable, ignored, defaults, ids, sent)
    values (
      table_name, table_position,
      array(select c from unnest(columns) c where c <> all (server_set || make_synced.ignored)),
      make_synced.ignored,
      defaults,
      array(
        select a.attname::text from pg_catalog.pg_attribute a
        where a.attrelid = format('public.%I', table_name)::regclass
          and a.attname = any (columns) and a.attname <> all (server_set || make_synced.ignored)
          and a.atttypid = 'uuid'::regtype
        order by a.attnum),
      array['id', 'workspace_id'] || columns || array['revision', 'created_at', 'updated_at', 'last_modified_by'])
    on conflict (name) do update
      set position = excluded.position, pushable = excluded.pushable, ignored = excluded.ignored,
          defaults = excluded.defaults, ids = excluded.ids, sent = excluded.sent;
  insert into convoy.synced_columns (table_name, name, unit, refers_to, is_parent)
    select make_synced.table_name, c, units ->> c, refs ->> c, c = any (parents) from unnest(columns) c;

  perform convoy.write_stamp_function(table_name, columns);
  execute format('revoke execute on function convoy.%I() from public', 'stamp_' || table_name);
  -- Triggers fire in the order of their names: the clock is locked before anything is checked.
  execute format('create or replace trigger a_stamp before insert or update or delete on public.%I
    for each row execute function convoy.%I()', table_name, 'stamp_' || table_name);
  execute format('create or replace trigger z_cascade after update on public.%I
    referencing new table as new_rows
    for each statement execute function convoy.cascade_deletion()', table_name);

  execute format('create index if not exists %I on public.%I (workspace_id, revision, id)',
    table_name || '_pull', table_name);
  execute format('create index if not exists %I on public.%I (deletion_id) where deletion_id is not null',
    table_name || '_deletion', table_name);
  execute format('alter table public.%I enable row level security', table_name);
  execute format('drop policy if exists members_read on public.%I', table_name);
  -- Of a deleted row a member learns its id by a pull, and never its text: it may have been deleted before they came.
  execute format('create policy members_read on public.%I for select to authenticated
    using (deleted_at is null and workspace_id = any (array(select convoy.visible_scopes())))', table_name);
  execute format('revoke all on public.%I from public, anon, authenticated', table_name);
  execute format('grant select on public.%I to authenticated', table_name);
  execute format('grant all on public.%I to service_role', table_name);
end
$$;

create or replace function convoy.check_last_owner() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from public.workspaces w where w.id = new.workspace_id and w.deleted_at is null)
    and not exists (
      select from public.workspace_members m
      where m.workspace_id = new.workspace_id and m.role = 'owner' and m.deleted_at is null
        and (m.kind = 'human' or old.kind <> 'human'))
  then
    raise exception 'A workspace keeps at least one owner who is a person.' using errcode = 'SN004', column = 'role';
  end if;
  return null;
end
$$;

create or replace function convoy.check_owner_of_restored() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if auth.uid() is not null and not exists (
    select from public.workspace_members m
    where m.workspace_id = new.id and m.role = 'owner' and m.kind = 'human' and m.deleted_at is null)
  then
    raise exception 'No person owns this workspace any more.' using errcode = 'SN004';
  end if;
  return null;
end
$$;

create or replace function convoy.reserved_activities() returns text[] language sql immutable
  return array['task_created', 'task_updated', 'task_deleted', 'stage_changed', 'dependency_added',
    'dependency_removed', 'conflict_settled'];

create or replace function convoy.fill_actor() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  new.actor_id := coalesce(auth.uid(), new.actor_id);
  if new.activity_type = 'conflict_settled' and jsonb_typeof(new.details) = 'object' then
    new.details := new.details - 'device_id';
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
        and m.last_modified_by is distinct from m.user_id))
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

create or replace function convoy.decide_permission(changes convoy.change[], roles jsonb) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  agent boolean := exists (select from public.profiles p where p.id = auth.uid() and p.kind = 'agent');
  own uuid[] := array(
    select m.id from public.workspace_members m where m.user_id = auth.uid() and m.deleted_at is null);
begin
  return array(
    select row(c.position, case
        when roles -> c.workspace_id::text = 'null' then jsonb_build_object('outcome', 'blocked', 'by', c.workspace_id)
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
      or agent and c.table_name in ('workflows', 'workspace_members') and not l.leaves);
end
$$;

create or replace function convoy.decide_activities(changes convoy.change[], all_changes convoy.change[]) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  settled uuid[];
begin
  changes := array(
    select c from unnest(changes) c
    where c.table_name = 'activity_feed' and c.op = 'insert'
      and c.payload ->> 'activity_type' = any (convoy.reserved_activities()));
  if cardinality(changes) = 0 then
    return '{}';
  end if;
  settled := array(
    select k.record_id from convoy.conflicts k
    where k.user_id = auth.uid() and k.record_id = any (array(
      select coalesce(c.payload ->> 'task_id', c.payload ->> 'entity_id')::uuid from unnest(changes) c
      where c.payload ->> 'activity_type' = 'conflict_settled')));
  return array(
    with told as (
      select c.position, c.group_no, c.payload ->> 'activity_type' as activity_type,
        -- The feed of a deleted task goes with it, so that this one stands in the feed of its parent task.
        case when c.payload ->> 'activity_type' = 'task_deleted' then c.payload ->> 'entity_id'
          else coalesce(c.payload ->> 'task_id', c.payload ->> 'entity_id') end as subject,
        case when c.payload ->> 'activity_type' = 'task_deleted' or c.payload ->> 'task_id' is not null then 'tasks'
          else c.payload ->> 'entity_type' end as about,
        c.payload -> 'details' as details
      from unnest(changes) c
    ), removed as materialized (
      select d.id, d.task_id from public.task_dependencies d
      where d.id = any (array(
        select c.id from unnest(all_changes) c where c.table_name = 'task_dependencies' and c.op = 'delete'))
    ), made as (
      select distinct c.group_no, what.activity_type, what.subject, what.about
      from unnest(all_changes) c
      left join removed d on d.id = c.id
      cross join lateral (values
        ('task_created', c.id::text, 'tasks', c.table_name = 'tasks' and c.op = 'insert'),
        ('stage_changed', c.id::text, 'tasks',
          c.table_name = 'tasks' and (c.op = 'insert' or c.op = 'update' and c.payload ? 'current_stage')),
        ('task_updated', c.id::text, 'tasks', c.table_name = 'tasks' and c.op <> 'delete'),
        ('task_deleted', c.id::text, 'tasks', c.table_name = 'tasks' and c.op = 'delete'),
        ('dependency_added', c.payload ->> 'task_id', 'tasks', c.table_name = 'task_dependencies' and c.op = 'insert'),
        ('dependency_removed', d.task_id::text, 'tasks', d.id is not null and c.op = 'delete'),
        ('conflict_settled', c.id::text, c.table_name, c.op <> 'delete')
      ) what (activity_type, subject, about, holds)
      where what.holds
    )
    select row(t.position, convoy.rejection('reserved_activity', 'activity_type',
        'Convoy writes this activity itself, with the change that it tells of.'), false)::convoy.decision
    from told t
    left join made m
      on m.group_no = t.group_no and m.activity_type = t.activity_type and m.subject = t.subject and m.about = t.about
    where m.subject is null and not (t.activity_type = 'conflict_settled' and t.subject::uuid = any (settled))
      or t.activity_type = 'conflict_settled' and (
        t.about = 'workspace_members' or t.details ->> 'table' is distinct from t.about
        or t.details ->> 'record_id' is distinct from t.subject));
end
$$;

create or replace function convoy.decide_existing(changes convoy.change[], memberships jsonb) returns convoy.decision[]
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
      where mine is null or mine -> k is distinct from theirs -> k;
    result := result || row(again.position, case
        when differing is null then jsonb_build_object('outcome', 'applied', 'revision', again.row_revision)
        else convoy.conflict_with(again, again.row_revision, differing)
      end, true)::convoy.decision;
  end loop;
  return result;
end
$$;

create or replace function convoy.record_conflicts(changes convoy.change[], decided convoy.decision[]) returns void
language plpgsql volatile set search_path = '' set enable_nestloop = off as $$
begin
  insert into convoy.conflicts (user_id, record_id)
    select distinct auth.uid(), c.id
    from unnest(decided) d join unnest(changes) c on c.position = d.position
    where d.outcome ->> 'outcome' = 'conflict'
    on conflict (user_id, record_id) do update set occurred_at = now();
end
$$;

create or replace function convoy.rivals_of(c convoy.change, columns jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
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

create or replace function convoy.conflict_with(c convoy.change, at bigint, columns jsonb) returns jsonb
language sql stable set search_path = ''
  return jsonb_build_object('outcome', 'conflict', 'revision', at, 'columns', columns,
    'authors', convoy.rivals_of(c, columns));

create or replace function convoy.decide_lost_updates(changes convoy.change[]) returns convoy.decision[]
language sql stable set search_path = '' as $$
  select array(
    select row(c.position,
      convoy.conflict_with(c, c.row_revision, c.conflicts), true)::convoy.decision
    from unnest(changes) c
    where c.conflicts is not null and c.payload = '{}')
$$;

create or replace function convoy.decide_split_moves(changes convoy.change[]) returns convoy.decision[]
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

create or replace function convoy.insert_rows(target text, changes convoy.change[]) returns void
language plpgsql set search_path = '' as $$
declare
  t convoy.synced_tables;
begin
  select * into t from convoy.synced_tables s where s.name = target;
  execute format(
    'insert into public.%1$I (id, workspace_id, created_at, %2$s)
     select c.id, c.workspace_id, convoy.to_time(c.edited_at ->> ''created_at''), %3$s
       from unnest($1) c
       cross join lateral jsonb_populate_record(null::public.%1$I, $2 || c.payload) r
      where c.table_name = %1$L and c.op = ''insert'' order by c.position %4$s',
    target,
    (select string_agg(quote_ident(p), ', ') from unnest(t.pushable) p),
    (select string_agg('r.' || quote_ident(p), ', ') from unnest(t.pushable) p),
    -- U10: a row that exists under another id is not inserted, and `conclude` finds its twin.
    case target
      when 'task_dependencies' then 'on conflict (task_id, depends_on_task_id) where deleted_at is null do nothing'
      else '' end)
    using changes, t.defaults;
end
$$;

create or replace function convoy.early_deletes(changes convoy.change[]) returns convoy.change[]
language sql stable set search_path = '' as $$
  select coalesce(array_agg(c), '{}')
  from unnest(changes) c
  where c.op = 'delete' and c.row_revision is not null and c.table_name = 'task_dependencies'
$$;

create or replace function convoy.write_changes(changes convoy.change[]) returns void
language plpgsql set search_path = '' as $$
declare
  early convoy.change[] := '{}';
  deletions jsonb;
  step record;
begin
  deletions := convoy.deletions_of(changes);
  if deletions is not null then
    early := convoy.early_deletes(changes);
    perform convoy.delete_rows('task_dependencies', early, deletions);
  end if;
  -- Parents first; updates of a table before the next one's inserts, which may rely on them. Deletes last,
  -- and leaves first: a row that is deleted by itself is no part of its parent's deletion (U23).
  for step in
    select t.name, c.op, follows.along from unnest(changes) c
    join convoy.synced_tables t on t.name = c.table_name
    -- A row that the device deleted along with another record counts as part of that record's deletion.
    cross join lateral (select c.op = 'delete' and c.payload ? 'along_with' as along) follows
    group by t.name, t.position, c.op, follows.along
    order by c.op = 'delete', follows.along, case when c.op = 'delete' then -t.position else t.position end, c.op
  loop
    case step.op
      when 'insert' then perform convoy.insert_rows(step.name, changes);
      when 'update' then perform convoy.update_rows(step.name, changes);
      else perform convoy.delete_rows(step.name, array(
        select c from unnest(changes) c
        where c.table_name = step.name and c.op = 'delete' and (c.payload ? 'along_with') = step.along), deletions);
    end case;
  end loop;
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
          -- The feed takes no device id.
          or b.table_name = 'activity_feed' and b.payload -> 'details' ? 'device_id'
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

create or replace function convoy.find_twin(c convoy.change) returns uuid
language sql stable set search_path = '' as $$
  select d.id from public.task_dependencies d
    where c.table_name = 'task_dependencies' and d.workspace_id = c.workspace_id
      and d.task_id = (c.payload ->> 'task_id')::uuid
      and d.depends_on_task_id = (c.payload ->> 'depends_on_task_id')::uuid and d.deleted_at is null
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

create or replace function convoy.answer_known_batch(device uuid, batch_no bigint, digest bytea, changes jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  known convoy.devices;
begin
  insert into convoy.devices (device_id, user_id) values (device, auth.uid()) on conflict do nothing;
  select * into known from convoy.devices d where d.device_id = device for update;
  if known.user_id is not null and known.user_id <> auth.uid() then
    return convoy.failure('device_conflict');
  end if;
  if batch_no > known.batch then
    return null;
  end if;
  if batch_no < known.batch or known.hash is distinct from digest then
    return convoy.failure('device_conflict');
  end if;
  -- A backup was put back since: the stored answer is of another history (U22).
  if exists (
    select from jsonb_each(known.answer -> 'revisions') r
    where not convoy.is_in_history(r.key::uuid, (r.value ->> 'revision')::bigint, r.value ->> 'tag'))
  then
    return convoy.failure('history_changed');
  end if;
  -- U41: the user has lost access to a scope since. Without revisions to skip, the next pull brings the rows that
  -- the user may still see.
  if exists (
    select from jsonb_array_elements(changes) c
    where c ->> 'workspace_id' not in (select v::text from convoy.visible_scopes() v))
  then
    return known.answer || '{"effects": {"rows": {}, "deleted": {}}, "revisions": {}}';
  end if;
  return known.answer;
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

create or replace function convoy.owned_scopes() returns setof uuid
language sql stable security definer set search_path = '' as $$
  select m.workspace_id from public.workspace_members m
    where m.user_id = (select auth.uid()) and m.deleted_at is null and m.role = 'owner' and m.kind = 'human'
$$;

create or replace function convoy.invitations_to_me(wanted uuid, address boolean) returns setof public.invitations
language sql stable security definer set search_path = '' as $$
  select i.* from public.invitations i
    join auth.users u on u.id = auth.uid()
    join public.workspaces w on w.id = i.workspace_id and w.deleted_at is null
    join public.workspace_members o
      on o.workspace_id = i.workspace_id and o.user_id = i.invited_by and o.role = 'owner' and o.kind = 'human'
        and o.deleted_at is null
    where (i.id = wanted or address and i.email = lower(u.email))
      and (i.email = lower(u.email) or i.email is null)
      and i.accepted_at is null and i.expires_at > now()
      and not exists (
        select from public.workspace_members m
        where m.workspace_id = i.workspace_id and m.user_id = auth.uid() and m.deleted_at >= i.created_at)
$$;

create or replace function convoy.shown_invitation(i public.invitations) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'id', i.id, 'workspace_id', i.workspace_id, 'role', i.role, 'expires_at', i.expires_at,
    'workspace_name', (select w.name from public.workspaces w where w.id = i.workspace_id),
    'invited_by', (select p.display_name from public.profiles p where p.id = i.invited_by),
    'is_member', exists (
      select from public.workspace_members m
      where m.workspace_id = i.workspace_id and m.user_id = auth.uid() and m.deleted_at is null))
$$;

create or replace function public.invite_member(workspace_id uuid, email text, role text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
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
  insert into public.invitations (workspace_id, email, role, invited_by)
    values (invite_member.workspace_id, lower(btrim(invite_member.email)), invite_member.role, auth.uid())
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
    select coalesce(jsonb_agg(convoy.shown_invitation(i) order by i.created_at desc, i.id), '[]')
    from convoy.invitations_to_me(null, true) i);
end
$$;

create or replace function public.get_invitation(invitation_id uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  return coalesce(
    (select convoy.shown_invitation(i) from convoy.invitations_to_me(get_invitation.invitation_id, false) i),
    convoy.failure('not_found'));
end
$$;

create or replace function public.get_invitations(workspace_id uuid) returns jsonb
language sql stable security invoker set search_path = '' as $$
  select jsonb_build_object('invitations', coalesce(jsonb_agg(jsonb_build_object(
      'id', i.id, 'email', i.email, 'role', i.role, 'created_at', i.created_at, 'expires_at', i.expires_at)
      order by i.created_at desc, i.id), '[]'))
  from public.invitations i
  where i.workspace_id = get_invitations.workspace_id and i.accepted_at is null and i.expires_at > now()
$$;

create or replace function public.accept_invitation(invitation_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  invitation public.invitations;
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
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

create or replace function public.decline_invitation(invitation_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  delete from public.invitations i using auth.users u
    where i.id = decline_invitation.invitation_id and i.accepted_at is null
      and u.id = auth.uid() and i.email = lower(u.email);
  if not found then
    return convoy.failure('not_found');
  end if;
  return jsonb_build_object('invitation_id', decline_invitation.invitation_id);
end
$$;

create or replace function public.revoke_invitation(invitation_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  delete from public.invitations i
    where i.id = revoke_invitation.invitation_id and i.accepted_at is null
      and i.workspace_id in (select convoy.owned_scopes());
  if not found then
    return convoy.failure('not_found');
  end if;
  return jsonb_build_object('invitation_id', revoke_invitation.invitation_id);
end
$$;

create or replace function public.get_members(workspace_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(m)) order by m.display_name collate "C", m.id), '[]')
  from public.workspace_members m where m.workspace_id = get_members.workspace_id and m.deleted_at is null
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
  perform set_config('convoy.purge', '', true);
  return purged;
end
$$;

revoke all on function convoy.check_owner_of_restored() from public, anon, authenticated, service_role;
revoke all on function convoy.reserved_activities() from public, anon, authenticated, service_role;
revoke all on function convoy.decide_activities(convoy.change[],convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.record_conflicts(convoy.change[],convoy.decision[]) from public, anon, authenticated, service_role;
revoke all on function convoy.rivals_of(convoy.change,jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.conflict_with(convoy.change,bigint,jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.invitations_to_me(uuid,boolean) from public, anon, authenticated, service_role;
revoke all on function convoy.shown_invitation(public.invitations) from public, anon, authenticated, service_role;
revoke all on function public.my_invitations() from public, anon, authenticated, service_role;
grant execute on function public.my_invitations() to authenticated, service_role;
revoke all on function public.get_invitation(uuid) from public, anon, authenticated, service_role;
grant execute on function public.get_invitation(uuid) to authenticated, service_role;
revoke all on function public.get_invitations(uuid) from public, anon, authenticated, service_role;
grant execute on function public.get_invitations(uuid) to authenticated, service_role;
revoke all on function public.decline_invitation(uuid) from public, anon, authenticated, service_role;
grant execute on function public.decline_invitation(uuid) to authenticated, service_role;
revoke all on function public.get_members(uuid) from public, anon, authenticated, service_role;
grant execute on function public.get_members(uuid) to authenticated, service_role;

drop trigger c_last_owner on public.workspace_members;
create trigger c_last_owner after update on public.workspace_members
  for each row
  when (old.role = 'owner' and old.deleted_at is null
    and (new.role <> 'owner' or new.deleted_at is not null or new.kind <> old.kind))
  execute function convoy.check_last_owner();
create trigger c_owner_of_restored after update on public.workspaces
  for each row when (old.deleted_at is not null and new.deleted_at is null)
  execute function convoy.check_owner_of_restored();

do $$
declare
  t record;
  w record;
begin
  for t in select s.name from convoy.synced_tables s loop
    execute format('drop policy if exists members_read on public.%I', t.name);
    execute format('create policy members_read on public.%I for select to authenticated
    using (deleted_at is null and workspace_id = any (array(select convoy.visible_scopes())))', t.name);
  end loop;
  -- Such workspaces stay as they are; new ones cannot come to be.
  for w in
    select x.id, x.name from public.workspaces x
    where x.deleted_at is null
      and exists (
        select from public.workspace_members m
        where m.workspace_id = x.id and m.role = 'owner' and m.deleted_at is null)
      and not exists (
        select from public.workspace_members m
        where m.workspace_id = x.id and m.role = 'owner' and m.kind = 'human' and m.deleted_at is null)
    order by x.name, x.id
  loop
    raise notice 'The workspace % (%) is owned by agents alone: make a person its owner.', w.name, w.id;
  end loop;
end
$$;
