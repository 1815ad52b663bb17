-- Deletions and restores of many records go on in steps, each a transaction of its own (U44). A small push keeps the plans of
-- its statements, which are written from the columns of the tables. A membership that an owner ended comes back by an
-- invitation alone, unless it went with its workspace; an invitation to an address is for a user who has confirmed it; a
-- stage_changed activity tells of the move that its push makes, and what two users did alike is told once; a workspace
-- that agents alone owned is restored by them.

drop function convoy.look_up(convoy.change[]);
drop function convoy.with_known(convoy.change[],convoy.known_row[]);
drop function convoy.judge_parents(convoy.change[],convoy.link[],convoy.parent_row[]);
drop function convoy.conclude(convoy.change[],convoy.change[]);
drop function convoy.rows_at(text,uuid[],bigint[]);
drop function convoy.pick_effects(convoy.change[],convoy.decision[],uuid[],bigint[]);
drop function convoy.told_rows(convoy.change[],convoy.decision[]);
drop function convoy.plain_rows(convoy.change[],convoy.decision[]);
drop function convoy.decide(convoy.change[],convoy.cursor_position[],uuid[]);
drop function convoy.lock_clocks(convoy.change[]);
drop function convoy.decide_activities(convoy.change[],convoy.change[]);
drop function convoy.kept_answer(bigint,convoy.change[],convoy.decision[]);
drop function convoy.freed_dependencies(uuid[],uuid,uuid[]);
drop function convoy.restore_rows(uuid[],uuid);
drop type convoy.known_row;
drop type convoy.parent_row;
create type convoy.found_row as (
  table_name text, id uuid, workspace_id uuid, revision bigint, deleted boolean, field_revisions jsonb
);
create type convoy.written_row as (table_name text, id uuid, deleted boolean);

create table convoy.unfinished_deletions (
  deletion_id uuid,
  n bigint not null generated always as identity,
  workspace_id uuid references convoy.scope_clocks on delete cascade,
  -- Whether its rows are being restored; else they are still being deleted.
  restores boolean not null default false,
  -- Who deletes, or restores; null for the service.
  author uuid,
  -- It is to be restored: at once, or when all of it is deleted.
  restore_wanted boolean not null default false,
  restorer uuid,
  -- Whether memberships come back with it.
  with_members boolean not null default false,
  primary key (deletion_id, workspace_id)
);
create index unfinished_deletions_workspace on convoy.unfinished_deletions (workspace_id, n);
alter table convoy.unfinished_deletions enable row level security;
grant select on convoy.unfinished_deletions to service_role;

create table convoy.deletion_steps (
  n bigint primary key generated always as identity,
  deletion_id uuid not null,
  workspace_id uuid not null,
  -- list: look for the live children of these deleted rows. delete: these live rows. link: look for the deleted
  -- dependencies of these restored tasks. join: restore these dependencies.
  task text not null check (task in ('list', 'delete', 'link', 'join')),
  table_name text not null,
  -- As many as a step may write, at most.
  ids uuid[] not null,
  -- Whether what stands under these rows is to be looked for: of a workspace, all is found at once.
  follow boolean not null default true,
  foreign key (deletion_id, workspace_id) references convoy.unfinished_deletions on delete cascade
);
create index deletion_steps_deletion on convoy.deletion_steps (deletion_id, workspace_id, n);

alter table convoy.deletion_steps enable row level security;
grant select on convoy.deletion_steps to service_role;

update convoy.served_versions set protocol = 5;

create or replace function convoy.author() returns uuid language sql stable
  return case current_setting('convoy.author', true)
    when 'none' then null
    else coalesce(nullif(current_setting('convoy.author', true), '')::uuid, auth.uid()) end;

create or replace function convoy.record_revision() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into convoy.scope_revisions (scope_id, revision, tag, author)
    values (new.scope_id, new.revision, new.tag, convoy.author());
  return null;
end
$$;

create or replace function convoy.write_stamp_function(table_name text, columns text[]) returns void
language plpgsql set search_path = '' as $outer$
declare
  comparisons text;
begin
  select string_agg(format($code$
    if new.%1$I is distinct from old.%1$I then
      fields := fields || jsonb_build_object(%1$L, jsonb_build_array(stamp, case
        when new.field_revisions -> %1$L is distinct from old.field_revisions -> %1$L
        then new.field_revisions -> %1$L -> 1 else to_jsonb(convoy.iso(now())) end));
    end if;$code$, name), '' order by ordinality)
  into comparisons from unnest(columns) with ordinality as c (name, ordinality);

  execute format($function$
    create or replace function convoy.%1$I() returns trigger
    language plpgsql security definer set search_path = '' as $body$
    declare
      stamp bigint;
      fields jsonb := '{}';
    begin
      if tg_op = 'DELETE' then
        if current_setting('convoy.purge', true) is distinct from 'on' then
          raise exception 'Rows are deleted by setting deleted_at.' using errcode = 'SN007';
        end if;
        return old;
      end if;
      if tg_op = 'UPDATE' then
        if new.id <> old.id or new.workspace_id <> old.workspace_id then
          raise exception 'A record stays in the workspace it was created in.'
            using errcode = 'SN005', column = 'workspace_id';
        end if;
        if (%2$s, new.deleted_at) is not distinct from (%3$s, old.deleted_at) then
          return old;
        end if;
      end if;

      select c.revision into stamp from convoy.scope_clocks c
        where c.scope_id = new.workspace_id and c.bumped_in = pg_current_xact_id() and c.bumped_at = now();
      if not found then
        stamp := convoy.bump(new.workspace_id);
      end if;

      if tg_op = 'INSERT' then
        new.created_at := least(coalesce(new.created_at, now()), now());
      else
        new.created_at := old.created_at;
        fields := old.field_revisions;
        %4$s
        if new.deleted_at is null then
          new.deletion_id := null;
        elsif old.deleted_at is null then
          new.deleted_at := now();
          new.deletion_id := coalesce(new.deletion_id, gen_random_uuid());
        else
          new.deleted_at := old.deleted_at;
          new.deletion_id := old.deletion_id;
        end if;
      end if;
      new.revision := stamp;
      new.field_revisions := fields;
      new.updated_at := now();
      new.last_modified_by := convoy.author();
      return new;
    end
    $body$
  $function$,
    'stamp_' || table_name,
    (select string_agg(format('new.%I', name), ', ') from unnest(columns) as name),
    (select string_agg(format('old.%I', name), ', ') from unnest(columns) as name),
    comparisons);
end
$outer$;

create or replace function convoy.cascade_deletion() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  -- whole: within the cascade of a row further up; steps: in a step, which looks for what stands below by itself; at once:
  -- for a client that knows no steps.
  mode constant text := coalesce(current_setting('convoy.cascade', true), '');
  most constant integer := convoy.step_records();
  ids uuid[];
  deleted record;
  child record;
