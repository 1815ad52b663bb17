-- Members of more than 80 workspaces are poked on their own topic, since a client has 100 channels (K1), and a device polls the
-- heads of scopes whose topics it is refused (K7). A deleted workspace that was purged is no scope any more (P20); the ledger
-- holds 200 devices of a user (U2), and of each scope a million purged tags are kept (P16).

create table convoy.users_of_many_scopes (
  user_id uuid primary key
);
alter table convoy.users_of_many_scopes enable row level security;
grant select on convoy.users_of_many_scopes to service_role;
insert into convoy.users_of_many_scopes (user_id)
  select m.user_id from public.workspace_members m where m.deleted_at is null group by m.user_id having count(*) > 80;

create index devices_user_id on convoy.devices (user_id);

alter table convoy.scope_clocks
  add column raised_at timestamptz,
  add column buried boolean not null default false;
create index scope_clocks_in_use on convoy.scope_clocks (scope_id) where not buried;

drop function convoy.poke(jsonb,text,text);
drop function convoy.raise_horizons(interval);
drop function convoy.erase_tombstones(bigint);
drop function convoy.count_erasable();
drop function convoy.take_waiting_steps();

create or replace function convoy.decide_headstones(changes convoy.change[]) returns convoy.decision[]
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

create or replace function convoy.poke(payload jsonb, event text, topics text[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
  perform realtime.send(payload, event, t, true) from unnest(topics) t;
exception when others then
  raise warning 'The pokes to % were not sent: % (%)', topics[1], sqlerrm, sqlstate;
end
$$;

create or replace function convoy.most_scope_topics() returns integer language sql immutable
  return 80;

create or replace function convoy.has_many_scopes(of_user uuid) returns boolean
language sql stable set search_path = '' as $$
  select convoy.most_scope_topics() < (
    select count(*) from (
      select from public.workspace_members m
      where m.user_id = of_user and m.deleted_at is null limit convoy.most_scope_topics() + 1) m)
$$;

create or replace function convoy.count_scopes(of_user uuid) returns void
language plpgsql security definer set search_path = '' set lock_timeout = '100ms' as $$
begin
  if convoy.has_many_scopes(of_user) then
    insert into convoy.users_of_many_scopes (user_id) values (of_user) on conflict do nothing;
  end if;
exception when others then
  raise warning 'The workspaces of % were not counted: % (%)', of_user, sqlerrm, sqlstate;
end
$$;

create or replace function convoy.recount_scopes() returns void
language plpgsql set search_path = '' as $$
declare
  few constant integer := 1000;
begin
  with picked as materialized (
    select u.user_id from convoy.users_of_many_scopes u order by random() limit few for update skip locked
  )
  delete from convoy.users_of_many_scopes u using picked p
    where u.user_id = p.user_id and not convoy.has_many_scopes(p.user_id);
end
$$;

create or replace function convoy.poke_scope() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  most_users constant integer := 100;
  topics text[];
begin
  perform convoy.poke(
    jsonb_build_object('revision', new.revision), 'advanced', array['workspace:' || new.scope_id]);
  begin
    topics := array(
      select 'user:' || m.user_id
      from public.workspace_members m join convoy.users_of_many_scopes u on u.user_id = m.user_id
      where m.workspace_id = new.scope_id and m.deleted_at is null
      order by hashtextextended(m.user_id::text, new.revision)
      limit most_users);
    if cardinality(topics) > 0 then
      perform convoy.poke(
        jsonb_build_object('scope', new.scope_id, 'revision', new.revision), 'advanced', topics);
    end if;
  exception when others then
    raise warning 'Who listens for % was not found: % (%)', new.scope_id, sqlerrm, sqlstate;
  end;
  return null;
end
$$;

create or replace function convoy.poke_member() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.deleted_at is null then
    perform convoy.count_scopes(new.user_id);
  end if;
  perform convoy.poke(
    jsonb_build_object('scope', new.workspace_id, 'member', new.deleted_at is null),
    'membership', array['user:' || new.user_id]);
  return null;
end
$$;

create or replace function public.sync_heads(request jsonb) returns jsonb
language plpgsql stable security definer
set search_path = ''
set timezone = 'UTC'
set statement_timeout = '8s'
as $$
declare
  refusal constant jsonb := convoy.refuse_request(request);
  named constant jsonb := nullif(request -> 'scopes', 'null');
  most_named constant integer := 1000;
begin
  if refusal is not null then
    return refusal;
  end if;
  if named is not null and (jsonb_typeof(named) <> 'array' or jsonb_array_length(named) > most_named) then
    return convoy.failure('malformed', 'scopes must be a list of at most ' || most_named || ' ids.');
  end if;
  return jsonb_build_object(
    'user_id', auth.uid(), 'server_time', now(),
    'heads', (
      select coalesce(jsonb_object_agg(c.scope_id, c.revision), '{}')
      from convoy.visible_scopes() v (scope) join convoy.scope_clocks c on c.scope_id = v.scope
      where named is null or named ? v.scope::text));
end
$$;

create or replace function convoy.most_tags() returns integer language sql immutable
  return 1000000;

create or replace function convoy.was_in_history(scope uuid, at bigint, at_tag text) returns boolean
language sql stable set search_path = '' as $$
  select exists (
    select from convoy.purged_tags p
    join convoy.scope_clocks c on c.scope_id = p.scope_id
    cross join lateral (select 4 * (at - c.purged_to) + octet_length(p.tags) as start) place
    where p.scope_id = scope and at < c.purged_to
      and case when place.start >= 0
        then encode(substring(p.tags from place.start::integer + 1 for 4), 'hex') = left(at_tag, 8)
        else scope in (select convoy.visible_scopes()) end)
$$;

create or replace function convoy.raise_horizon(scope uuid, head bigint) returns void
language plpgsql set search_path = '' as $$
declare
  most_bytes constant integer := 4 * convoy.most_tags();
begin
  update convoy.scope_clocks c set purged_to = head, raised_at = now() where c.scope_id = scope;
  insert into convoy.purged_tags as p (scope_id, tags)
    select scope, string_agg(decode(left(r.tag, 8), 'hex'), ''::bytea order by r.revision)
    from convoy.scope_revisions r where r.scope_id = scope and r.revision < head
    having count(*) > 0
    on conflict (scope_id) do update
      set tags = substring(p.tags || excluded.tags
        from greatest(1, octet_length(p.tags) + octet_length(excluded.tags) - most_bytes + 1));
  delete from convoy.scope_revisions r where r.scope_id = scope and r.revision < head;
  -- Deletions whose rows are to be erased are no longer offered for restoring. Devices learn that from a tombstone.
  update public.deletions d set deleted_at = now()
    where d.workspace_id = scope and d.deleted_at is null and d.revision <= head;
end
$$;

create or replace function convoy.bury_workspaces(most bigint, until timestamptz) returns bigint
language plpgsql set search_path = '' as $$
declare
  grave record;
  is_over boolean;
  in_grave bigint;
  ended bigint := 0;
  waiting bigint := 0;
begin
  for grave in
    select w.id from public.workspaces w join convoy.scope_clocks c on c.scope_id = w.id
    where w.deleted_at is not null and w.revision <= c.purged_to
      and exists (select from public.workspace_members m where m.workspace_id = w.id and m.deleted_at is null)
      and not exists (select from convoy.unfinished_deletions u where u.workspace_id = w.id)
      and not exists (
        select from public.deletions d where d.id = w.deletion_id and d.deleted_at is null and d.restored_at is null)
    order by w.id
  loop
    is_over := ended >= most or ended > 0 and clock_timestamp() > until;
    if not is_over then
      perform from convoy.scope_clocks c where c.scope_id = grave.id for update skip locked;
    end if;
    if is_over or not found then
      waiting := waiting + 1;
      continue;
    end if;
    update public.workspace_members m set deleted_at = now()
      where m.id in (
        select x.id from public.workspace_members x where x.workspace_id = grave.id and x.deleted_at is null
        limit most - ended)
        -- It may have been restored meanwhile.
        and exists (select from public.workspaces w where w.id = grave.id and w.deleted_at is not null);
    get diagnostics in_grave = row_count;
    ended := ended + in_grave;
    if exists (select from public.workspace_members m where m.workspace_id = grave.id and m.deleted_at is null) then
      waiting := waiting + 1;
    end if;
  end loop;
  return waiting;
end
$$;

create or replace function convoy.is_empty_grave() returns text
language sql stable set search_path = '' as $$
  select 'w.deleted_at is not null and c.revision <= c.purged_to'
    || string_agg(format(' and not exists (select from public.%I t where t.workspace_id = w.id offset 0)', t.name), '')
  from convoy.synced_tables t where t.name <> 'workspaces'
$$;

create or replace function convoy.erase_workspaces(most bigint) returns bigint
language plpgsql set search_path = '' as $$
declare
  graves uuid[];
begin
  execute format(
    'select array(
       select w.id from public.workspaces w join convoy.scope_clocks c on c.scope_id = w.id
       where %s limit $1 for update of c skip locked)',
    convoy.is_empty_grave()) into graves using most;
  delete from public.invitations i where i.workspace_id = any (graves);
  delete from public.workspaces w where w.id = any (graves);
  update convoy.scope_clocks c set buried = true where c.scope_id = any (graves);
  return (cardinality(graves) >= most)::integer;
end
$$;

create or replace function convoy.grace(horizon interval) returns interval language sql immutable
  return least(interval '1 day', horizon / 180);

create or replace function convoy.most_raised() returns integer language sql immutable
  return 20000;

create or replace function convoy.waiting_scopes(horizon interval)
returns table (scope_id uuid, purged_to bigint, raised_at timestamptz, oldest timestamptz)
language sql stable set search_path = '' as $$
  select c.scope_id, c.purged_to, c.raised_at, above.created_at
  from convoy.scope_clocks c
  cross join lateral (
    select r.created_at from convoy.scope_revisions r
    where r.scope_id = c.scope_id and r.revision > c.purged_to order by r.revision limit 1
  ) above
  where not c.buried and above.created_at < now() - horizon - convoy.grace(horizon)
$$;

create or replace function convoy.raise_horizons(horizon interval, until timestamptz) returns bigint
language plpgsql set search_path = '' as $$
declare
  most_scopes constant integer := 500;
  most_revisions constant integer := convoy.most_raised();
  old record;
  head bigint;
  waiting bigint := 0;
  raised integer := 0;
begin
  for old in select * from convoy.waiting_scopes(horizon) w order by w.raised_at nulls first, w.scope_id loop
    waiting := waiting + 1;
    if raised < most_scopes and (raised = 0 or clock_timestamp() < until) then
      perform from convoy.scope_clocks c
        where c.scope_id = old.scope_id and c.purged_to = old.purged_to for update skip locked;
      if found then
        select max(x.revision) into head
          from (
            select r.revision, r.created_at from convoy.scope_revisions r
            where r.scope_id = old.scope_id and r.revision > old.purged_to order by r.revision limit most_revisions
          ) x
          where x.created_at < now() - horizon;
        perform convoy.raise_horizon(old.scope_id, head);
        raised := raised + 1;
      end if;
    end if;
  end loop;
  return waiting;
end
$$;

create or replace function convoy.erase_tombstones(most bigint, until timestamptz) returns bigint
language plpgsql set search_path = '' set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
set jit = off as $$
declare
  slice constant bigint := 2000;
  t record;
  -- Rows of the same table that erased ones named. A chain of subtasks frees one with each slice, so these are looked at
  -- before the table is searched again.
  named uuid[];
  searches boolean;
  candidates text;
  erased bigint := 0;
  in_slice bigint;
begin
  for t in
    select s.name, convoy.erasable(s.name) as condition, (
        select coalesce(string_agg(format('t.%I', c.name), ', '), '') from convoy.synced_columns c
        where c.table_name = s.name and c.refers_to = s.name) as names
    from convoy.synced_tables s where s.name <> 'workspaces' order by s.position desc
  loop
    named := '{}';
    loop
      if erased >= most or erased > 0 and clock_timestamp() > until then
        return 1;
      end if;
      searches := cardinality(named) = 0;
      candidates := case when searches
        then 'select t.id from convoy.scope_clocks s
               cross join lateral (select t.id from public.%1$I t where %2$s limit $1) t
               where s.purged_to > 0 and not s.buried limit $1'
        else 'select t.id from unnest($2) n (id)
               cross join lateral (select * from public.%1$I t where t.id = n.id offset 0) t
               cross join lateral (select * from convoy.scope_clocks s where s.scope_id = t.workspace_id offset 0) s
               where %2$s limit $1' end;
      -- The condition is checked again on each row: it may have been restored meanwhile.
      execute format(
        'with gone as (
           delete from public.%1$I t using (' || candidates || ') x
           where t.id = x.id and t.deleted_at is not null
           returning array[%3$s]::uuid[] as names
         )
         select (select count(*) from gone),
           array(select distinct n.id from gone cross join unnest(gone.names) n (id) where n.id is not null)',
        t.name, t.condition, t.names)
        into in_slice, named using least(slice, most - erased), named;
      erased := erased + in_slice;
      exit when searches and in_slice = 0;
    end loop;
  end loop;
  return 0;
