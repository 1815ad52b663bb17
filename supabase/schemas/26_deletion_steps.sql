-- Deletions and restores of many records go on in steps (U44). A deletion deletes its record at once, a restore brings
-- its record back last; what stands under a deleted record is shown to nobody meanwhile. The rest follows in steps, each
-- a transaction with a revision of its own, which devices (sync_steps) and the purge take. What is under way stands in
-- convoy.unfinished_deletions (02_synced_tables.sql).

-- The steps that are left to take, in the order of `n`.
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

-- How many records a step writes at most, and a deletion or a restore at once; tests replace it.
create function convoy.step_records() returns integer language sql immutable set search_path = ''
  return 2000;

-- The tables whose rows are deleted with a row of `target`, and the column that names it.
create function convoy.children_of(target text) returns table (table_name text, column_name text)
language sql stable set search_path = '' as $$
  select c.table_name, c.name from convoy.synced_columns c where c.is_parent and c.refers_to = target
  union all
  select t.name, 'workspace_id' from convoy.synced_tables t
    where target = 'workspaces' and t.name not in ('workspaces', 'workspace_members', 'deletions')
$$;

-- A deletion goes on with what stands under these rows, which are deleted.
create function convoy.begin_steps(deletion uuid, scope uuid, target text, ids uuid[]) returns void
language plpgsql set search_path = '' as $$
begin
  insert into convoy.unfinished_deletions (deletion_id, workspace_id, author)
    values (deletion, scope, convoy.author()) on conflict do nothing;
  insert into convoy.deletion_steps (deletion_id, workspace_id, task, table_name, ids)
    values (deletion, scope, 'list', target, ids);
end
$$;

-- The rest of a restore, or all of it where the deletion itself goes on: its rows come back when they are deleted.
create function convoy.begin_restore(deletion uuid, scope uuid, with_members boolean) returns void
language sql set search_path = '' as $$
  insert into convoy.unfinished_deletions as u
      (deletion_id, workspace_id, restores, author, restore_wanted, restorer, with_members)
    values (deletion, scope, true, convoy.author(), true, convoy.author(), with_members)
    on conflict (deletion_id, workspace_id) do update
      set restore_wanted = true, restorer = excluded.restorer, with_members = excluded.with_members
$$;

-- Whether a restore of this deletion goes on in steps: where more rows have it than a step writes, where it goes on itself,
-- and where what it stands under may be on its way back.
create function convoy.needs_steps(deletion uuid, scope uuid) returns boolean
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

-- Notes the live children of deleted rows, as steps that delete them. Whether they live is asked outside: without fresh
-- statistics PostgreSQL would else read all of the index of living pairs for each task.
create function convoy.list_children(item convoy.deletion_steps) returns void
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
               cross join lateral (select c.id, c.deleted_at from public.%1$I c where c.%2$I = p.id offset 0) c
              where c.deleted_at is null
           ) x
          group by x.part order by x.part',
      child.table_name, child.column_name)
      using item.deletion_id, item.ids, convoy.step_records(), item.table_name <> 'workspaces',
        item.workspace_id;
  end loop;
end
$$;

-- Deletes rows whose parents are deleted by then; others have been moved elsewhere. Returns how many.
create function convoy.delete_children(item convoy.deletion_steps) returns integer
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

-- Brings back rows of a deletion, but for the record that it names, dependencies and memberships. Returns how many.
create function convoy.restore_some(u convoy.unfinished_deletions, root uuid, most integer) returns integer
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

-- Notes the dependencies that come back with restored tasks, as steps that restore them.
create function convoy.list_dependencies(u convoy.unfinished_deletions, item convoy.deletion_steps, root uuid) returns void
language sql set search_path = '' as $$
  insert into convoy.deletion_steps (deletion_id, workspace_id, task, table_name, ids)
    select u.deletion_id, u.workspace_id, 'join', 'task_dependencies', array_agg(x.id)
    from (
      select f.id, (row_number() over () - 1) / convoy.step_records() as part
      from unnest(convoy.freed_dependencies(array[u.deletion_id], u.workspace_id, item.ids, root)) f (id)
    ) x
    group by x.part order by x.part
$$;

create function convoy.join_dependencies(item convoy.deletion_steps) returns integer
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

-- The end of a restore: its record comes back, with memberships and what else is left. Where others have deleted what
-- it stands under meanwhile, it belongs to that deletion from then on.
create function convoy.finish_restore(u convoy.unfinished_deletions) returns void
language plpgsql set search_path = '' as $$
declare
  root record;
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

-- Takes one step of a scope's deletions, in a transaction that writes nothing else: one revision of at most as many
-- rows as a step may write, by the author of the deletion. What it looks at is bounded too.
create function convoy.take_step(scope uuid) returns void
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

-- Takes a step for one of the caller's workspaces in which deletions or restores are under way, whoever began them.
-- Returns {user_id, server_time, left}: whether there is more to do that nobody else does at the moment. A device calls
-- it until that is false; pulls tell it when something is left all the same.
create function public.sync_steps(request jsonb) returns jsonb
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

-- Takes a step in some workspaces, of those of which nobody else does, until that time, and in one at least: the purge
-- calls it.
create function convoy.take_waiting_steps(until timestamptz) returns void
language plpgsql set search_path = '' as $$
declare
  few constant integer := 10;
  scope uuid;
  is_first boolean := true;
begin
  for scope in
    select x.workspace_id
    from (
      select u.workspace_id from (select distinct u.workspace_id from convoy.unfinished_deletions u) u
      order by random() limit few
    ) x
    order by x.workspace_id
  loop
    exit when not is_first and clock_timestamp() > until;
    perform from convoy.scope_clocks c where c.scope_id = scope for update skip locked;
    if found then
      is_first := false;
      begin
        perform convoy.take_step(scope);
      exception when others then
        raise warning 'A step of a deletion in workspace % failed: % (%)', scope, sqlerrm, sqlstate;
      end;
    end if;
  end loop;
end
$$;

revoke all on function public.sync_steps(jsonb) from public, anon, authenticated;
grant execute on function public.sync_steps(jsonb) to authenticated;
revoke execute on all functions in schema convoy from public;