begin
  if mode = 'steps' or not exists (select from convoy.children_of(tg_table_name)) then
    return null;
  end if;
  ids := array(
    select g.id
    from (
      select n.id, n.deleted_at, o.deleted_at as deleted_before from new_rows n full join old_rows o on o.id = n.id offset 0
    ) g
    where g.deleted_at is not null and g.deleted_before is null);
  if cardinality(ids) = 0 then
    return null;
  end if;
  if mode = '' then
    if exists (
        select from new_rows n join convoy.unfinished_deletions u on u.workspace_id = n.workspace_id
        where n.deleted_at is not null)
      or convoy.count_below(
        array(select row(0, tg_table_name, i.id, null)::convoy.descendant from unnest(ids) i (id)), most) > most
    then
      for deleted in
        select n.workspace_id, n.deletion_id, array_agg(n.id) as ids
        from new_rows n where n.id = any (ids) group by n.workspace_id, n.deletion_id order by 1, 2
      loop
        perform convoy.begin_steps(deleted.deletion_id, deleted.workspace_id, tg_table_name, deleted.ids);
      end loop;
      return null;
    end if;
    perform set_config('convoy.cascade', 'whole', true);
  end if;
  if tg_table_name = 'workspaces' then
    -- Leaves first: rows that are deleted already are not looked for again from further up.
    for child in
      select t.name from convoy.synced_tables t
      where t.name not in ('workspaces', 'workspace_members', 'deletions') order by t.position desc
    loop
      execute format(
        'update public.%I c set deleted_at = n.deleted_at, deletion_id = n.deletion_id
           from new_rows n
          where c.workspace_id = n.id and c.deleted_at is null and n.deleted_at is not null',
        child.name);
    end loop;
  else
    for child in
      select c.table_name, c.name from convoy.synced_columns c
      where c.refers_to = tg_table_name and c.is_parent order by c.table_name, c.name
    loop
      execute format(
        'with recursive gone as (
           select n.id, n.deleted_at, n.deletion_id from new_rows n where n.deleted_at is not null
         ), below as (
           select c.id, g.deleted_at, g.deletion_id
             from gone g join public.%1$I c on c.%2$I = g.id where c.deleted_at is null
           %3$s
         )
         update public.%1$I c set deleted_at = b.deleted_at, deletion_id = b.deletion_id
           from below b where c.id = b.id',
        child.table_name, child.name,
        case when child.table_name = tg_table_name then format(
          'union
           select c.id, b.deleted_at, b.deletion_id
             from below b join public.%1$I c on c.%2$I = b.id where c.deleted_at is null',
          child.table_name, child.name) end);
    end loop;
  end if;
  if mode = '' then
    perform set_config('convoy.cascade', '', true);
  end if;
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
    referencing old table as old_rows new table as new_rows
    for each statement execute function convoy.cascade_deletion()', table_name);

  execute format('create index if not exists %I on public.%I (workspace_id, revision, id)',
    table_name || '_pull', table_name);
  execute format('create index if not exists %I on public.%I (deletion_id) where deletion_id is not null',
    table_name || '_deletion', table_name);
  execute format('create index if not exists %I on public.%I (workspace_id, revision) where deleted_at is not null',
    table_name || '_tombstones', table_name);
  execute format('alter table public.%I enable row level security', table_name);
  execute format('drop policy if exists members_read on public.%I', table_name);
  -- Of a deleted row a member learns its id by a pull, and never its text: it may have been deleted before they came.
  -- Nor are rows shown that wait to be deleted, or to be restored, with what they stand under (U44).
  execute format('create policy members_read on public.%1$I for select to authenticated
    using (deleted_at is null and workspace_id = any (array(select convoy.visible_scopes()))
      and not (workspace_id = any (array(select convoy.unsettled_scopes())) and convoy.hidden_by(%1$L, id) is not null))', table_name);
  execute format('revoke all on public.%I from public, anon, authenticated', table_name);
  execute format('grant select on public.%I to authenticated', table_name);
  execute format('grant all on public.%I to service_role', table_name);
end
$$;

create or replace function convoy.unsettled_scopes() returns setof uuid
language plpgsql stable security definer set search_path = '' as $$
begin
  return query
    select distinct u.workspace_id from convoy.unfinished_deletions u
    join public.workspace_members m
      on m.workspace_id = u.workspace_id and m.user_id = auth.uid() and m.deleted_at is null;
end
$$;

create or replace function convoy.hidden_by(target text, row_id uuid) returns uuid
language plpgsql stable security definer set search_path = '' set enable_seqscan = off set jit = off as $$
declare
  tasks uuid[] := array[row_id];
  projects uuid[];
  result uuid;
begin
  case target
    when 'task_dependencies' then
      tasks := array(
        select unnest(array[d.task_id, d.depends_on_task_id]) from public.task_dependencies d where d.id = row_id);
    when 'activity_feed' then
      tasks := array(select a.task_id from public.activity_feed a where a.id = row_id and a.task_id is not null);
    when 'milestones' then
      select m.deletion_id, array[m.project_id] into result, projects from public.milestones m where m.id = row_id;
    when 'projects' then
      projects := array[row_id];
    when 'patterns' then
      projects := array(select k.project_id from public.patterns k where k.id = row_id);
    when 'best_practices' then
      projects := array(select k.project_id from public.best_practices k where k.id = row_id);
    else null;
  end case;
  if result is null and projects is not null then
    select p.deletion_id into result from public.projects p where p.id = any (projects) and p.deleted_at is not null;
  elsif target in ('tasks', 'task_dependencies', 'activity_feed') then
    with recursive above (id, level) as (
      select t.id, 0 from unnest(tasks) t (id)
      union all
      select p.parent_task_id, a.level + 1 from above a
      cross join lateral (
        select t.parent_task_id from public.tasks t where t.id = a.id and t.deleted_at is null offset 0
      ) p
      where p.parent_task_id is not null
    )
    select coalesce(t.deletion_id, m.deletion_id, p.deletion_id) into result
      from above a
      cross join lateral (select * from public.tasks t where t.id = a.id offset 0) t
      cross join lateral (select * from public.milestones m where m.id = t.milestone_id offset 0) m
      cross join lateral (select * from public.projects p where p.id = m.project_id offset 0) p
      where t.deleted_at is not null or m.deleted_at is not null or p.deleted_at is not null
      order by a.level limit 1;
  end if;
  if result is null and target not in ('workspaces', 'workspace_members', 'deletions') then
    execute format(
      'select w.deletion_id from public.%I r join public.workspaces w on w.id = r.workspace_id where r.id = $1', target)
      into result using row_id;
  end if;
  return result;
end
$$;

create or replace function convoy.check_last_owner() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (
      select from public.workspaces w where w.id = new.workspace_id and (w.deleted_at is null or exists (
        select from convoy.unfinished_deletions u
        where u.workspace_id = w.id and u.deletion_id = w.deletion_id and u.restore_wanted)))
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

create or replace function convoy.check_owner_left(scope uuid, since bigint) returns void
language plpgsql stable security definer set search_path = '' as $$
begin
  if auth.uid() is not null
    and not exists (
      select from public.workspace_members m
      where m.workspace_id = scope and m.role = 'owner' and m.kind = 'human' and m.deleted_at is null)
    and (
      not exists (
        select from public.workspace_members m
        where m.workspace_id = scope and m.role = 'owner' and m.deleted_at is null)
      -- Deleting it was the last write to the workspace.
      or exists (
        select from public.workspace_members m
        where m.workspace_id = scope and m.revision >= since
          and (m.deleted_at is not null and m.kind = 'human'
            or (m.field_revisions -> 'role' ->> 0)::bigint >= since
            or (m.field_revisions -> 'kind' ->> 0)::bigint >= since)))
  then
    raise exception 'No person owns this workspace any more.' using errcode = 'SN004';
  end if;
end
$$;

create or replace function convoy.check_owner_of_restored() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if current_setting('convoy.cascade', true) is distinct from 'steps' then
    perform convoy.check_owner_left(new.id, old.revision);
  end if;
  return null;
end
$$;

create or replace function convoy.check_parent_cycle() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off
set jit = off
as $$
begin
  -- Most statements place no task under another.
  if not exists (
    select from new_rows n
    where n.parent_task_id is not null
      and (tg_op = 'INSERT' or (n.field_revisions -> 'parent_task_id' ->> 0)::bigint = n.revision))
  then
    return null;
  end if;
  if exists (
    with recursive above (id, parent_task_id) as (
      select n.id, n.parent_task_id from new_rows n
      where n.parent_task_id is not null
        and (tg_op = 'INSERT' or (n.field_revisions -> 'parent_task_id' ->> 0)::bigint = n.revision)
      union
      select p.id, p.parent_task_id from above a
      cross join lateral (
        select t.id, t.parent_task_id from public.tasks t where t.id = a.parent_task_id offset 0
      ) p
    ), below (id) as (
      select a.id from above a where a.parent_task_id is null
      union
      select a.id from below b join above a on a.parent_task_id = b.id
    )
    select from above a where a.id not in (select b.id from below b)
  ) then
    raise exception 'A task cannot be its own subtask.' using errcode = 'SN003', column = 'parent_task_id';
  end if;
  return null;
end
$$;

create or replace function convoy.missing_parent(deletions uuid[], scope uuid, out column_name text, out name text)
language plpgsql stable set search_path = '' as $$
declare
  t record;
begin
  for t in
    select c.table_name, c.name, c.refers_to from convoy.synced_columns c
      where c.is_parent and c.table_name <> 'task_dependencies'
    union all
    select s.name, 'workspace_id', 'workspaces' from convoy.synced_tables s where s.name not in ('workspaces', 'deletions')
  loop
    execute format(
      'select min(%3$L), min(coalesce(to_jsonb(p) ->> ''title'', to_jsonb(p) ->> ''name''))
         from public.%1$I c join public.%2$I p on p.id = c.%3$I
        where c.deletion_id = any ($1) and c.workspace_id = $2
          and p.deleted_at is not null and (p.deletion_id = any ($1)) is not true
          and not exists (
            select from convoy.unfinished_deletions u
            where u.deletion_id = p.deletion_id and u.workspace_id = $2 and u.restore_wanted)',
      t.table_name, t.refers_to, t.name) into column_name, name using deletions, scope;
    if column_name is not null then
      return;
    end if;
  end loop;
end
$$;

create or replace function convoy.freed_dependencies(deletions uuid[], scope uuid, tasks uuid[], root uuid default null) returns uuid[]
language plpgsql stable set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  taken uuid[];
begin
  if root is null then
    execute 'select array(select d.id from public.task_dependencies d where d.deletion_id = any ($1) and d.workspace_id = $2)'
      into taken using deletions, scope;
  end if;
  return array(
    select d.id
    from (
      select t.id from unnest(taken) t (id)
      union
      select d.id from unnest(tasks) t (id)
        cross join lateral (
          select d.id from public.task_dependencies d
          where d.task_id = t.id and d.deleted_at is not null offset 0
        ) d
      union
      select d.id from unnest(tasks) t (id)
        cross join lateral (
          select d.id from public.task_dependencies d
          where d.depends_on_task_id = t.id and d.deleted_at is not null offset 0
        ) d
    ) f
    cross join lateral (select * from public.task_dependencies d where d.id = f.id offset 0) d
    cross join lateral (
      select from public.tasks a where a.id = d.task_id and (a.deleted_at is null or a.id = root) offset 0
    ) a
    cross join lateral (
      select from public.tasks b where b.id = d.depends_on_task_id and (b.deleted_at is null or b.id = root) offset 0
    ) b
    left join lateral (
      select x.restored_at from public.deletions x
      where x.id = d.deletion_id and x.workspace_id = scope offset 0
    ) x on true
    where d.workspace_id = scope and (x.restored_at is not null or d.deletion_id = any (deletions)));
end
$$;

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

create or replace function convoy.restore_rows(deletions uuid[], scope uuid, with_members boolean) returns uuid[]
language plpgsql set search_path = '' as $$
declare
  t record;
  tasks uuid[];
  members uuid[];
  dependencies uuid[];
  restored uuid[] := '{}';
  in_table uuid[];
begin
  -- What can come back is decided under the clock's lock.
  perform from convoy.scope_clocks c where c.scope_id = scope for update;
  execute 'select array(select c.id from public.tasks c where c.deletion_id = any ($1) and c.workspace_id = $2)'
    into tasks using deletions, scope;
  for t in
    select s.name from convoy.synced_tables s
    where s.name not in ('workspace_members', 'task_dependencies', 'deletions') order by s.position
  loop
    execute format(
      'select array(select distinct r.deletion_id from public.%I r where r.deletion_id = any ($1) and r.workspace_id = $2)',
      t.name) into in_table using deletions, scope;
    if cardinality(in_table) > 0 then
      execute format('update public.%I set deleted_at = null where deletion_id = any ($1) and workspace_id = $2', t.name)
        using deletions, scope;
      restored := restored || in_table;
    end if;
  end loop;
  members := case when with_members then convoy.restorable_members(deletions, scope) end;
  if cardinality(members) > 0 then
    restored := restored || array(select m.deletion_id from public.workspace_members m where m.id = any (members));
    update public.workspace_members set deleted_at = null where id = any (members);
  end if;
  dependencies := convoy.restorable_dependencies(convoy.freed_dependencies(deletions, scope, tasks));
  if cardinality(dependencies) > 0 then
    restored := restored || array(select d.deletion_id from public.task_dependencies d where d.id = any (dependencies));
    update public.task_dependencies set deleted_at = null where id = any (dependencies);
  end if;
  return restored;
end
$$;

create or replace function convoy.restore_marked() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  marked record;
  missing record;
  large uuid[];
  with_members boolean;
begin
  for marked in
    select n.workspace_id as scope, array_agg(n.id) as deletions, array_agg(distinct n.entity_type) as entity_types
      from (
        select n.id, n.workspace_id, n.entity_type, n.restored_at, o.restored_at as restored_before
        from new_rows n full join old_rows o on o.id = n.id offset 0
      ) n
      where n.restored_at is not null and n.restored_before is null
      group by n.workspace_id order by n.workspace_id
  loop
    perform convoy.check_restorer(marked.deletions, marked.scope, marked.entity_types);
    select m.column_name, m.name into missing from convoy.missing_parent(marked.deletions, marked.scope) m;
    if missing.column_name is not null then
      raise exception 'It belongs to "%", which is deleted itself. Restore that first.', missing.name
        using errcode = 'SN008', column = missing.column_name;
    end if;
    with_members := convoy.may_restore(marked.scope, 'workspace_members');
    large := array(select d from unnest(marked.deletions) d where convoy.needs_steps(d, marked.scope));
    if cardinality(large) > 0 and 'workspaces' = any (marked.entity_types) then
      perform convoy.check_owner_left(w.id, w.revision) from public.workspaces w where w.id = marked.scope;
    end if;
    perform convoy.begin_restore(d, marked.scope, with_members) from unnest(large) d;
    if exists (
      select d from unnest(marked.deletions) d where d <> all (large)
      except select unnest(convoy.restore_rows(array(
        select d from unnest(marked.deletions) d where d <> all (large)), marked.scope, with_members)))
    then
      raise exception 'There is nothing left to restore.' using errcode = 'SN010';
    end if;
  end loop;
  return null;
end
$$;

create or replace function convoy.restore_deletion(deletion uuid) returns bigint
language plpgsql set search_path = '' as $$
declare
  held constant jsonb := convoy.held_by(deletion);
  unfinished record;
begin
  -- Deletions of dependencies and memberships alone have no record.
  update public.deletions d set restored_at = now() where d.id = deletion and d.restored_at is null;
  if not found then
    perform convoy.restore_rows(array[deletion], h.key::uuid, convoy.may_restore(h.key::uuid, 'workspace_members'))
      from jsonb_each(held) h;
  end if;
  loop
    select u.workspace_id into unfinished from convoy.unfinished_deletions u where u.deletion_id = deletion limit 1;
    exit when not found;
    perform convoy.take_step(unfinished.workspace_id);
  end loop;
  return (select coalesce(sum(h.value::bigint), 0) from jsonb_each_text(held) h)
    - (select coalesce(sum(h.value::bigint), 0) from jsonb_each_text(convoy.held_by(deletion)) h);
end
$$;

create or replace function convoy.build_pages() returns void
language plpgsql set search_path = '' as $outer$
declare
  t record;
  keys text := '';
  counts text := '';
  pages text := '';
begin
  for t in
    select s.name, s.sent,
      -- Long text stored out of line tells its size without being read; JSON does not.
      (select string_agg(case a.atttypid
          when 'text'::regtype then format('coalesce(octet_length(t.%I), 0)', a.attname)
          else format('coalesce(case when pg_column_size(t.%1$I) < 500 then pg_column_size(t.%1$I) else octet_length(t.%1$I::text) end, 0)', a.attname)
        end, ' + ')
        from pg_catalog.pg_attribute a
        where a.attrelid = format('public.%I', s.name)::regclass and a.attname = any (s.sent)
          and a.atttypid in ('text'::regtype, 'jsonb'::regtype)) as bytes
    from convoy.synced_tables s order by s.position
  loop
    -- One array for each column is half the size of objects, and built and read in half the time.
    execute format($function$
      create or replace function convoy.%3$I(
        ranges convoy.page_range[], ids uuid[], out rows json, out deleted json
      ) language plpgsql stable set search_path = '' as $body$
      begin
        select case when count(*) filter (where t.deleted_at is null) > 0 then json_build_object(%2$s) end,
            to_json(array_agg(t.id) filter (where t.deleted_at is not null))
          into rows, deleted
          from (
            select t.* from unnest(ranges) r
            cross join lateral (
              select * from public.%1$I t
              where t.workspace_id = r.scope
                and (t.revision, t.id) > (r.from_revision, r.from_id)
                and (t.revision, t.id) <= (r.to_revision, r.to_id)
                and t.revision <> all (r.skip)
                and (r.tables is null or %1$L = any (r.tables))
            ) t
            union all
            select t.* from unnest(ids) i (id) join public.%1$I t on t.id = i.id
          ) t;
      end
      $body$
    $function$, t.name, convoy.pick_columns(t.sent, 't.deleted_at is null'), 'page_' || t.name);
    execute format('revoke execute on function convoy.%I(convoy.page_range[], uuid[]) from public', 'page_' || t.name);

    keys := keys || case when keys = '' then '' else ' union all ' end || format($query$
      (select t.revision, t.id, %s as bytes
        from public.%I t
        where t.workspace_id = $1 and (t.revision, t.id) > ($2, $3) and t.revision <= $4 and t.revision <> all ($5)
          and ($8 is null or %L = any ($8))
        order by t.revision, t.id limit least($6, $7 / 300 + 1) + 1)$query$, '300 + ' || coalesce(t.bytes, '0'), t.name, t.name);
    counts := counts || case when counts = '' then '' else ' + ' end || format($query$
      (select count(*) from public.%I t
        where t.workspace_id = $1 and (t.revision, t.id) > ($2, $3) and t.revision <= $4 and t.revision <> all ($5)
          and ($6 is null or %L = any ($6)))$query$,
      t.name, t.name);
    pages := pages || format($code$
        if cardinality(ranges) > 0 or %2$L = any (picked) then
          select p.rows, p.deleted into part
            from convoy.%1$I(ranges, array(select i.id from unnest(picks) i where i.table_name = %2$L)) p;
          if part.rows is not null then
            row_tables := row_tables || %2$L::text;
            row_parts := row_parts || part.rows;
          end if;
          if part.deleted is not null then
            deleted_tables := deleted_tables || %2$L::text;
            deleted_parts := deleted_parts || part.deleted;
          end if;
        end if;$code$, 'page_' || t.name, t.name);
  end loop;

  -- The last row that fits. Two tables may hold the same id: a page takes all rows at its end, and
  -- is complete only if nothing lies behind it.
  execute format($function$
    create or replace function convoy.find_page_end(
      scope uuid, from_revision bigint, from_id uuid, target bigint, skip bigint[], max_rows bigint, max_bytes bigint,
      tables text[]
    ) returns convoy.page_end
    language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    declare
      result convoy.page_end;
    begin
      with keys as materialized (
        -- No row counts for less than 300 bytes.
        select * from (%s) k order by revision, id limit least($6, $7 / 300 + 1) + 1
      ), counted as (
        select revision, id,
          row_number() over (order by revision, id) as n,
          sum(bytes) over (order by revision, id rows unbounded preceding) as total
        from keys
      ), fitting as (
        select * from counted c where c.n = 1 or (c.n <= $6 and c.total <= $7)
      )
      select f.revision, f.id, f.n, f.total,
        (select count(*) from keys) <= least($6, $7 / 300 + 1)
          and not exists (select from keys k where (k.revision, k.id) > (f.revision, f.id))
      into result
      from fitting f order by f.n desc limit 1;
      return result;
    end
    $body$
  $function$, keys);
  revoke execute on function convoy.find_page_end(uuid, bigint, uuid, bigint, bigint[], bigint, bigint, text[]) from public;

  execute format($function$
    create or replace function convoy.count_rows(
      scope uuid, from_revision bigint, from_id uuid, target bigint, skip bigint[], tables text[]
    ) returns bigint
    language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    begin
      return %s;
    end
    $body$
  $function$, counts);
  revoke execute on function convoy.count_rows(uuid, bigint, uuid, bigint, bigint[], text[]) from public;

  -- The rows of the ranges and the picked ones, as the wire has them (Page in protocol.ts).
  execute format($function$
    create or replace function convoy.read_page(
      ranges convoy.page_range[], picks convoy.pick[], out rows json, out deleted json
    ) language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    declare
      part record;
      row_tables text[] := '{}';
      row_parts json[] := '{}';
      deleted_tables text[] := '{}';
      deleted_parts json[] := '{}';
      -- The effects of a push are of few tables.
      picked constant text[] := array(select distinct i.table_name from unnest(picks) i);
    begin
      if cardinality(ranges) > 0 or cardinality(picks) > 0 then
        %s
      end if;
      rows := '{}';
      deleted := '{}';
      if cardinality(row_tables) > 0 then
        select json_object_agg(x.name, x.part) into rows from unnest(row_tables, row_parts) x (name, part);
      end if;
      if cardinality(deleted_tables) > 0 then
        select json_object_agg(x.name, x.part) into deleted from unnest(deleted_tables, deleted_parts) x (name, part);
      end if;
    end
    $body$
  $function$, pages);
  revoke execute on function convoy.read_page(convoy.page_range[], convoy.pick[]) from public;
end
$outer$;

create or replace function public.sync_pull(request jsonb) returns json
language plpgsql stable security definer
set search_path = ''
set timezone = 'UTC'
set statement_timeout = '8s'
as $$
declare
  me constant uuid := auth.uid();
  refusal jsonb := convoy.refuse_request(request);
  known convoy.cursor_position[];
  refills convoy.refill[];
  max_rows bigint := least(coalesce(convoy.to_count(request -> 'limit'), 5000), 5000);
  turns convoy.pull_turn[];
  wanted convoy.pick[];
  filled record;
  page record;
  is_more boolean;
  is_first_page boolean;
  unsettled constant uuid[] := array(select convoy.unsettled_scopes());
begin
  if refusal is not null then
    return refusal;
  end if;
  begin
    known := convoy.read_cursors(request -> 'cursors', request -> 'skip');
    refills := convoy.read_refills(nullif(request -> 'refill', 'null'));
    turns := convoy.plan_pull(me, known);
    wanted := convoy.wanted_rows(nullif(request -> 'wanted', 'null'), turns);
  exception when sqlstate 'SN009' then
    return convoy.failure('malformed', sqlerrm);
  end;
  if max_rows < 1 then
    return convoy.failure('malformed', 'limit must be at least 1.');
  end if;

  if cardinality(refills) > 0 then
    refills := convoy.due_refills(refills, turns);
  end if;
  select * into filled from convoy.fill_page(turns, refills, max_rows);
  select p.rows, p.deleted into page from convoy.read_page(filled.ranges, wanted) p;
  is_more := cardinality(filled.pending) > 0;
  is_first_page := not exists (select from unnest(turns) t where t.is_later_page)
    and not exists (select from unnest(refills) f where f.revision <> 0);

  return json_build_object(
    'user_id', me,
    'server_time', now(),
    'scopes', (
      select to_json(array_agg(jsonb_build_object('id', t.scope, 'role', t.role, 'head', t.head, 'tag', t.head_tag)
        || case when t.expired then '{"reset": true, "expired": true}' when t.reset then '{"reset": true}' else '{}' end::jsonb
        || case when t.scope = any (unsettled) then '{"unsettled": true}' else '{}' end::jsonb
        order by t.scope))
      from unnest(turns) t),
    'rows', page.rows,
    'deleted', page.deleted,
    'cursors', filled.cursors,
    'refilled', filled.refilled,
    -- A user who never was a member learns nothing: a foreign scope and a missing one answer alike (R7).
    'forgotten', array(
      select k.scope from unnest(known) k
      where k.tag <> '' and k.scope not in (select convoy.visible_scopes()) and not convoy.knew_cursor(k)),
    'more', is_more,
    'total', case when is_first_page and is_more then convoy.count_run(page.rows, page.deleted, filled.pending) end);
end
$$;

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
      when t.name = 'workspaces' and e.id <> e.workspace_id
        then convoy.rejection('malformed', 'workspace_id', 'A workspace is its own scope.')
      when e.op <> 'delete' and e.payload - t.pushable - t.ignored <> '{}'
        then (select convoy.rejection('unknown_column', k, 'Clients do not write the column ' || quote_ident(k) || '.')
          from jsonb_object_keys(e.payload - t.pushable - t.ignored) k order by k limit 1)
      when i.unsound is not null then convoy.rejection('invalid_value', i.unsound, 'The value must be a UUID.')
      when f.column_name is not null then convoy.rejection('invalid_value', f.column_name, f.message)
    end,
    e.nth,
    null, null, null, null, null
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
        convoy.to_count(e.c -> 'group') as group_no, e.c -> 'values' as payload, e.c -> 'edited_at' as edited_at
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

create or replace function convoy.kinds_of(changes convoy.change[]) returns text[]
language plpgsql stable set search_path = '' as $$
begin
  return array(
    select distinct k
    from unnest(changes) c
    cross join lateral unnest(array[
      c.op, c.table_name, c.op || ' ' || c.table_name, case when c.nth > 1 then 'again' end]) k
    where k is not null);
end
$$;

create or replace function convoy.find_known(changes convoy.change[]) returns convoy.found_row[]
language plpgsql stable set search_path = '' as $$
declare
  wanted record;
  known convoy.found_row[] := '{}';
begin
  for wanted in
    select c.table_name, array_agg(c.id) as ids from unnest(changes) c where c.problem is null group by c.table_name
  loop
    known := known || convoy.find_rows(wanted.table_name, wanted.ids);
  end loop;
  return known;
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
      c.problem, c.nth, k.workspace_id, k.revision, k.deleted, k.field_revisions, c.conflicts
    )::convoy.change order by c.position), '{}')
    from unnest(changes) c
    left join unnest(known) k
      on k.table_name = c.table_name and k.id = c.id and (c.op = 'insert' or k.workspace_id = c.workspace_id));