end
$$;

create or replace function convoy.erase_ledgers(horizon interval, most bigint) returns bigint
language plpgsql set search_path = '' as $$
declare
  grace constant interval := convoy.grace(horizon);
  kept_from constant timestamptz := coalesce(
    (select min(w.oldest) from convoy.waiting_scopes(horizon) w), now() - horizon - grace) - grace;
  in_table bigint;
  is_over boolean;
begin
  delete from convoy.devices d where d.device_id in (
    select x.device_id from convoy.devices x where x.updated_at < kept_from limit most for update skip locked);
  get diagnostics in_table = row_count;
  is_over := in_table < most;
  delete from convoy.conflicts k where k.ctid in (
    select x.ctid from convoy.conflicts x where x.occurred_at < now() - horizon limit most for update skip locked);
  get diagnostics in_table = row_count;
  is_over := is_over and in_table < most;
  delete from public.invitations i where i.id in (
    select x.id from public.invitations x where coalesce(x.accepted_at, x.expires_at) < now() - horizon limit most
    for update skip locked);
  get diagnostics in_table = row_count;
  return (not (is_over and in_table < most))::integer;
end
$$;

create or replace function convoy.take_waiting_steps(until timestamptz) returns void
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

create or replace function convoy.create_clock() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into convoy.scope_clocks (scope_id) values (new.id) on conflict do nothing;
  if not found then
    update convoy.scope_clocks c set buried = false where c.scope_id = new.id and c.buried;
  end if;
  return new;
