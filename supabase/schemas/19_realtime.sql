-- Pokes (rules K1 to K4, K7): broadcasts on private channels that a scope has advanced, or that a membership has
-- come or gone. A poke is a hint of a few bytes; devices pull the data.

-- Sends a poke on each of these topics. The write that caused it goes on, whatever is wrong with realtime (its schema
-- missing, its partition, its grants): the devices' timers find the change later (K3).
create function convoy.poke(payload jsonb, event text, topics text[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
  perform realtime.send(payload, event, t, true) from unnest(topics) t;
exception when others then
  raise warning 'The pokes to % were not sent: % (%)', topics[1], sqlerrm, sqlstate;
end
$$;

-- A client has 100 channels. Members of more workspaces than this get the pokes of each on their own topic as well. Devices
-- listen there alone from 90 workspaces on (src/lib/supabase/pokes.ts), so that between the two, while the number goes up or
-- down, a poke arrives twice rather than never. Tests replace it.
create function convoy.most_scope_topics() returns integer language sql immutable set search_path = ''
  return 80;

-- The users who are members of more workspaces than that, or were when the purge counted last. They are few, so that a commit
-- finds those of its workspace without counting anybody's memberships.
create table convoy.users_of_many_scopes (
  user_id uuid primary key
);
alter table convoy.users_of_many_scopes enable row level security;
grant select on convoy.users_of_many_scopes to service_role;

-- Whether a user is a member of so many.
create function convoy.has_many_scopes(of_user uuid) returns boolean
language sql stable set search_path = '' as $$
  select convoy.most_scope_topics() < (
    select count(*) from (
      select from public.workspace_members m
      where m.user_id = of_user and m.deleted_at is null limit convoy.most_scope_topics() + 1) m)
$$;

-- Notes a user who has come to so many. Two memberships that come at the same moment may not see each other; the next one puts
-- that right, and the devices' threshold leaves room for ten of them. So does a note that somebody else holds: transactions
-- add members in any order, and none may wait for the other for long, or fail for it (K3). Nothing is deleted here, for the
-- same reason: a user who stays noted for too long gets a poke twice.
create function convoy.count_scopes(of_user uuid) returns void
language plpgsql security definer set search_path = '' set lock_timeout = '100ms' as $$
begin
  if convoy.has_many_scopes(of_user) then
    insert into convoy.users_of_many_scopes (user_id) values (of_user) on conflict do nothing;
  end if;
exception when others then
  raise warning 'The workspaces of % were not counted: % (%)', of_user, sqlerrm, sqlstate;
end
$$;

-- Counts again for some of those who are noted, and forgets who has fewer by now: the purge calls it.
create function convoy.recount_scopes() returns void
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

-- A clock is bumped once in a transaction, so this is one poke for each transaction and scope, and one for each member
-- of many workspaces; of a workspace with more such members than 100, the rest have it from their timers: others each time.
-- It is sent when the transaction commits, since realtime.send does no more than write a row (or queue a notification).
create function convoy.poke_scope() returns trigger
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
create trigger poke_scope after update of revision on convoy.scope_clocks
  for each row when (new.revision <> old.revision) execute function convoy.poke_scope();

-- The channel of a workspace does not reach a new member, who has not joined it yet.
create function convoy.poke_member() returns trigger
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
create trigger d_poke_gained after insert on public.workspace_members
  for each row when (new.deleted_at is null) execute function convoy.poke_member();
create trigger d_poke_changed after update on public.workspace_members
  for each row when ((new.deleted_at is null) <> (old.deleted_at is null))
  execute function convoy.poke_member();

-- The topics the caller may listen to: those of the scopes they may see, and their own.
create function convoy.visible_topics() returns setof text
language sql stable security definer set search_path = '' as $$
  select 'workspace:' || v.scope from convoy.visible_scopes() as v (scope)
  union all
  select 'user:' || (select auth.uid()) where (select auth.uid()) is not null
$$;

-- The heads of scopes whose topics a device cannot join, so that it polls these alone (K7): {user_id, server_time, heads},
-- where heads has the revision of each scope of the request that the caller may see; without `scopes`, of all of them.
create function public.sync_heads(request jsonb) returns jsonb
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

revoke all on function public.sync_heads(jsonb) from public, anon, authenticated;
grant execute on function public.sync_heads(jsonb) to authenticated;
revoke execute on function convoy.poke(jsonb, text, text[]) from public;
revoke execute on function convoy.most_scope_topics() from public;
revoke execute on function convoy.has_many_scopes(uuid) from public;
revoke execute on function convoy.count_scopes(uuid) from public;
revoke execute on function convoy.recount_scopes() from public;
revoke execute on function convoy.poke_scope() from public;
revoke execute on function convoy.poke_member() from public;
revoke execute on function convoy.visible_topics() from public;
grant execute on function convoy.visible_topics() to authenticated, service_role;

-- Realtime checks this policy when a user joins a channel, and again when their token is renewed (K4). There is
-- none for writing: only the database sends. Without the schema `realtime` there is nothing to join.
do $$
begin
  if to_regclass('realtime.messages') is null then
    raise notice 'There is no schema realtime: devices will not be poked.';
    return;
  end if;
  execute $policy$
    create policy convoy_members_listen on realtime.messages for select to authenticated
      using (extension = 'broadcast' and (select realtime.topic()) in (select convoy.visible_topics()))
  $policy$;
end
$$;
