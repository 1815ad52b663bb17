-- Deletions and restores of many records go on in steps, each a transaction of its own (U44).

drop function convoy.freed_dependencies(uuid[],uuid,uuid[]);
drop function convoy.restore_rows(uuid[],uuid);

create table convoy.unfinished_deletions (
  deletion_id uuid primary key,
  n bigint not null generated always as identity,
  workspace_id uuid not null references convoy.scope_clocks on delete cascade,
  -- Whether its rows are being restored; else they are still being deleted.
  restores boolean not null default false,
  -- Who deletes, or restores; null for the service.
  author uuid,
  -- It is to be restored: at once, or when all of it is deleted.
  restore_wanted boolean not null default false,
  restorer uuid,
  -- Whether memberships come back with it.
  with_members boolean not null default false
);
create index unfinished_deletions_workspace on convoy.unfinished_deletions (workspace_id, n);
alter table convoy.unfinished_deletions enable row level security;
grant select on convoy.unfinished_deletions to service_role;

create table convoy.deletion_steps (
  n bigint primary key generated always as identity,
  deletion_id uuid not null references convoy.unfinished_deletions on delete cascade,
  -- list: look for the live children of these deleted rows. delete: these live rows. link: look for the deleted
  -- dependencies of these restored tasks. join: restore these dependencies.
  task text not null check (task in ('list', 'delete', 'link', 'join')),
  table_name text not null,
  -- As many as a step may write, at most.
  ids uuid[] not null,
  -- Whether what stands under these rows is to be looked for: of a workspace, all is found at once.
  follow boolean not null default true
);
create index deletion_steps_deletion on convoy.deletion_steps (deletion_id, n);

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
  -- whole: within the cascade of a row further up; steps: in a step, which looks for what stands below by itself.
  mode constant text := coalesce(current_setting('convoy.cascade', true), '');
  most constant integer := convoy.step_records();
  deleted record;
  child record;
begin
  -- Rows that were deleted before have no live descendants but those that wait for steps, so they need not be told apart.
  if mode = 'steps' or not exists (select from new_rows n where n.deleted_at is not null) then
    return null;
  end if;
  if mode <> 'whole' then
    if exists (
        select from new_rows n join convoy.unfinished_deletions u on u.workspace_id = n.workspace_id
        where n.deleted_at is not null)
      or convoy.count_below(
        array(select row(0, tg_table_name, n.id, null)::convoy.descendant from new_rows n where n.deleted_at is not null),
        most) > most
    then
      for deleted in
        select n.workspace_id, n.deletion_id, array_agg(n.id) as ids
        from new_rows n where n.deleted_at is not null group by n.workspace_id, n.deletion_id order by 1, 2
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
  if mode <> 'whole' then
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
    referencing new table as new_rows
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
      projects := array(select m.project_id from public.milestones m where m.id = row_id);
    when 'patterns' then
      projects := array(select k.project_id from public.patterns k where k.id = row_id);
    when 'best_practices' then
      projects := array(select k.project_id from public.best_practices k where k.id = row_id);
    else null;
  end case;
  if projects is not null then
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

create or replace function convoy.check_human_owner(scope uuid) returns void
language plpgsql stable security definer set search_path = '' as $$
begin
  if auth.uid() is not null and not exists (
    select from public.workspace_members m
    where m.workspace_id = scope and m.role = 'owner' and m.kind = 'human' and m.deleted_at is null)
  then
    raise exception 'No person owns this workspace any more.' using errcode = 'SN004';
  end if;
end
$$;

create or replace function convoy.check_owner_of_restored() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if current_setting('convoy.cascade', true) is distinct from 'steps' then
    perform convoy.check_human_owner(new.id);
  end if;
  return null;
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
      -- Whoever left comes back by an invitation alone.
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
      perform convoy.check_human_owner(marked.scope);
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
    select u.workspace_id into unfinished from convoy.unfinished_deletions u where u.deletion_id = deletion;
    exit when not found;
    perform convoy.take_step(unfinished.workspace_id);
  end loop;
  return (select coalesce(sum(h.value::bigint), 0) from jsonb_each_text(held) h)
    - (select coalesce(sum(h.value::bigint), 0) from jsonb_each_text(convoy.held_by(deletion)) h);
end
$$;

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

