-- Short keys (section 5 of docs/work-model.md): projects.key, and tasks.key, as in FIELD-42. Both are given on insert, under
-- the scope's lock, and a number is given once in a history.

-- The numbers of each prefix in a workspace: prefixes outlive the projects that have them.
create table convoy.key_counters (
  workspace_id uuid references convoy.scope_clocks on delete cascade,
  prefix text,
  -- The highest number that was given.
  last bigint not null,
  -- Numbers below it that nobody was given: a task that was made again after a restore brought a higher one.
  free int8multirange not null default '{}',
  primary key (workspace_id, prefix)
);
alter table convoy.key_counters enable row level security;
grant select on convoy.key_counters to service_role;

-- By the key first: an index that began with the workspace would serve foreign keys where statistics are missing, and read all of
-- a workspace's tasks for each.
create unique index projects_key on public.projects (key, workspace_id);
create unique index tasks_key on public.tasks (key, workspace_id);
-- The end of an id is what a derived key is derived from.
create index tasks_id_end on public.tasks (right(id::text, 9));

-- How far beyond the last number a task that is made again may be: so many tasks a restored backup may have lost.
create function convoy.most_keys_lost() returns bigint language sql immutable set search_path = ''
  return 100000;

-- A key for a project of this name: the first of its words that begins with a letter, in ASCII capitals and digits, at most
-- 10 of them; P where there is none. projectKeyOf in src/domain/keys.ts does the same.
create function convoy.project_key_of(name text) returns text language sql immutable
  return coalesce(substring(translate(
      regexp_replace(normalize(name, nfkd), U&'[\0300-\036f]', '', 'g'),
      'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')
    from '[A-Z][A-Z0-9]{0,9}'), 'P');

-- A project without a key gets one from its name; where another project of the workspace has it, deleted ones too, a number
-- follows.
create function convoy.give_project_key() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  wanted constant text := coalesce(new.key, convoy.project_key_of(new.name));
  number bigint;
begin
  -- The table refuses another form.
  if wanted !~ '^[A-Z][A-Z0-9]{0,9}$' then
    return new;
  end if;
  new.key := wanted;
  while exists (
    select from public.projects p
    where p.workspace_id = new.workspace_id and p.key = new.key and p.id <> new.id)
  loop
    -- Of many projects with one name, most of the numbers are taken.
    number := coalesce(number + 1, greatest(2, (
      select count(*) from public.projects p
      where p.workspace_id = new.workspace_id and p.key like wanted || '%')));
    new.key := left(wanted, 10 - length(number::text)) || number;
  end loop;
  return new;
end
$$;
create trigger b_key_of_new before insert on public.projects
  for each row execute function convoy.give_project_key();
create trigger b_key before update on public.projects
  for each row when (new.key is distinct from old.key)
  execute function convoy.give_project_key();

-- While a statement inserts tasks, the next number stands in a setting of the transaction, since an update of the counter
-- for each row would take longer with every row: 'milestone prefix number workspace'. A savepoint that is rolled back
-- takes it back with the rows.

-- Writes that number to its counter.
create function convoy.store_next_key() returns void
language plpgsql security definer set search_path = '' as $$
declare
  known constant text[] := string_to_array(nullif(current_setting('convoy.next_key', true), ''), ' ');
begin
  if known is not null then
    insert into convoy.key_counters as c (workspace_id, prefix, last)
      values (known[4]::uuid, known[2], known[3]::bigint - 1)
      on conflict (workspace_id, prefix) do update set last = greatest(c.last, excluded.last);
    perform set_config('convoy.next_key', '', true);
  end if;
end
$$;

-- Whether a task that is made again may have the number that it brings: nobody was given it in this history. Notes that it
-- has it.
create function convoy.take_number(scope uuid, of_prefix text, number bigint) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  counter convoy.key_counters;
  ends_at bigint;
begin
  perform convoy.store_next_key();
  select * into counter from convoy.key_counters c where c.workspace_id = scope and c.prefix = of_prefix;
  ends_at := coalesce(counter.last, 0);
  if number > ends_at + convoy.most_keys_lost() then
    return false;
  elsif number > ends_at then
    insert into convoy.key_counters as c (workspace_id, prefix, last, free)
      values (scope, of_prefix, number, int8multirange(int8range(ends_at + 1, number)))
      on conflict (workspace_id, prefix) do update set last = excluded.last, free = c.free + excluded.free;
    return true;
  end if;
  update convoy.key_counters c set free = c.free - int8multirange(int8range(number, number, '[]'))
    where c.workspace_id = scope and c.prefix = of_prefix and c.free @> number;
  return found;
end
$$;

-- Gives a new task the next number of its project's prefix. A task that is made again (P13, P19) keeps the key that it
-- brings, of whatever prefix, where it can be no other task's.
create function convoy.give_task_key() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  known text[];
  of_prefix text;
  number bigint;