end
$$;

create or replace function convoy.to_time(value text) returns timestamptz language sql stable
  return case
    when value ~ '^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+]00:00)$'
      then value::timestamptz
    when value is not null then convoy.try_time(value) end;

create or replace function convoy.decide_parents(changes convoy.change[], links convoy.link[]) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
declare
  wanted record;
  parents convoy.found_row[] := '{}';
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

create or replace function convoy.judge_parents(changes convoy.change[], links convoy.link[], parents convoy.found_row[])
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

create or replace function convoy.spread_refusals(
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
    return '{}';
  end if;
  if not exists (
    select from unnest(decided) d where d.outcome ->> 'outcome' in ('rejected', 'blocked', 'gone', 'conflict'))
  then
    return '{}';
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

create or replace function convoy.update_rows(target text, changes convoy.change[]) returns void
language plpgsql set search_path = '' as $$
declare
  rounds constant bigint := (
    select max(c.nth) from unnest(changes) c where c.table_name = target and c.op = 'update' and c.payload <> '{}');
begin
  for round in 1 .. coalesce(rounds, 0) loop
    perform convoy.update_round(target, changes, round);
  end loop;
end
$$;

create or replace function convoy.conclude(before convoy.change[], after convoy.found_row[]) returns convoy.decision[]
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
          or coalesce(convoy.to_time(b.edited_at ->> 'created_at') > now(), true)
        when 'update' then b.conflicts is not null or b.base is null or b.row_revision > b.base
          -- The server dates a restore, and its triggers move subtasks along.
          or b.table_name = 'deletions' or b.table_name = 'tasks' and b.payload ? 'milestone_id'
        else false
      end)::convoy.decision
    from unnest(before) b
    left join unnest(after) a
      on a.table_name = b.table_name and a.id = b.id and (b.op = 'insert' or a.workspace_id = b.workspace_id)
    join convoy.synced_tables t on t.name = b.table_name);
