-- Invitations: the only way into a workspace that one did not create. One to an e-mail address, with or without an
-- account, is shown to who has confirmed that the address is theirs, and to nobody else. One without an address is a link: its id is its
-- secret, and it makes one user a member. Agents neither invite nor see invitations.

create table public.invitations (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces,
  -- Null: a link.
  email text constraint invitations_email_length check (char_length(email) between 3 and 320),
  role text not null constraint invitations_role_allowed check (role in ('owner', 'editor', 'viewer', 'agent')),
  invited_by uuid not null references public.profiles,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '14 days',
  accepted_at timestamptz,
  accepted_by uuid
);
create index invitations_workspace_id on public.invitations (workspace_id);
create index invitations_invited_by on public.invitations (invited_by);
create index invitations_email on public.invitations (email) where accepted_at is null;
create unique index invitations_address on public.invitations (workspace_id, email) where accepted_at is null;

-- The workspaces that the caller owns, as a person. Policies call it once for each query.
create function convoy.owned_scopes() returns setof uuid
language sql stable security definer set search_path = '' as $$
  select m.workspace_id from public.workspace_members m
    where m.user_id = (select auth.uid()) and m.deleted_at is null and m.role = 'owner' and m.kind = 'human'
$$;

-- The caller's e-mail address, as invitations have it; null where the caller has not confirmed it. The account says so,
-- and never the token, whose metadata users write themselves.
create function convoy.confirmed_address() returns text
language sql stable security definer set search_path = '' as $$
  select lower(u.email) from auth.users u where u.id = (select auth.uid()) and u.email_confirmed_at is not null
$$;

-- The answer where the caller may not accept an invitation: unconfirmed, where it is to an address that the caller
-- has not confirmed yet, or else not_found.
create function convoy.no_invitation(wanted uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select convoy.failure(case when exists (
      select from public.invitations i
      join auth.users u on u.id = auth.uid() and u.email_confirmed_at is null and lower(u.email) = i.email
      where i.id = wanted and i.accepted_at is null and i.expires_at > now())
    then 'unconfirmed' else 'not_found' end)
$$;

-- The invitations that the caller may accept: open, to the caller's address or by link, from a person who still owns
-- the workspace, and not from before the caller left it or was removed.
--   address: those to the caller's address alone.
create function convoy.invitations_to_me(wanted uuid, address boolean) returns setof public.invitations
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

-- An invitation as its receiver sees it.
create function convoy.shown_invitation(i public.invitations) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'id', i.id, 'workspace_id', i.workspace_id, 'role', i.role, 'expires_at', i.expires_at,
    'workspace_name', (select w.name from public.workspaces w where w.id = i.workspace_id),
    'invited_by', (select p.display_name from public.profiles p where p.id = i.invited_by),
    'is_member', exists (
      select from public.workspace_members m
      where m.workspace_id = i.workspace_id and m.user_id = auth.uid() and m.deleted_at is null))
$$;

alter table public.invitations enable row level security;
create policy owners_read on public.invitations for select to authenticated
  using (workspace_id = any (array(select convoy.owned_scopes())));
revoke all on public.invitations from public, anon, authenticated;
grant select on public.invitations to authenticated;
grant all on public.invitations to service_role;

