-- Pokes (rules K1 to K4): broadcasts on private channels that a scope has advanced, or that a membership has
-- come or gone. A poke is a hint of a few bytes; devices pull the data.

-- Sends a poke. The write that caused it goes on, whatever is wrong with realtime (its schema missing, its
-- partition, its grants): the devices' timers find the change later (K3).
create function convoy.poke(payload jsonb, event text, topic text) returns void
language plpgsql security definer set search_path = '' as $$
begin
  perform realtime.send(payload, event, topic, true);
exception when others then
  raise warning 'The poke to % was not sent: % (%)', topic, sqlerrm, sqlstate;
end
$$;

-- A clock is bumped once in a transaction, so this is one poke for each transaction and scope. It is sent
-- when the transaction commits, since realtime.send does no more than write a row (or queue a notification).
create function convoy.poke_scope() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform convoy.poke(
    jsonb_build_object('revision', new.revision), 'advanced', 'workspace:' || new.scope_id);
  return null;
end
$$;
create trigger poke_scope after update of revision on convoy.scope_clocks
  for each row when (new.revision <> old.revision) execute function convoy.poke_scope();

-- The channel of a workspace does not reach a new member, who has not joined it yet.
create function convoy.poke_member() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform convoy.poke(
    jsonb_build_object('scope', new.workspace_id, 'member', new.deleted_at is null),
    'membership', 'user:' || new.user_id);
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

revoke execute on function convoy.poke(jsonb, text, text) from public;
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