end
$$;

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

create or replace function convoy.pick_moved(changes convoy.change[], scopes uuid[], revisions bigint[]) returns convoy.pick[]
language plpgsql stable set search_path = '' as $$
begin
  if not exists (select from unnest(changes) c where c.table_name = 'tasks' and c.op = 'update' and c.payload ? 'milestone_id')
  then
    return '{}';
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
    -- The creator of a workspace owns it. A workspace that exists already gives no role.
    select coalesce(jsonb_object_agg(c.id, case when w.id is null then 'owner' end), '{}') || memberships into roles
      from unnest(changes) c left join public.workspaces w on w.id = c.id
      where c.table_name = 'workspaces' and c.op = 'insert' and c.id is not null;
  end if;

  decided := array(
    select row(c.position, c.problem, false)::convoy.decision from unnest(changes) c where c.problem is not null);
  changes := convoy.still_open(changes, decided);

  stage := convoy.decide_permission(changes, roles);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

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

create or replace function convoy.lock_clocks(changes convoy.change[], kinds text[]) returns uuid[]
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

  if convoy.to_count(request -> 'protocol') < 5 then
    -- It neither takes steps nor waits for them (U44).
    perform set_config('convoy.cascade', 'at once', true);
  end if;
  changes := convoy.parse_changes(request -> 'changes');
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
  refused := convoy.write_groups(todo, links, '{}', null);
  todo := convoy.still_open(todo, refused);
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