create or replace function convoy.decide(
  inout changes convoy.change[], inout links convoy.link[], kinds text[], cursors convoy.cursor_position[], locked uuid[],
  out decided convoy.decision[]
) language plpgsql set search_path = '' as $$
declare
  all_changes constant convoy.change[] := changes;
  tells constant boolean := 'insert activity_feed' = any (kinds);
  memberships jsonb;
  roles jsonb;
  known convoy.found_row[];
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
    stage := convoy.decide_activities(changes, all_changes);
    decided := decided || stage;
    changes := convoy.still_open(changes, stage);
  end if;
  known := convoy.find_known(changes);
  changes := convoy.with_known(changes, known);

  stage := convoy.decide_hidden(changes, links, locked);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  if cardinality(known) > 0 or kinds && '{update, delete, again}' then
    stage := convoy.decide_existing(changes, memberships);
    decided := decided || stage;
    changes := convoy.still_open(changes, stage);
    if tells then
      stage := convoy.decide_idle_activities(changes, all_changes, stage);
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
  end if;
end
$$;

create or replace function convoy.erasable(target text) returns text
language sql stable set search_path = '' as $$
  select 't.workspace_id = s.scope_id and t.deleted_at is not null and t.revision <= s.purged_to'
    || ' and not exists (select from convoy.unfinished_deletions u where u.deletion_id = t.deletion_id)'
    || coalesce(string_agg(format(' and not exists (select from public.%I c where c.%I = t.id)', c.table_name, c.name), ''), '')
  from convoy.synced_columns c where c.refers_to = target
$$;

create or replace function convoy.purge(horizon interval default interval '180 days') returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  most constant bigint := 50000;
  few constant bigint := 2000;
  unsettled constant bigint := convoy.take_waiting_steps();
  waiting bigint := 0;
begin
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
  return unsettled + waiting + convoy.count_erasable();
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
  insert into convoy.deletion_steps (deletion_id, task, table_name, ids) values (deletion, 'list', target, ids);
end
$$;

create or replace function convoy.begin_restore(deletion uuid, scope uuid, with_members boolean) returns void
language sql set search_path = '' as $$
  insert into convoy.unfinished_deletions as u
      (deletion_id, workspace_id, restores, author, restore_wanted, restorer, with_members)
    values (deletion, scope, true, convoy.author(), true, convoy.author(), with_members)
    on conflict (deletion_id) do update
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
  if exists (select from convoy.unfinished_deletions u where u.deletion_id = deletion) then
    return true;
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
      'insert into convoy.deletion_steps (deletion_id, task, table_name, ids, follow)
         select $1, ''delete'', %1$L, array_agg(x.id), $4
           from (
             select c.id, (row_number() over () - 1) / $3 as part
               from unnest($2) p (id)
               cross join lateral (select c.id from public.%1$I c where c.%2$I = p.id and c.deleted_at is null offset 0) c
           ) x
          group by x.part order by x.part',
      child.table_name, child.column_name)
      using item.deletion_id, item.ids, convoy.step_records(), item.table_name <> 'workspaces';
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
    insert into convoy.deletion_steps (deletion_id, task, table_name, ids)
      values (item.deletion_id, 'list', item.table_name, item.ids);
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
      insert into convoy.deletion_steps (deletion_id, task, table_name, ids)
        values (u.deletion_id, 'link', 'tasks', restored);
    end if;
  end loop;
  return written;
end
$$;

create or replace function convoy.list_dependencies(u convoy.unfinished_deletions, item convoy.deletion_steps, root uuid) returns void
language sql set search_path = '' as $$
  insert into convoy.deletion_steps (deletion_id, task, table_name, ids)
    select u.deletion_id, 'join', 'task_dependencies', array_agg(x.id)
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
    select from convoy.unfinished_deletions x where x.deletion_id = above and x.restores)
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

create or replace function convoy.take_step(scope uuid) returns boolean
language plpgsql set search_path = '' as $$
declare
  most constant integer := convoy.step_records();
  u convoy.unfinished_deletions;
  item convoy.deletion_steps;
  root uuid;
  written integer := 0;
  rows_back integer;
