-- Agents that people make, and short keys of projects and tasks. What there is gets its keys here, in the order in which it was
-- made, and no new revision: devices that were upgraded fetch them by a refill (P14), others do not know them.

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
alter table public.projects add constraint projects_key_length check (char_length(key) <= 10);
alter table public.tasks add constraint tasks_key_length check (char_length(key) <= 24);

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
      -- So does no agent that a person made: it is made anew (A5).
      and m.made_by is null
      -- A membership that was made anew stands.
      and not exists (
        select from public.workspace_members l
        where l.workspace_id = scope and l.user_id = m.user_id and l.deleted_at is null)
    order by m.user_id, m.deleted_at desc, m.id);
end
$$;

create or replace function convoy.decide_permission(changes convoy.change[], roles jsonb) returns convoy.decision[]
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
    'outcomes', (select coalesce(jsonb_agg(d.outcome order by d.position), '[]') from unnest(convoy.tell_keys(changes, kinds, decided)) d),
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

create or replace function convoy.kind_of(column_name text) returns text language sql immutable return
  case
    when column_name in ('name', 'title', 'current_stage', 'status', 'priority', 'role', 'entity_type', 'pattern_type',
      'category') then 'line'
    when column_name = 'key' then 'key'
    when column_name = 'target_date' then 'day'
    when column_name in ('claimed_until', 'completion_date', 'restored_at') then 'time'
    when column_name = 'sort_order' then 'number'
    when column_name in ('description', 'overview', 'requirements', 'activity_type') then 'text'
    when column_name in ('stages', 'tech_stack', 'details', 'content') then 'json'
    else 'any'
  end;

create or replace function convoy.sound_value(column_name text, given jsonb, out sound jsonb, out code text, out message text)
language plpgsql stable set search_path = '' as $$
declare
  kind constant text := convoy.kind_of(column_name);
  spelled constant text := given #>> '{}';
  line text;
  instant timestamptz;