-- Invites by address, or by link where email is null. An address has one open invitation to a workspace: inviting it
-- again changes that one. Answers {"invitation_id": ...}, or {"error": {"code": ...}} with signed_out, forbidden,
-- malformed, or too_many where the workspace has 200 open invitations.
create function public.invite_member(workspace_id uuid, email text, role text) returns jsonb
language plpgsql security definer set search_path = '' as $$
-- The columns that ON CONFLICT names have the names of arguments.
#variable_conflict use_column
declare
  most_open constant integer := 200;
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
  -- One at a time, so that the count below holds.
  perform from convoy.scope_clocks c where c.scope_id = invite_member.workspace_id for update;
  delete from public.invitations i
    where i.workspace_id = invite_member.workspace_id and i.accepted_at is null and i.expires_at <= now();
  if (select count(*) from public.invitations i
      where i.workspace_id = invite_member.workspace_id and i.accepted_at is null) >= most_open
  then
    return convoy.failure('too_many', 'A workspace has at most ' || most_open || ' open invitations.');
  end if;
  insert into public.invitations (workspace_id, email, role, invited_by)
    values (invite_member.workspace_id, lower(btrim(invite_member.email)), invite_member.role, auth.uid())
    on conflict (workspace_id, email) where accepted_at is null do update
      set role = excluded.role, invited_by = excluded.invited_by, created_at = now(), expires_at = excluded.expires_at
    returning id into invitation;
  return jsonb_build_object('invitation_id', invitation);
end
$$;

-- The open invitations to the caller's address, newest first: [{id, workspace_id, workspace_name, role, invited_by,
-- expires_at, is_member}]; none before the address is confirmed. Answers {"error": {"code": "signed_out"}} to nobody.
create function public.my_invitations() returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  return (
    select coalesce(jsonb_agg(convoy.shown_invitation(x.i) order by (x.i).created_at desc, (x.i).id), '[]')
    from (
      select i from convoy.invitations_to_me(null, true) i order by i.created_at desc, i.id limit 100
    ) x);
end
$$;

-- One invitation that the caller may accept, as in my_invitations; {"error": {"code": ...}} where there is none, with
-- not_found, or unconfirmed where it is to the caller's address, which is not confirmed yet.
create function public.get_invitation(invitation_id uuid) returns jsonb
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

-- The open invitations to a workspace, for its human owners, newest first:
-- {"invitations": [{id, email, role, created_at, expires_at}]}.
create function public.get_invitations(workspace_id uuid) returns jsonb
language sql stable security invoker set search_path = '' as $$
  select jsonb_build_object('invitations', coalesce(jsonb_agg(jsonb_build_object(
      'id', i.id, 'email', i.email, 'role', i.role, 'created_at', i.created_at, 'expires_at', i.expires_at)
      order by i.created_at desc, i.id), '[]'))
  from public.invitations i
  where i.workspace_id = get_invitations.workspace_id and i.accepted_at is null and i.expires_at > now()
$$;

-- Makes the caller a member. Answers {"workspace_id": ...}, or {"error": {"code": "not_found"}} where the caller may
-- not accept it, unconfirmed where the caller has to confirm their address first, wrong_user where that is somebody else than who accepted (accepted_as): an acceptance that waited may
-- be sent after another user has signed in. Who is a member already stays one as before, and the invitation stays open.
create function public.accept_invitation(invitation_id uuid, accepted_as uuid default null) returns jsonb
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

-- Removes an invitation to the caller's address. Answers {"invitation_id": ...}, or {"error": {"code": ...}} with not_found,
-- or unconfirmed where the caller has to confirm the address first.
create function public.decline_invitation(invitation_id uuid) returns jsonb
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

-- Revokes an invitation of any owner. Answers {"invitation_id": ...}, or {"error": {"code": "not_found"}}
-- where the caller may revoke none by this id.
create function public.revoke_invitation(invitation_id uuid) returns jsonb
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

revoke all on function
  public.invite_member(uuid, text, text), public.accept_invitation(uuid, uuid), public.revoke_invitation(uuid),
  public.my_invitations(), public.get_invitation(uuid), public.get_invitations(uuid), public.decline_invitation(uuid)
  from public, anon, authenticated;
grant execute on function
  public.invite_member(uuid, text, text), public.accept_invitation(uuid, uuid), public.revoke_invitation(uuid),
  public.my_invitations(), public.get_invitation(uuid), public.get_invitations(uuid), public.decline_invitation(uuid)
  to authenticated;
revoke execute on all functions in schema convoy from public;
grant execute on function convoy.owned_scopes() to authenticated, service_role;