create or replace function convoy.erasable(target text) returns text
language sql stable set search_path = '' as $$
  select 't.workspace_id = s.scope_id and t.deleted_at is not null and t.revision <= s.purged_to'
    || ' and not exists (select from convoy.unfinished_deletions u where u.deletion_id = t.deletion_id)'
    || ' and not exists (select from public.deletions d where d.id = t.deletion_id and d.deleted_at is null and d.restored_at is null)'
    || coalesce(string_agg(format(' and not exists (select from public.%I c where c.%I = t.id)', c.table_name, c.name), ''), '')
  from convoy.synced_columns c where c.refers_to = target
$$;

create or replace function convoy.purge(horizon interval default interval '180 days') returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  most constant bigint := 50000;
  few constant bigint := 2000;
  waiting bigint := 0;
begin
  if convoy.take_waiting_steps() > 0 then
    -- Clocks stay locked until the end of the transaction.
    return (select count(*) from convoy.unfinished_deletions) + 1;
  end if;
  perform set_config('convoy.purge', 'on', true);
  -- Clocks stay locked until the end of the transaction, so horizons rise in one that erases little.
  if convoy.erase_tombstones(most) <= few then
    waiting := convoy.raise_horizons(horizon);
    if waiting = 0 then
      -- In one transaction with the tags: a batch that arrives a second time after this was made on a cursor older than
      -- its own revision, and is refused (U3, U20).
      waiting := convoy.erase_ledgers(horizon, most);
    end if;
    perform convoy.erase_tombstones(few);
  else
    waiting := 1;
  end if;
  perform set_config('convoy.purge', '', true);
  return waiting + convoy.count_erasable();
end
$$;

create or replace function convoy.count_below(frontier convoy.descendant[], most integer) returns integer
language plpgsql stable set search_path = '' as $$
declare
  records integer := 0;
  next_frontier convoy.descendant[];
  found_rows convoy.descendant[];
  child record;
begin
  while cardinality(frontier) > 0 and records <= most loop
    next_frontier := '{}';
    for child in
      select t.refers_to, c.table_name, c.column_name
      from (select distinct f.table_name as refers_to from unnest(frontier) f) t
      cross join lateral convoy.children_of(t.refers_to) c
    loop
      execute format(
        'select array(
           select row(f.root, %1$L, t.id, null)::convoy.descendant
             from unnest($1) f join public.%1$I t on t.%2$I = f.id
            where f.table_name = %3$L and t.deleted_at is null limit $2)',
        child.table_name, child.column_name, child.refers_to)
        into found_rows using frontier, most + 1;
      -- The rows below a workspace have been found at once.
      if child.refers_to <> 'workspaces' then
        next_frontier := next_frontier || found_rows;
      end if;
      records := records + cardinality(found_rows);
    end loop;
    frontier := next_frontier;
  end loop;
  return records;
end
$$;

create or replace function convoy.count_records(changes convoy.change[], most integer) returns integer
language plpgsql stable set search_path = '' as $$
declare
  restored constant uuid[] := array(select c.id from unnest(changes) c where c.table_name = 'deletions');
  records integer := cardinality(changes) + convoy.count_below(array(
    select row(c.position, c.table_name, c.id, null)::convoy.descendant
    from unnest(changes) c where c.op = 'delete' and convoy.takes_along(c.table_name, c.op)), most);
  found_count integer;
  child record;
begin
  if cardinality(restored) > 0 then
    for child in select t.name from convoy.synced_tables t loop
      exit when records > most;
      execute format(
        'select count(*) from (select from public.%I r where r.deletion_id = any ($1) limit $2) r', child.name)
        into found_count using restored, most;
      records := records + found_count;
    end loop;
  end if;
  return records;
end
$$;

create or replace function convoy.answer_known_batch(
  device uuid, batch_no bigint, batch_key uuid, digest bytea, settles boolean
) returns jsonb
language plpgsql set search_path = '' as $$
declare
  known convoy.devices;
begin
  select * into known from convoy.devices d where d.device_id = device for update;
  if not found then
    insert into convoy.devices (device_id, user_id) values (device, auth.uid()) on conflict do nothing;
    select * into known from convoy.devices d where d.device_id = device for update;
  end if;
  if known.user_id is not null and known.user_id <> auth.uid() then
    return convoy.failure('device_conflict');
  end if;
  if batch_no > known.batch then
    return null;
  end if;
  if batch_no < known.batch
    or settles and known.key is distinct from batch_key
    or not settles and known.hash is distinct from digest
  then
    return convoy.failure('device_conflict');
  end if;
  if known.answer is null then
    return convoy.void_answer(batch_no);
  end if;
  -- A backup was put back since: the kept answer is of another history (U22).
  if exists (
    select from jsonb_each(known.answer -> 'revisions') r
    where not convoy.is_in_history(r.key::uuid, (r.value ->> 'revision')::bigint, r.value ->> 'tag'))
  then
    return convoy.failure('history_changed');
  end if;
  -- U41: the user has lost access to a scope since. Without revisions to skip, the next pull brings the rows that
  -- the user may still see.
  if exists (
    select from jsonb_array_elements_text(known.answer -> 'scopes') s
    where s not in (select v::text from convoy.visible_scopes() v))
  then
    return convoy.spell_answer(known.answer || '{"told": {}, "revisions": {}}');
  end if;
  return convoy.spell_answer(known.answer);
end
$$;