end
$$;

create or replace function convoy.purge(horizon interval default interval '180 days') returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  most constant bigint := 50000;
  few constant bigint := 2000;
  waiting bigint;
begin
  perform set_config('convoy.purge', 'on', true);
  waiting := convoy.erase_tombstones(most, clock_timestamp() + interval '2 s');
  waiting := waiting + convoy.erase_workspaces(few) + convoy.erase_ledgers(horizon, most);
  perform set_config('convoy.purge', '', true);
  -- From here on clocks are locked until the end of the transaction, so what takes long is over, and what these free is erased
  -- by the next call.
  perform convoy.take_waiting_steps(clock_timestamp() + interval '1 s');
  waiting := waiting + convoy.raise_horizons(horizon, clock_timestamp() + interval '1 s');
  waiting := waiting + convoy.bury_workspaces(few, clock_timestamp() + interval '0.5 s');
  perform convoy.recount_scopes();
  return waiting + (select count(*) from convoy.unfinished_deletions);
end
$$;

create or replace function convoy.most_devices() returns integer language sql immutable
  return 200;

create or replace function convoy.is_new_device(device uuid) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return exists (select from convoy.devices d where d.device_id = device and d.batch = 0);
end
$$;

create or replace function convoy.is_in_doubt(device uuid, cursors convoy.cursor_position[]) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return convoy.most_devices() <= (
      select count(*) from convoy.devices d where d.user_id = auth.uid() and d.device_id <> device)
    and exists (
      select from unnest(cursors) k
      join convoy.scope_revisions r on r.scope_id = k.scope and r.revision > k.revision and r.author = auth.uid()
      where r.revision <> all (k.skip));
