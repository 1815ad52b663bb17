-- Agents that people make (section 4 of docs/work-model.md): each is a user of its own, of the kind agent from the first
-- moment, and a member of one workspace.

-- Writes those of the values for which the table has columns: the tables of Supabase Auth differ between its versions, and the
-- local stack has few of them.
create function convoy.insert_known(target regclass, given jsonb) returns void
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

-- The hash of a secret as Supabase Auth checks it (bcrypt), by pgcrypto, wherever that is installed. The secrets are random
-- numbers of 180 bits, which nobody can guess: a slow hash would add nothing.
create function convoy.hash_secret(secret text) returns text
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

-- A user of the kind agent who signs in with this secret. The kind stands in the app metadata, which users cannot write, from
-- the insert on, so that the agent's profile never says otherwise. The address is confirmed, and of a domain that nobody can
-- own (RFC 2606). Columns of tokens are '', since Supabase's sign-in fails on nulls in them.
create function convoy.insert_agent(agent uuid, address text, agent_name text, secret text) returns void
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

-- Whether the user makes agents in the workspace: a person does who owns or edits it.
create function convoy.is_maker(scope uuid, person uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.workspace_members m
    join public.profiles p on p.id = m.user_id
    join public.workspaces w on w.id = m.workspace_id and w.deleted_at is null
    where m.workspace_id = scope and m.user_id = person and m.deleted_at is null and m.role in ('owner', 'editor')
      and p.kind = 'human')
$$;

-- The agent's membership, locked with its scope's clock, where the caller may revoke and pause it: an owner may with every
-- agent, an editor with those that the editor made. A row of nulls where there is none.
create function convoy.lock_own_agent(member uuid) returns public.workspace_members
language plpgsql volatile security definer set search_path = '' as $$
declare
  found_member public.workspace_members;
begin
  -- Strangers hold up nobody.
  perform from convoy.scope_clocks c
    where c.scope_id = (select m.workspace_id from public.workspace_members m where m.id = member)
      and c.scope_id in (select convoy.visible_scopes()) for update;
  select m.* into found_member from public.workspace_members m
    where m.id = member and m.deleted_at is null and m.kind = 'agent'
      and convoy.is_maker(m.workspace_id, auth.uid())
      and (m.made_by = auth.uid() or convoy.role_in(m.workspace_id) = 'owner');
  return found_member;
end
$$;

-- Makes an agent, as a human owner or editor. Answers {"member": ..., "email": ..., "secret": ...}: the secret is stored
-- nowhere, and never told again. Or {"error": {"code": ...}} with signed_out; forbidden; malformed; too_many, where the
-- workspace has 200 agents that people made; auth_changed, with the SQLSTATE, where the tables of Auth do not take the user.
create function public.create_agent(workspace_id uuid, name text) returns jsonb
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
  perform from convoy.scope_clocks c
    where c.scope_id = create_agent.workspace_id and c.scope_id in (select convoy.visible_scopes()) for update;
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

-- Ends the sessions of a user who is a member of nothing any more.
create function convoy.end_sessions(person uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if to_regclass('auth.sessions') is not null and not exists (
    select from public.workspace_members m where m.user_id = person and m.deleted_at is null)
  then
    execute 'delete from auth.sessions s where s.user_id = $1' using person;
  end if;
end
$$;

-- Ends an agent's membership for good, and its sessions where it was the last one. Answers {"member_id": ...}, or
-- {"error": {"code": ...}} with signed_out, or not_found where the caller may revoke no agent by this id.
create function public.revoke_agent(member_id uuid) returns jsonb
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

-- Pauses an agent, or ends its pause. Answers {"member": ...}, or {"error": {"code": ...}} as revoke_agent does, and malformed.
create function public.pause_agent(member_id uuid, paused boolean) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  member public.workspace_members;
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  if pause_agent.paused is null then
    return convoy.failure('malformed', 'paused must be true or false.');
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

-- The workspaces in which the caller is an agent that is paused.
create function convoy.paused_scopes() returns setof uuid
language sql stable security definer set search_path = '' as $$
  select m.workspace_id from public.workspace_members m
    where m.user_id = (select auth.uid()) and m.deleted_at is null and m.paused_at is not null
$$;

-- Who may make agents no longer takes along those that they made: whoever leaves, is removed, is given a lower role, or
-- becomes an agent. They never come back: whoever is given the role again makes new ones (convoy.restorable_members). The
-- feed tells of each, since their work stops: whose it was, and why it ended (agent_ended, A4).
create function convoy.end_agents_of_maker() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  why constant text := case
    when not exists (select from auth.users u where u.id = new.user_id) then 'account_deleted'
    when new.kind <> 'human' then 'maker_is_agent'
    when new.deleted_at is null then 'role_lost'
    when convoy.author() = new.user_id then 'left'
    else 'removed' end;
  agents constant uuid[] := array(
    select a.id from public.workspace_members a
    where a.workspace_id = new.workspace_id and a.made_by = new.user_id and a.deleted_at is null order by a.id);
  agent uuid;
begin
  if cardinality(agents) = 0 then
    return null;
  end if;
  update public.workspace_members a set deleted_at = now() where a.id = any (agents);
  -- What stands in a deleted workspace is deleted.
  insert into public.activity_feed (id, workspace_id, entity_type, entity_id, activity_type, details)
    select gen_random_uuid(), a.workspace_id, 'workspace_members', a.id, 'agent_ended', jsonb_build_object(
      'agent', a.user_id, 'name', a.display_name, 'made_by', new.user_id, 'maker_name', new.display_name, 'why', why)
    from public.workspace_members a
    join public.workspaces w on w.id = a.workspace_id and w.deleted_at is null
    where a.id = any (agents);
  for agent in select a.user_id from public.workspace_members a where a.id = any (agents) order by a.user_id loop
    perform convoy.end_sessions(agent);
  end loop;
  return null;
end
$$;
create trigger d_agents after update on public.workspace_members
  for each row
  when (old.deleted_at is null and old.kind = 'human' and old.role in ('owner', 'editor')
    and (new.deleted_at is not null or new.kind <> 'human' or new.role not in ('owner', 'editor')))
  execute function convoy.end_agents_of_maker();

revoke all on function
  public.create_agent(uuid, text), public.revoke_agent(uuid), public.pause_agent(uuid, boolean)
  from public, anon, authenticated;
grant execute on function
  public.create_agent(uuid, text), public.revoke_agent(uuid), public.pause_agent(uuid, boolean)
  to authenticated;
revoke execute on all functions in schema convoy from public;