create or replace function convoy.spell_answer(kept jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  page record;
begin
  if kept -> 'told' = '{}' then
    return kept - 'told' - 'scopes' || '{"effects": {"rows": {}, "deleted": {}}}';
  end if;
  select p.rows, p.deleted into page
    from convoy.read_page('{}', array(
      select row(t.key, i::uuid)::convoy.pick
      from jsonb_each(kept -> 'told') t cross join lateral jsonb_array_elements_text(t.value) i)) p;
  return kept - 'told' - 'scopes'
    || jsonb_build_object('effects', jsonb_build_object('rows', page.rows, 'deleted', page.deleted));
end
$$;

create or replace function convoy.kept_answer(
  batch_no bigint, changes convoy.change[], kinds text[], decided convoy.decision[]
) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  scopes uuid[];
  revisions bigint[];
  made jsonb;
begin
  select coalesce(array_agg(s.scope_id), '{}'), coalesce(array_agg(s.revision), '{}'),
      coalesce(jsonb_object_agg(s.scope_id, jsonb_build_object('revision', s.revision, 'tag', s.tag)), '{}')
    into scopes, revisions, made
    from convoy.scope_clocks s
    where s.scope_id in (select c.workspace_id from unnest(changes) c)
      and s.bumped_in = pg_current_xact_id() and s.bumped_at = now();
  return jsonb_build_object(
    'user_id', auth.uid(),
    'batch', batch_no,
    'server_time', now(),
    'outcomes', (select coalesce(jsonb_agg(d.outcome order by d.position), '[]') from unnest(decided) d),
    'told', (
      select coalesce(jsonb_object_agg(t.table_name, t.ids), '{}')
      from (
        select p.table_name, jsonb_agg(p.id) as ids
        from unnest(convoy.pick_effects(changes, kinds, decided, scopes, revisions)) p group by p.table_name
      ) t),
    'scopes', (select coalesce(jsonb_agg(distinct c.workspace_id), '[]') from unnest(changes) c where c.workspace_id is not null),
    'revisions', made)
    || convoy.unfinished_answer(changes, scopes);
end
$$;

create or replace function convoy.is_small(changes convoy.change[]) returns boolean language sql immutable
  return cardinality(changes) <= 100;

create or replace function convoy.build_pushes() returns void
language plpgsql set search_path = '' as $outer$
declare
  t record;
  -- The text of a statement that inserts or updates, with :changes and :round for its parameters.
  statement text;
  finds text := '';
  stamped text := '';
  inserts text := '';
  updates text := '';
begin
  for t in select s.name, s.pushable, s.defaults from convoy.synced_tables s order by s.position loop
    finds := finds || format($code$
        when %1$L then
          return array(
            select row(%1$L, t.id, t.workspace_id, t.revision, t.deleted_at is not null, t.field_revisions)::convoy.found_row
            from public.%1$I t where t.id = any (ids));$code$, t.name);

    stamped := stamped || format($code$
      if tables is null or %1$L = any (tables) then
        written := written || array(
          select row(%1$L, t.id, t.deleted_at is not null)::convoy.written_row
          from unnest(scopes, revisions) s (scope, revision)
          join public.%1$I t on t.workspace_id = s.scope
            and (t.revision, t.id) >= (s.revision, '00000000-0000-0000-0000-000000000000')
            and (t.revision, t.id) <= (s.revision, 'ffffffff-ffff-ffff-ffff-ffffffffffff'));
      end if;$code$, t.name);

    statement := format($query$
            insert into public.%1$I (id, workspace_id, created_at, %2$s)
              select c.id, c.workspace_id, convoy.to_time(c.edited_at ->> 'created_at'), %3$s
              from unnest(:changes) c
              cross join lateral jsonb_populate_record(null::public.%1$I, %4$L::jsonb || c.payload) r
              where c.table_name = %1$L and c.op = 'insert' order by c.position
              %5$s$query$,
      t.name,
      (select string_agg(quote_ident(p), ', ') from unnest(t.pushable) p),
      (select string_agg('r.' || quote_ident(p), ', ') from unnest(t.pushable) p),
      t.defaults,
      -- U10: a row that exists under another id is not inserted, and `conclude` finds its twin.
      case t.name
        when 'task_dependencies' then 'on conflict (task_id, depends_on_task_id) where deleted_at is null do nothing'
        else '' end);
    inserts := inserts || format($code$
        when %1$L then
          if convoy.is_small(changes) then %2$s;
          else
            execute %3$L using changes;
          end if;$code$, t.name, replace(statement, ':changes', 'changes'), replace(statement, ':changes', '$1'));

    -- The edit times go in the form of field_revisions, for the stamp trigger to complete: not later than now, and not
    -- earlier than the revision the edit was made on.
    statement := format($query$
            update public.%1$I t
              set %2$s, field_revisions = t.field_revisions || coalesce(c.times, '{}')
              from (
                select c.id, c.workspace_id, c.payload, (
                    select jsonb_object_agg(e.key, jsonb_build_array(null, case
                      when e.instant > now() then convoy.iso(now())
                      when e.instant < b.created_at then convoy.iso(b.created_at)
                      else convoy.iso(e.instant) end))
                    from (
                      select x.key, x.value, convoy.to_time(x.value) as instant
                      from jsonb_each_text(c.edited_at) x where c.payload ? x.key offset 0
                    ) e
                    where e.instant is not null
                  ) as times
                from unnest(:changes) c
                left join convoy.scope_revisions b on b.scope_id = c.workspace_id and b.revision = c.base
                where c.table_name = %1$L and c.op = 'update' and c.nth = :round
                offset 0
              ) c
              cross join lateral jsonb_populate_record(null::public.%1$I, c.payload) r
              -- The workspace is no part of what the row is found by, or the plan might go through all rows of it.
              where t.id = c.id and (t.workspace_id = c.workspace_id) is true$query$,
      t.name,
      (select string_agg(format('%1$I = case when c.payload ? %1$L then r.%1$I else t.%1$I end', p), ', ')
        from unnest(t.pushable) p));
    updates := updates || format($code$
        when %1$L then
          if convoy.is_small(changes) then %2$s;
          else
            execute %3$L using changes, round;
          end if;$code$, t.name, replace(replace(statement, ':changes', 'changes'), ':round', 'round'),
      replace(replace(statement, ':changes', '$1'), ':round', '$2'));
  end loop;

  -- The rows with these ids. A sequential scan would read a table that has grown since the plan was made.
  execute format($function$
    create or replace function convoy.find_rows(target text, ids uuid[]) returns convoy.found_row[]
    language plpgsql stable set search_path = '' set enable_seqscan = off as $body$
    begin
      case target %s
      end case;
    end
    $body$
  $function$, finds);
  revoke execute on function convoy.find_rows(text, uuid[]) from public;

  -- The rows of these tables, or of all, at revisions of scopes. Comparing rows, and the planner settings, make it use
  -- the pull index, also where statistics lack the latest revisions.
  execute format($function$
    create or replace function convoy.written_rows(tables text[], scopes uuid[], revisions bigint[])
    returns convoy.written_row[]
    language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    declare
      written convoy.written_row[] := '{}';
    begin
      if cardinality(scopes) = 0 then
        return written;
      end if;%s
      return written;
    end
    $body$
  $function$, stamped);
  revoke execute on function convoy.written_rows(text[], uuid[], bigint[]) from public;

  execute format($function$
    create or replace function convoy.insert_rows(target text, changes convoy.change[]) returns void
    language plpgsql set search_path = '' as $body$
    begin
      case target %s
      end case;
    end
    $body$
  $function$, inserts);
  revoke execute on function convoy.insert_rows(text, convoy.change[]) from public;

  -- One statement updates a row once: a record that is changed twice takes a second round.
  execute format($function$
    create or replace function convoy.update_round(target text, changes convoy.change[], round bigint) returns void
    language plpgsql set search_path = '' as $body$
    begin
      case target %s
      end case;
    end
    $body$
  $function$, updates);
  revoke execute on function convoy.update_round(text, convoy.change[], bigint) from public;
end
$outer$;

create or replace function convoy.step_records() returns integer language sql immutable
  return 2000;

create or replace function convoy.children_of(target text) returns table (table_name text, column_name text)
language sql stable set search_path = '' as $$
  select c.table_name, c.name from convoy.synced_columns c where c.is_parent and c.refers_to = target
  union all
  select t.name, 'workspace_id' from convoy.synced_tables t
    where target = 'workspaces' and t.name not in ('workspaces', 'workspace_members', 'deletions')
$$;

create or replace function convoy.begin_steps(deletion uuid, scope uuid, target text, ids uuid[]) returns void
language plpgsql set search_path = '' as $$
begin
  insert into convoy.unfinished_deletions (deletion_id, workspace_id, author)
    values (deletion, scope, convoy.author()) on conflict do nothing;
  insert into convoy.deletion_steps (deletion_id, workspace_id, task, table_name, ids)
    values (deletion, scope, 'list', target, ids);
end
$$;

create or replace function convoy.begin_restore(deletion uuid, scope uuid, with_members boolean) returns void
language sql set search_path = '' as $$
  insert into convoy.unfinished_deletions as u
      (deletion_id, workspace_id, restores, author, restore_wanted, restorer, with_members)
    values (deletion, scope, true, convoy.author(), true, convoy.author(), with_members)
    on conflict (deletion_id, workspace_id) do update
      set restore_wanted = true, restorer = excluded.restorer, with_members = excluded.with_members
$$;

create or replace function convoy.needs_steps(deletion uuid, scope uuid) returns boolean
language plpgsql stable set search_path = '' as $$
declare
  most constant integer := convoy.step_records();
  t record;
  in_table integer;
  held integer := 0;
begin
  if exists (
    select from convoy.unfinished_deletions u
    where u.workspace_id = scope and (u.deletion_id = deletion or u.restore_wanted))
  then
    return true;
  end if;
  if current_setting('convoy.cascade', true) = 'at once' then
    return false;
  end if;
  for t in select s.name from convoy.synced_tables s loop
    execute format(
      'select count(*) from (
         select from public.%I r where r.deletion_id = $1 and r.workspace_id = $2 limit $3) r', t.name)
      into in_table using deletion, scope, most + 1;
    held := held + in_table;
    exit when held > most;
  end loop;
  return held > most;
end
$$;

create or replace function convoy.list_children(item convoy.deletion_steps) returns void
language plpgsql set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  child record;
begin
  for child in select c.table_name, c.column_name from convoy.children_of(item.table_name) c loop
    execute format(
      'insert into convoy.deletion_steps (deletion_id, workspace_id, task, table_name, ids, follow)
         select $1, $5, ''delete'', %1$L, array_agg(x.id), $4
           from (
             select c.id, (row_number() over () - 1) / $3 as part
               from unnest($2) p (id)
               cross join lateral (select c.id from public.%1$I c where c.%2$I = p.id and c.deleted_at is null offset 0) c
           ) x
          group by x.part order by x.part',
      child.table_name, child.column_name)
      using item.deletion_id, item.ids, convoy.step_records(), item.table_name <> 'workspaces',
        item.workspace_id;
  end loop;
end
$$;

create or replace function convoy.delete_children(item convoy.deletion_steps) returns integer
language plpgsql set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  written integer;
begin
  execute format(
    'update public.%1$I t set deleted_at = now(), deletion_id = $1
      where t.id = any ($2) and t.deleted_at is null and (%2$s)',
    item.table_name,
    (
      select string_agg(format(
        'exists (select from public.%I p where p.id = t.%I and p.deleted_at is not null)', x.refers_to, x.name), ' or ')
      from (
        select c.refers_to, c.name from convoy.synced_columns c where c.is_parent and c.table_name = item.table_name
        union all
        select 'workspaces', 'workspace_id'
      ) x))
    using item.deletion_id, item.ids;
  get diagnostics written = row_count;
  if item.follow and exists (select from convoy.children_of(item.table_name)) then
    insert into convoy.deletion_steps (deletion_id, workspace_id, task, table_name, ids)
      values (item.deletion_id, item.workspace_id, 'list', item.table_name, item.ids);
  end if;
  return written;
end
$$;

create or replace function convoy.restore_some(u convoy.unfinished_deletions, root uuid, most integer) returns integer
language plpgsql set search_path = '' set enable_seqscan = off set jit = off as $$
declare
  t record;
  restored uuid[];
  written integer := 0;
begin
  for t in
    select s.name from convoy.synced_tables s
    where s.name not in ('workspace_members', 'task_dependencies', 'deletions') order by s.position
  loop
    exit when written >= most;
    execute format(
      'with written as (
         update public.%1$I r set deleted_at = null
          where r.id in (
            select x.id from public.%1$I x
             where x.deletion_id = $1 and x.workspace_id = $2 and x.id is distinct from $3 limit $4)
         returning r.id)
       select array_agg(w.id) from written w', t.name)
      into restored using u.deletion_id, u.workspace_id, root, most - written;
    written := written + coalesce(cardinality(restored), 0);
    if t.name = 'tasks' and restored is not null then
      insert into convoy.deletion_steps (deletion_id, workspace_id, task, table_name, ids)
        values (u.deletion_id, u.workspace_id, 'link', 'tasks', restored);
    end if;
  end loop;
  return written;
end
$$;

create or replace function convoy.list_dependencies(u convoy.unfinished_deletions, item convoy.deletion_steps, root uuid) returns void
language sql set search_path = '' as $$
  insert into convoy.deletion_steps (deletion_id, workspace_id, task, table_name, ids)
    select u.deletion_id, u.workspace_id, 'join', 'task_dependencies', array_agg(x.id)
    from (
      select f.id, (row_number() over () - 1) / convoy.step_records() as part
      from unnest(convoy.freed_dependencies(array[u.deletion_id], u.workspace_id, item.ids, root)) f (id)
    ) x
    group by x.part order by x.part
$$;

create or replace function convoy.join_dependencies(item convoy.deletion_steps) returns integer
language plpgsql set search_path = '' as $$
declare
  written integer;
begin
  update public.task_dependencies d set deleted_at = null
    where d.id = any (convoy.restorable_dependencies(array(
      select x.id from public.task_dependencies x where x.id = any (item.ids) and x.deleted_at is not null)));
  get diagnostics written = row_count;
  return written;
end
$$;

create or replace function convoy.finish_restore(u convoy.unfinished_deletions) returns void
language plpgsql set search_path = '' as $$
declare
  root record;
  parent record;
  above uuid;
begin
  perform convoy.restore_rows(array[u.deletion_id], u.workspace_id, u.with_members);
  select d.entity_type as table_name, d.entity_id as id into root
    from public.deletions d where d.id = u.deletion_id and d.workspace_id = u.workspace_id;
  above := convoy.hidden_by(root.table_name, root.id);
  if above is not null and exists (
    select from convoy.unfinished_deletions x
    where x.deletion_id = above and x.workspace_id = u.workspace_id and x.restore_wanted)
  then
    -- That one is being restored as well.
    return;
  end if;
  if above is not null then
    execute format('update public.%I set deleted_at = now(), deletion_id = $1 where id = $2', root.table_name)
      using above, root.id;
    perform convoy.begin_steps(above, u.workspace_id, root.table_name, array[root.id]);
  end if;
end
$$;

create or replace function convoy.take_step(scope uuid) returns void
language plpgsql set search_path = '' as $$
declare
  most constant integer := convoy.step_records();
  most_items constant integer := 100;
  u convoy.unfinished_deletions;
  item convoy.deletion_steps;
  author uuid;
  root uuid;
  written integer := 0;
  seen integer := 0;
  items integer := 0;
  rows_back integer;
begin
  perform from convoy.scope_clocks c where c.scope_id = scope for update;
  perform set_config('convoy.cascade', 'steps', true);
  while written < most and seen < 4 * most and items < most_items loop
    select * into u from convoy.unfinished_deletions x where x.workspace_id = scope order by x.n limit 1;
    exit when not found or written > 0 and u.author is distinct from author;
    author := u.author;
    perform set_config('convoy.author', coalesce(author::text, 'none'), true);
    if u.restores then
      select d.entity_id into root from public.deletions d where d.id = u.deletion_id and d.workspace_id = scope;
      rows_back := convoy.restore_some(u, root, most - written);
      written := written + rows_back;
      continue when rows_back > 0;
    end if;
    select * into item from convoy.deletion_steps s
      where s.deletion_id = u.deletion_id and s.workspace_id = scope order by s.n limit 1;
    if item.n is not null then
      exit when written > 0 and item.task in ('delete', 'join') and written + cardinality(item.ids) > most;
      delete from convoy.deletion_steps s where s.n = item.n;
      items := items + 1;
      seen := seen + cardinality(item.ids);
      case item.task
        when 'list' then perform convoy.list_children(item);
        when 'delete' then written := written + convoy.delete_children(item);
        when 'link' then perform convoy.list_dependencies(u, item, root);
        else written := written + convoy.join_dependencies(item);
      end case;
    elsif not u.restores and u.restore_wanted then
      update convoy.unfinished_deletions x set restores = true, author = x.restorer where x.n = u.n;
    else
      delete from convoy.unfinished_deletions x where x.n = u.n;
      items := items + 1;
      if u.restores then
        perform convoy.finish_restore(u);
        exit;
      end if;
    end if;
  end loop;
  perform set_config('convoy.cascade', '', true), set_config('convoy.author', '', true);
end
$$;

create or replace function public.sync_steps(request jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = ''
set timezone = 'UTC'
set statement_timeout = '8s'
as $$
declare
  refusal constant jsonb := convoy.refuse_request(request);
  taken boolean := false;
  scope uuid;
begin
  if refusal is not null then
    return refusal;
  end if;
  -- Not always the same one first: a workspace whose steps fail holds up no other.
  select s into scope from convoy.unsettled_scopes() s order by random() limit 1;
  if scope is not null then
    -- Devices do not queue for a lock that people's pushes wait for.
    perform from convoy.scope_clocks c where c.scope_id = scope for update skip locked;
    taken := found;
  end if;
  if taken then
    perform convoy.take_step(scope);
  end if;
  return jsonb_build_object(
    'user_id', auth.uid(), 'server_time', now(), 'left', taken and exists (select from convoy.unsettled_scopes()));
end
$$;

create or replace function convoy.take_waiting_steps() returns bigint
language plpgsql set search_path = '' as $$
declare
  few constant integer := 10;
  scope uuid;
  taken bigint := 0;
begin
  for scope in
    select x.workspace_id
    from (
      select u.workspace_id from (select distinct u.workspace_id from convoy.unfinished_deletions u) u
      order by random() limit few
    ) x
    order by x.workspace_id
  loop
    perform from convoy.scope_clocks c where c.scope_id = scope for update skip locked;
    if found then
      begin
        perform convoy.take_step(scope);
        taken := taken + 1;
      exception when others then
        raise warning 'A step of a deletion in workspace % failed: % (%)', scope, sqlerrm, sqlstate;
      end;
    end if;
  end loop;
  return taken;
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

create or replace function convoy.decide_hidden(changes convoy.change[], links convoy.link[], locked uuid[]) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
begin
  if not exists (select from convoy.unfinished_deletions u where u.workspace_id = any (locked)) then
    return '{}';
  end if;
  return array(
    with about as materialized (
      select c.position, c.id, c.op, c.workspace_id, c.row_revision, true as is_self, c.table_name as named, c.id as named_id
        from unnest(changes) c
        where c.row_workspace = c.workspace_id and not c.row_deleted
          and c.table_name not in ('workspaces', 'workspace_members', 'deletions')
      union all
      select c.position, c.id, c.op, c.workspace_id, c.row_revision, false, l.parent_table, l.parent_id
        from unnest(changes) c
        join unnest(links) l on l.position = c.position and l.provider is null and l.is_parent
    ), hidden as materialized (
      select n.named, n.named_id, convoy.hidden_by(n.named, n.named_id) as deletion
      from (select distinct a.named, a.named_id from about a) n
    )
    select distinct on (a.position) row(a.position, case
        when u.restores then jsonb_build_object('outcome', 'blocked', 'by', a.id)
        when not a.is_self then '{"outcome": "gone", "which": "parent"}'
        when a.op = 'delete' then jsonb_build_object('outcome', 'applied', 'revision', a.row_revision)
        else '{"outcome": "gone", "which": "record"}'
      end, false)::convoy.decision
    from about a
    join hidden h on h.named = a.named and h.named_id = a.named_id
    join convoy.unfinished_deletions u on u.deletion_id = h.deletion and u.workspace_id = a.workspace_id
    order by a.position, u.restores desc, a.is_self desc);
end
$$;

create or replace function convoy.unfinished_answer(changes convoy.change[], scopes uuid[]) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  unfinished constant uuid[] := array(
    select u.deletion_id from convoy.unfinished_deletions u
    where u.workspace_id = any (scopes) and coalesce(u.restorer, u.author) = auth.uid());
  place record;
  moved uuid[] := '{}';
  in_table uuid[];
begin
  if cardinality(unfinished) = 0 then
    return '{}';
  end if;
  for place in select c.table_name, c.name from convoy.synced_columns c where c.is_parent loop
    execute format(
      'select array_agg(t.id)
         from (
           select c.workspace_id as scope, min(c.base) as base from unnest($1) c
           where c.op = ''delete'' and c.base is not null and c.workspace_id = any ($2) group by c.workspace_id
         ) s
         join public.%I t on t.workspace_id = s.scope and t.revision > s.base
        where (t.field_revisions -> %L ->> 0)::bigint > s.base', place.table_name, place.name)
      into in_table using changes, scopes;
    moved := moved || coalesce(in_table, '{}');
  end loop;
  return jsonb_build_object('unfinished', unfinished, 'moved', moved);
end
$$;

-- Functions that are written from the columns of the tables.
select convoy.make_synced('workspaces', 1);
select convoy.make_synced('workspace_members', 2, server_set => array['display_name', 'kind']);
select convoy.make_synced('workflows', 3);
select convoy.make_synced('projects', 4);
select convoy.make_synced('milestones', 5,
  refs => '{"project_id": "projects"}', parents => array['project_id']);
select convoy.make_synced('tasks', 6,
  refs => '{"milestone_id": "milestones", "parent_task_id": "tasks", "workflow_id": "workflows"}',
  parents => array['milestone_id', 'parent_task_id'],
  units => '{"current_stage": "stage", "status": "stage", "completion_date": "stage",
             "milestone_id": "place", "parent_task_id": "place"}');
select convoy.make_synced('task_dependencies', 7,
  refs => '{"task_id": "tasks", "depends_on_task_id": "tasks"}',
  parents => array['task_id', 'depends_on_task_id']);
select convoy.make_synced('activity_feed', 8,
  refs => '{"task_id": "tasks"}', parents => array['task_id'], ignored => array['actor_id']);
select convoy.make_synced('patterns', 9, refs => '{"project_id": "projects"}', parents => array['project_id']);
select convoy.make_synced('best_practices', 10, refs => '{"project_id": "projects"}', parents => array['project_id']);
select convoy.make_synced('deletions', 11, server_set => array['entity_type', 'entity_id', 'name', 'parts']);
select convoy.build_pages();
select convoy.build_pushes();

revoke all on function convoy.author() from public, anon, authenticated, service_role;
revoke all on function convoy.unsettled_scopes() from public, anon, authenticated, service_role;
grant execute on function convoy.unsettled_scopes() to authenticated, service_role;
revoke all on function convoy.hidden_by(text,uuid) from public, anon, authenticated, service_role;
grant execute on function convoy.hidden_by(text,uuid) to authenticated, service_role;
revoke all on function convoy.check_owner_left(uuid,bigint) from public, anon, authenticated, service_role;
revoke all on function convoy.freed_dependencies(uuid[],uuid,uuid[],uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.restore_rows(uuid[],uuid,boolean) from public, anon, authenticated, service_role;
revoke all on function convoy.kinds_of(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.find_known(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.with_known(convoy.change[],convoy.found_row[]) from public, anon, authenticated, service_role;
revoke all on function convoy.judge_parents(convoy.change[],convoy.link[],convoy.found_row[]) from public, anon, authenticated, service_role;
revoke all on function convoy.conclude(convoy.change[],convoy.found_row[]) from public, anon, authenticated, service_role;
revoke all on function convoy.pick_effects(convoy.change[],text[],convoy.decision[],uuid[],bigint[]) from public, anon, authenticated, service_role;
revoke all on function convoy.pick_moved(convoy.change[],uuid[],bigint[]) from public, anon, authenticated, service_role;
revoke all on function convoy.decide(convoy.change[],convoy.link[],text[],convoy.cursor_position[],uuid[],boolean) from public, anon, authenticated, service_role;
revoke all on function convoy.lock_clocks(convoy.change[],text[]) from public, anon, authenticated, service_role;
revoke all on function convoy.confirmed_address() from public, anon, authenticated, service_role;
revoke all on function convoy.no_invitation(uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.count_below(convoy.descendant[],integer) from public, anon, authenticated, service_role;
revoke all on function convoy.kept_answer(bigint,convoy.change[],text[],convoy.decision[]) from public, anon, authenticated, service_role;
revoke all on function convoy.is_small(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.build_pushes() from public, anon, authenticated, service_role;
revoke all on function convoy.find_rows(text,uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.written_rows(text[],uuid[],bigint[]) from public, anon, authenticated, service_role;
revoke all on function convoy.update_round(text,convoy.change[],bigint) from public, anon, authenticated, service_role;
revoke all on function convoy.step_records() from public, anon, authenticated, service_role;
revoke all on function convoy.children_of(text) from public, anon, authenticated, service_role;
revoke all on function convoy.begin_steps(uuid,uuid,text,uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.begin_restore(uuid,uuid,boolean) from public, anon, authenticated, service_role;
revoke all on function convoy.needs_steps(uuid,uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.list_children(convoy.deletion_steps) from public, anon, authenticated, service_role;
revoke all on function convoy.delete_children(convoy.deletion_steps) from public, anon, authenticated, service_role;
revoke all on function convoy.restore_some(convoy.unfinished_deletions,uuid,integer) from public, anon, authenticated, service_role;
revoke all on function convoy.list_dependencies(convoy.unfinished_deletions,convoy.deletion_steps,uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.join_dependencies(convoy.deletion_steps) from public, anon, authenticated, service_role;
revoke all on function convoy.finish_restore(convoy.unfinished_deletions) from public, anon, authenticated, service_role;
revoke all on function convoy.take_step(uuid) from public, anon, authenticated, service_role;
revoke all on function public.sync_steps(jsonb) from public, anon, authenticated, service_role;
grant execute on function public.sync_steps(jsonb) to authenticated, service_role;
revoke all on function convoy.take_waiting_steps() from public, anon, authenticated, service_role;
revoke all on function convoy.passed_over(integer) from public, anon, authenticated, service_role;
revoke all on function convoy.untold(integer) from public, anon, authenticated, service_role;
revoke all on function convoy.decide_activities(convoy.change[],convoy.change[],boolean) from public, anon, authenticated, service_role;
revoke all on function convoy.passes_checkpoint(uuid,text,text) from public, anon, authenticated, service_role;
revoke all on function convoy.decide_told_moves(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.bury_passed_over(convoy.change[],convoy.decision[]) from public, anon, authenticated, service_role;
revoke all on function convoy.decide_hidden(convoy.change[],convoy.link[],uuid[]) from public, anon, authenticated, service_role;
revoke all on function convoy.unfinished_answer(convoy.change[],uuid[]) from public, anon, authenticated, service_role;

-- Stamps name whoever began a deletion, and hidden rows are not read.
do $$
declare
  t record;
begin
  for t in
    select s.name, array_agg(a.attname::text order by a.attnum) as columns
    from convoy.synced_tables s
    join pg_catalog.pg_attribute a on a.attrelid = format('public.%I', s.name)::regclass and a.attnum > 0 and not a.attisdropped
    where exists (select from convoy.synced_columns c where c.table_name = s.name and c.name = a.attname)
    group by s.name
  loop
    perform convoy.write_stamp_function(t.name, t.columns);
    execute format('create or replace trigger z_cascade after update on public.%I
    referencing old table as old_rows new table as new_rows
    for each statement execute function convoy.cascade_deletion()', t.name);
    execute format('drop policy members_read on public.%I', t.name);
    execute format('create policy members_read on public.%1$I for select to authenticated
    using (deleted_at is null and workspace_id = any (array(select convoy.visible_scopes()))
      and not (workspace_id = any (array(select convoy.unsettled_scopes())) and convoy.hidden_by(%1$L, id) is not null))', t.name);
  end loop;
end
$$;