begin
  if new.key is not null then
    -- The table refuses another form.
    if new.key !~ '^[A-Z][A-Z0-9]{0,9}-[1-9][0-9]{0,9}$'
      or convoy.take_number(new.workspace_id, split_part(new.key, '-', 1), split_part(new.key, '-', 2)::bigint)
    then
      return new;
    end if;
    new.key := null;
  end if;
  known := string_to_array(nullif(current_setting('convoy.next_key', true), ''), ' ');
  if known[1] = new.milestone_id::text then
    of_prefix := known[2];
  else
    select p.key into of_prefix
      from public.milestones m join public.projects p on p.id = m.project_id
      where m.id = new.milestone_id and m.workspace_id = new.workspace_id;
    if of_prefix is null then
      return new;
    end if;
  end if;
  if known[2] = of_prefix and known[4] = new.workspace_id::text then
    number := known[3];
  else
    perform convoy.store_next_key();
    number := 1 + coalesce((
      select c.last from convoy.key_counters c where c.workspace_id = new.workspace_id and c.prefix = of_prefix), 0);
  end if;
  if number <= 9999999999 then
    new.key := of_prefix || '-' || number;
    perform set_config(
      'convoy.next_key', concat_ws(' ', new.milestone_id, of_prefix, number + 1, new.workspace_id), true);
  end if;
  return new;
end
$$;
create trigger b_key before insert on public.tasks
  for each row execute function convoy.give_task_key();

create function convoy.store_keys() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform convoy.store_next_key();
  return null;
end
$$;
create trigger c_keys after insert on public.tasks
  for each statement execute function convoy.store_keys();

-- A key is kept for life: through moves, and where the project's key changes.
create function convoy.keep_task_key() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  raise exception 'The key of a task never changes.' using errcode = 'SN005', column = 'key';
end
$$;
create trigger b_key_kept before update on public.tasks
  for each row when (new.key is distinct from old.key)
  execute function convoy.keep_task_key();

-- The counters of a workspace go with it: its headstone keeps its id from being used again (P20).
create function convoy.end_keys() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  delete from convoy.key_counters c where c.workspace_id = old.id;
  return null;
end
$$;
create trigger d_keys after delete on public.workspaces
  for each row execute function convoy.end_keys();

-- The outcomes of a push, with the keys that were given: no row travels for them.
--   kinds: as kinds_of has them
create function convoy.tell_keys(changes convoy.change[], kinds text[], decided convoy.decision[]) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
begin
  if not kinds && '{insert tasks,insert projects,update projects}' then
    return decided;
  end if;
  return array(
    select row(d.position, case
        when k.key is null then d.outcome else d.outcome || jsonb_build_object('key', k.key) end, d.tell)::convoy.decision
    from unnest(decided) d
    left join (
      select c.position, g.key from unnest(changes) c
        cross join lateral (select t.key from public.tasks t where t.id = c.id offset 0) g
        where c.table_name = 'tasks' and c.op = 'insert'
      union all
      select c.position, g.key from unnest(changes) c
        cross join lateral (select p.key from public.projects p where p.id = c.id offset 0) g
        where c.table_name = 'projects' and (c.op = 'insert' or c.op = 'update' and c.payload ? 'key')
    ) k on k.position = d.position and d.outcome ->> 'outcome' = 'applied'
    order by d.position);
end
$$;

-- The live tasks that a reference may mean, of those that the caller may see, each with the name of its workspace: those with
-- this key, or whose id ends so; or the one with this id. At most 20, by creation. With the definer's rights, since a
-- policy would keep the index on the ends of ids from being used: it asks what the policy asks.
--   of_workspace: in this one alone
create function public.find_tasks(
  key text default null, id_ends text[] default null, task_id uuid default null, of_workspace uuid default null
) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  scopes constant uuid[] := array(
    select v from convoy.visible_scopes() v where find_tasks.of_workspace is null or v = find_tasks.of_workspace);
  hits constant uuid[] := array(
    select t.id from public.tasks t where t.id = find_tasks.task_id
    union
    select t.id from unnest(scopes) s (id) join public.tasks t on t.workspace_id = s.id and t.key = find_tasks.key
    union
    select t.id from public.tasks t where right(t.id::text, 9) = any (find_tasks.id_ends));
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
        'task', public.as_entity(to_jsonb(f)), 'workspace_name', w.name) order by f.created_at, f.id), '[]')
    from (
      select t.* from public.tasks t
      where t.id = any (hits) and t.deleted_at is null and t.workspace_id = any (scopes)
        and not (t.workspace_id in (select convoy.unsettled_scopes()) and convoy.hidden_by('tasks', t.id) is not null)
      order by t.created_at, t.id limit 20
    ) f
    join public.workspaces w on w.id = f.workspace_id and w.deleted_at is null);
end
$$;

revoke all on function public.find_tasks(text, text[], uuid, uuid) from public, anon, authenticated;
grant execute on function public.find_tasks(text, text[], uuid, uuid) to authenticated, service_role;
revoke execute on all functions in schema convoy from public;