begin
  perform from convoy.scope_clocks c where c.scope_id = scope for update;
  perform set_config('convoy.cascade', 'steps', true);
  while written < most loop
    select * into u from convoy.unfinished_deletions x where x.workspace_id = scope order by x.n limit 1;
    exit when not found;
    perform set_config('convoy.author', coalesce(u.author::text, 'none'), true);
    if u.restores then
      select d.entity_id into root from public.deletions d where d.id = u.deletion_id and d.workspace_id = scope;
      rows_back := convoy.restore_some(u, root, most - written);
      written := written + rows_back;
      continue when rows_back > 0;
    end if;
    select * into item from convoy.deletion_steps s where s.deletion_id = u.deletion_id order by s.n limit 1;
    if item.n is not null then
      exit when written > 0 and item.task in ('delete', 'join') and written + cardinality(item.ids) > most;
      delete from convoy.deletion_steps s where s.n = item.n;
      case item.task
        when 'list' then perform convoy.list_children(item);
        when 'delete' then written := written + convoy.delete_children(item);
        when 'link' then perform convoy.list_dependencies(u, item, root);
        else written := written + convoy.join_dependencies(item);
      end case;
    elsif not u.restores and u.restore_wanted then
      update convoy.unfinished_deletions x set restores = true, author = x.restorer where x.deletion_id = u.deletion_id;
    else
      delete from convoy.unfinished_deletions x where x.deletion_id = u.deletion_id;
      if u.restores then
        perform convoy.finish_restore(u);
        exit;
      end if;
    end if;
  end loop;
  perform set_config('convoy.cascade', '', true), set_config('convoy.author', '', true);
  return exists (select from convoy.unfinished_deletions x where x.workspace_id = scope);
end
$$;

create or replace function public.sync_steps(request jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = ''
set timezone = 'UTC'
set statement_timeout = '8s'
set lock_timeout = '5s'
as $$
declare
  refusal constant jsonb := convoy.refuse_request(request);
  scope uuid;
begin
  if refusal is not null then
    return refusal;
  end if;
  select s into scope from convoy.unsettled_scopes() s order by s limit 1;
  if scope is not null then
    perform convoy.take_step(scope);
  end if;
  return jsonb_build_object(
    'user_id', auth.uid(), 'server_time', now(), 'left', exists (select from convoy.unsettled_scopes()));
end
$$;

create or replace function convoy.take_waiting_steps() returns bigint
language plpgsql set search_path = '' as $$
declare
  few constant integer := 10;
  scope uuid;
begin
  for scope in select distinct u.workspace_id from convoy.unfinished_deletions u order by u.workspace_id limit few loop
    perform from convoy.scope_clocks c where c.scope_id = scope for update skip locked;
    if found then
      perform convoy.take_step(scope);
    end if;
  end loop;
  return (select count(distinct u.workspace_id) from convoy.unfinished_deletions u);
end
$$;

create or replace function convoy.decide_hidden(changes convoy.change[], links convoy.link[], locked uuid[]) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
begin
  if not exists (select from convoy.unfinished_deletions u where u.workspace_id = any (locked)) then
    return '{}';
  end if;
  return array(
    select distinct on (x.position) row(x.position, case
        when u.restores then jsonb_build_object('outcome', 'blocked', 'by', x.id)
        when not x.is_self then '{"outcome": "gone", "which": "parent"}'
        when x.op = 'delete' then jsonb_build_object('outcome', 'applied', 'revision', x.row_revision)
        else '{"outcome": "gone", "which": "record"}'
      end, false)::convoy.decision
    from (
      select c.position, c.id, c.op, c.row_revision, true as is_self, convoy.hidden_by(c.table_name, c.id) as deletion
        from unnest(changes) c
        where c.row_workspace = c.workspace_id and not c.row_deleted
          and c.table_name not in ('workspaces', 'workspace_members', 'deletions')
      union all
      select c.position, c.id, c.op, c.row_revision, false, convoy.hidden_by(l.parent_table, l.parent_id)
        from unnest(changes) c
        join unnest(links) l on l.position = c.position and l.provider is null and l.is_parent
    ) x
    join convoy.unfinished_deletions u on u.deletion_id = x.deletion
    order by x.position, u.restores desc, x.is_self desc);
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

revoke all on function convoy.author() from public, anon, authenticated, service_role;
revoke all on function convoy.unsettled_scopes() from public, anon, authenticated, service_role;
grant execute on function convoy.unsettled_scopes() to authenticated, service_role;
revoke all on function convoy.hidden_by(text,uuid) from public, anon, authenticated, service_role;
grant execute on function convoy.hidden_by(text,uuid) to authenticated, service_role;
revoke all on function convoy.check_human_owner(uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.freed_dependencies(uuid[],uuid,uuid[],uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.restore_rows(uuid[],uuid,boolean) from public, anon, authenticated, service_role;
revoke all on function convoy.count_below(convoy.descendant[],integer) from public, anon, authenticated, service_role;
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
    execute format('drop policy members_read on public.%I', t.name);
    execute format('create policy members_read on public.%1$I for select to authenticated
    using (deleted_at is null and workspace_id = any (array(select convoy.visible_scopes()))
      and not (workspace_id = any (array(select convoy.unsettled_scopes())) and convoy.hidden_by(%1$L, id) is not null))', t.name);
  end loop;
end
$$;