end
$$;

create or replace function convoy.make_room(device uuid) returns void
language sql set search_path = '' as $$
  delete from convoy.devices d where d.device_id in (
    select y.device_id from convoy.devices y
    where y.device_id in (
      select x.device_id from convoy.devices x
      where x.user_id = auth.uid() and x.device_id <> device
      order by x.updated_at desc offset convoy.most_devices() - 1)
    for update skip locked)
$$;

revoke all on function convoy.decide_headstones(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.poke(jsonb,text,text[]) from public, anon, authenticated, service_role;
revoke all on function convoy.most_scope_topics() from public, anon, authenticated, service_role;
revoke all on function convoy.has_many_scopes(uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.recount_scopes() from public, anon, authenticated, service_role;
revoke all on function convoy.count_scopes(uuid) from public, anon, authenticated, service_role;
revoke all on function public.sync_heads(jsonb) from public, anon, authenticated, service_role;
grant execute on function public.sync_heads(jsonb) to authenticated, service_role;
revoke all on function convoy.most_tags() from public, anon, authenticated, service_role;
revoke all on function convoy.grace(interval) from public, anon, authenticated, service_role;
revoke all on function convoy.most_raised() from public, anon, authenticated, service_role;
revoke all on function convoy.waiting_scopes(interval) from public, anon, authenticated, service_role;
revoke all on function convoy.raise_horizons(interval,timestamptz) from public, anon, authenticated, service_role;
revoke all on function convoy.erase_tombstones(bigint,timestamptz) from public, anon, authenticated, service_role;
revoke all on function convoy.take_waiting_steps(timestamptz) from public, anon, authenticated, service_role;
revoke all on function convoy.bury_workspaces(bigint,timestamptz) from public, anon, authenticated, service_role;
revoke all on function convoy.is_empty_grave() from public, anon, authenticated, service_role;
revoke all on function convoy.erase_workspaces(bigint) from public, anon, authenticated, service_role;
revoke all on function convoy.most_devices() from public, anon, authenticated, service_role;
revoke all on function convoy.is_new_device(uuid) from public, anon, authenticated, service_role;
revoke all on function convoy.is_in_doubt(uuid,convoy.cursor_position[]) from public, anon, authenticated, service_role;
revoke all on function convoy.make_room(uuid) from public, anon, authenticated, service_role;