begin
  sound := given;
  if kind = 'json' then
    -- The tables take twice as much, since they count it as PostgreSQL prints it.
    if convoy.sent_bytes(given) > 65536 then
      code := 'too_long';
      message := 'The value is too long.';
    end if;
  elsif jsonb_typeof(given) <> (case kind when 'number' then 'number' else 'string' end) then
    code := 'invalid_value';
    message := 'The value is not of the type of its column.';
  elsif kind = 'line' then
    line := convoy.trimmed(spelled);
    sound := to_jsonb(line);
    if column_name <> 'entity_type' and convoy.is_blank(line) then
      code := 'invalid_value';
      message := 'A value is required that can be seen.';
    -- The workflow is asked for the stage before the table's own checks.
    elsif column_name = 'current_stage' and char_length(line) > 64 then
      code := 'too_long';
      message := 'The value is too long.';
    end if;
  elsif kind = 'key' then
    line := translate(convoy.trimmed(spelled), 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ');
    sound := to_jsonb(line);
    if line !~ '^[A-Z][A-Z0-9]{0,9}(-[1-9][0-9]{0,9})?$' then
      code := 'invalid_value';
      message := 'A key begins with a letter, and has at most 10 letters and digits.';
    end if;
  elsif kind in ('time', 'day') then
    instant := convoy.moment_of(spelled);
    if kind = 'day' then
      instant := convoy.day_of(instant);
    end if;
    if instant is null then
      code := 'invalid_value';
      message := 'The value must be a time in ISO 8601 with its time zone, within the years 1 and 9999.';
    elsif instant <> spelled::timestamptz then
      sound := to_jsonb(to_char(instant at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'));
    end if;
  end if;
end
$$;

create or replace function convoy.insert_known(target regclass, given jsonb) returns void
language plpgsql set search_path = '' as $$
declare
  columns constant text := (
    select string_agg(quote_ident(a.attname), ', ') from pg_catalog.pg_attribute a
    where a.attrelid = target and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and given ? a.attname::text);
begin
  execute format('insert into %1$s (%2$s) select %2$s from jsonb_populate_record(null::%1$s, $1)', target, columns)
    using given;
end
$$;

create or replace function convoy.hash_secret(secret text) returns text
language plpgsql set search_path = '' as $$
declare
  place constant text := (
    select quote_ident(n.nspname) from pg_catalog.pg_extension e
    join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'pgcrypto');
  result text;
begin
  if place is null then
    raise exception 'The extension pgcrypto is not installed.' using errcode = '0A000';
  end if;
  execute format('select %1$s.crypt($1, %1$s.gen_salt(''bf'', 6))', place) into result using secret;
  return result;
end
$$;

create or replace function convoy.insert_agent(agent uuid, address text, agent_name text, secret text) returns void
language plpgsql set search_path = '' as $$
declare
  tokens constant jsonb := coalesce((
    select jsonb_object_agg(a.attname, '') from pg_catalog.pg_attribute a
    where a.attrelid = 'auth.users'::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      and a.atttypid in ('text'::regtype, 'varchar'::regtype)
      and (a.attname like '%\_token' or a.attname like '%\_token\_%' or a.attname like '%\_change')), '{}');
begin
  perform convoy.insert_known('auth.users', tokens || jsonb_build_object(
    'instance_id', '00000000-0000-0000-0000-000000000000',
    'id', agent,
    'aud', 'authenticated',
    'role', 'authenticated',
    'email', address,
    'encrypted_password', convoy.hash_secret(secret),
    'email_confirmed_at', now(),
    'raw_app_meta_data', jsonb_build_object('provider', 'email', 'providers', array['email'], 'kind', 'agent'),
    'raw_user_meta_data', jsonb_build_object('display_name', agent_name),
    'is_sso_user', false,
    'is_anonymous', false,
    'created_at', now(),
    'updated_at', now()));
  if to_regclass('auth.identities') is not null then
    perform convoy.insert_known(to_regclass('auth.identities'), jsonb_build_object(
      'id', agent,
      'user_id', agent,
      'provider', 'email',
      'provider_id', agent,
      'identity_data', jsonb_build_object(
        'sub', agent, 'email', address, 'email_verified', true, 'phone_verified', false),
      'last_sign_in_at', now(),
      'created_at', now(),
      'updated_at', now()));
  end if;
end
$$;

create or replace function convoy.is_maker(scope uuid, person uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.workspace_members m
    join public.profiles p on p.id = m.user_id
    join public.workspaces w on w.id = m.workspace_id and w.deleted_at is null
    where m.workspace_id = scope and m.user_id = person and m.deleted_at is null and m.role in ('owner', 'editor')
      and p.kind = 'human')
$$;

create or replace function convoy.lock_own_agent(member uuid) returns public.workspace_members
language plpgsql volatile security definer set search_path = '' as $$
declare
  found_member public.workspace_members;
begin
  perform from convoy.scope_clocks c
    where c.scope_id = (select m.workspace_id from public.workspace_members m where m.id = member) for update;
  select m.* into found_member from public.workspace_members m
    where m.id = member and m.deleted_at is null and m.kind = 'agent'
      and convoy.is_maker(m.workspace_id, auth.uid())
      and (m.made_by = auth.uid() or convoy.role_in(m.workspace_id) = 'owner');
  return found_member;
end
$$;

create or replace function public.create_agent(workspace_id uuid, name text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  most_agents constant integer := 200;
  agent constant uuid := gen_random_uuid();
  address constant text := 'agent-' || agent || '@agents.convoy.invalid';
  -- Of two random UUIDs; a capital letter, small ones and a hyphen satisfy rules for passwords.
  secret constant text := 'Convoy-' || left(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 48);
  agent_name constant text := convoy.trimmed(create_agent.name);
  member public.workspace_members;
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  if agent_name is null or convoy.is_blank(agent_name) or char_length(agent_name) > 200 then
    return convoy.failure('malformed', 'name must be a text of 1 to 200 characters.');
  end if;
  perform from convoy.scope_clocks c where c.scope_id = create_agent.workspace_id for update;
  if not convoy.is_maker(create_agent.workspace_id, auth.uid()) then
    return convoy.failure('forbidden');
  end if;
  if most_agents <= (
    select count(*) from public.workspace_members m
    where m.workspace_id = create_agent.workspace_id and m.made_by is not null and m.deleted_at is null)
  then
    return convoy.failure('too_many', 'A workspace has at most ' || most_agents || ' agents that people made.');
  end if;
  begin
    perform convoy.insert_agent(agent, address, agent_name, secret);
    if not exists (select from public.profiles p where p.id = agent and p.kind = 'agent') then
      raise exception 'The user is no agent.' using errcode = '0A000';
    end if;
  exception
    -- What passes by itself fails the call.
    when transaction_rollback or insufficient_resources or operator_intervention then raise;
    when others then return convoy.failure('auth_changed', sqlstate);
  end;
  insert into public.workspace_members as m (id, workspace_id, user_id, role, made_by)
    values (gen_random_uuid(), create_agent.workspace_id, agent, 'agent', auth.uid())
    returning m.* into member;
  return jsonb_build_object('member', public.as_entity(to_jsonb(member)), 'email', address, 'secret', secret);
end
$$;

create or replace function convoy.end_sessions(person uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if to_regclass('auth.sessions') is not null and not exists (
    select from public.workspace_members m where m.user_id = person and m.deleted_at is null)
  then
    execute 'delete from auth.sessions s where s.user_id = $1' using person;
  end if;
end
$$;

create or replace function public.revoke_agent(member_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  member public.workspace_members;
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  member := convoy.lock_own_agent(revoke_agent.member_id);
  if member.id is null then
    return convoy.failure('not_found');
  end if;
  update public.workspace_members m set deleted_at = now() where m.id = member.id;
  perform convoy.end_sessions(member.user_id);
  return jsonb_build_object('member_id', member.id);
end
$$;

create or replace function public.pause_agent(member_id uuid, paused boolean) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  member public.workspace_members;
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  member := convoy.lock_own_agent(pause_agent.member_id);
  if member.id is null then
    return convoy.failure('not_found');
  end if;
  if pause_agent.paused is distinct from (member.paused_at is not null) then
    update public.workspace_members m set paused_at = case when pause_agent.paused then now() end
      where m.id = member.id returning m.* into member;
  end if;
  return jsonb_build_object('member', public.as_entity(to_jsonb(member)));
end
$$;

create or replace function convoy.paused_scopes() returns setof uuid
language sql stable security definer set search_path = '' as $$
  select m.workspace_id from public.workspace_members m
    where m.user_id = (select auth.uid()) and m.deleted_at is null and m.paused_at is not null
$$;

create or replace function convoy.end_agents_of_maker() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  ended uuid[];
  agent uuid;
begin
  with ending as (
    update public.workspace_members a set deleted_at = now()
      where a.workspace_id = new.workspace_id and a.made_by = new.user_id and a.deleted_at is null
      returning a.user_id
  )
  select array_agg(e.user_id order by e.user_id) into ended from ending e;
  foreach agent in array coalesce(ended, '{}') loop
    perform convoy.end_sessions(agent);
  end loop;
  return null;
end
$$;

create or replace function convoy.most_keys_lost() returns bigint language sql immutable set search_path = ''
  return 100000;

create or replace function convoy.project_key_of(name text) returns text language sql immutable
  return coalesce(substring(translate(
      regexp_replace(normalize(name, nfkd), U&'[\0300-\036f]', '', 'g'),
      'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')
    from '[A-Z][A-Z0-9]{0,9}'), 'P');

create or replace function convoy.give_project_key() returns trigger
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

create or replace function convoy.store_next_key() returns void
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

create or replace function convoy.take_number(scope uuid, of_prefix text, number bigint) returns boolean
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

create or replace function convoy.give_task_key() returns trigger
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

create or replace function convoy.store_keys() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform convoy.store_next_key();
  return null;
end
$$;

create or replace function convoy.keep_task_key() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  raise exception 'The key of a task never changes.' using errcode = 'SN005', column = 'key';
end
$$;

create or replace function convoy.end_keys() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  delete from convoy.key_counters c where c.workspace_id = old.id;
  return null;
end
$$;

create or replace function convoy.tell_keys(changes convoy.change[], kinds text[], decided convoy.decision[]) returns convoy.decision[]
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

create or replace function public.find_tasks(
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

revoke all on function convoy.insert_known(regclass,jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.hash_secret(text) from public, anon, authenticated, service_role;
revoke all on function convoy.insert_agent(uuid,text,text,text) from public, anon, authenticated, service_role;
revoke all on function convoy.is_maker(uuid,uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.lock_own_agent(uuid) from public, anon, authenticated, service_role;
revoke all on function public.create_agent(uuid,text) from public, anon, authenticated, service_role;
grant execute on function public.create_agent(uuid,text) to authenticated, service_role;
revoke all on function convoy.end_sessions(uuid) from public, anon, authenticated, service_role;
revoke all on function public.revoke_agent(uuid) from public, anon, authenticated, service_role;
grant execute on function public.revoke_agent(uuid) to authenticated, service_role;
revoke all on function public.pause_agent(uuid,boolean) from public, anon, authenticated, service_role;
grant execute on function public.pause_agent(uuid,boolean) to authenticated, service_role;
revoke all on function convoy.paused_scopes() from public, anon, authenticated, service_role;
revoke all on function convoy.end_agents_of_maker() from public, anon, authenticated, service_role;
revoke all on function convoy.most_keys_lost() from public, anon, authenticated, service_role;
revoke all on function convoy.project_key_of(text) from public, anon, authenticated, service_role;
revoke all on function convoy.give_project_key() from public, anon, authenticated, service_role;
revoke all on function convoy.store_next_key() from public, anon, authenticated, service_role;
revoke all on function convoy.take_number(uuid,text,bigint) from public, anon, authenticated, service_role;
revoke all on function convoy.give_task_key() from public, anon, authenticated, service_role;
revoke all on function convoy.store_keys() from public, anon, authenticated, service_role;
revoke all on function convoy.keep_task_key() from public, anon, authenticated, service_role;
revoke all on function convoy.end_keys() from public, anon, authenticated, service_role;
revoke all on function convoy.tell_keys(convoy.change[],text[],convoy.decision[]) from public, anon, authenticated, service_role;
revoke all on function public.find_tasks(text,text[],uuid,uuid) from public, anon, authenticated, service_role;
grant execute on function public.find_tasks(text,text[],uuid,uuid) to authenticated, service_role;

-- Keys of what is there. The stamps rest meanwhile, so that no row is news.
alter table public.projects disable trigger user;
create trigger b_key_of_new before insert on public.projects
  for each row execute function convoy.give_project_key();
create trigger b_key before update on public.projects
  for each row when (new.key is distinct from old.key)
  execute function convoy.give_project_key();
create unique index projects_key on public.projects (key, workspace_id);
do $$
declare
  project record;
begin
  for project in
    select p.id, convoy.project_key_of(p.name) as wanted from public.projects p where p.key is null
    order by p.workspace_id, p.created_at, p.id
  loop
    update public.projects p set key = project.wanted where p.id = project.id;
  end loop;
end
$$;
alter table public.projects enable trigger user;

alter table public.tasks disable trigger user;
update public.tasks t set key = n.key || '-' || n.number
  from (
    select t.id, p.key, row_number() over (partition by p.id order by t.created_at, t.id) as number
    from public.tasks t
    join public.milestones m on m.id = t.milestone_id
    join public.projects p on p.id = m.project_id
  ) n
  where n.id = t.id and t.key is null;
alter table public.tasks enable trigger user;
insert into convoy.key_counters (workspace_id, prefix, last)
  select t.workspace_id, split_part(t.key, '-', 1), max(split_part(t.key, '-', 2)::bigint)
  from public.tasks t where t.key is not null group by 1, 2;
create unique index tasks_key on public.tasks (key, workspace_id);
create index tasks_id_end on public.tasks (right(id::text, 9));

create trigger b_key before insert on public.tasks
  for each row execute function convoy.give_task_key();
create trigger c_keys after insert on public.tasks
  for each statement execute function convoy.store_keys();
create trigger b_key_kept before update on public.tasks
  for each row when (new.key is distinct from old.key)
  execute function convoy.keep_task_key();
create trigger d_keys after delete on public.workspaces
  for each row execute function convoy.end_keys();
create trigger d_agents after update on public.workspace_members
  for each row
  when (old.deleted_at is null and old.kind = 'human' and old.role in ('owner', 'editor')
    and (new.deleted_at is not null or new.kind <> 'human' or new.role not in ('owner', 'editor')))
  execute function convoy.end_agents_of_maker();

update convoy.served_versions set protocol = 7;
