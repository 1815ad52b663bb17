-- Invitations by e-mail address, with or without an account. An invitation's id is its secret: the owner
-- hands it over, and it works for the invited address alone.

create table public.invitations (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces,
  email text not null constraint invitations_email_length check (char_length(email) between 3 and 320),
  role text not null constraint invitations_role_allowed check (role in ('owner', 'editor', 'viewer', 'agent')),
  invited_by uuid not null references public.profiles,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '14 days',
  accepted_at timestamptz
);
create index invitations_workspace_id on public.invitations (workspace_id);

-- The workspaces that the caller owns. Policies call it once for each query.
create function convoy.owned_scopes() returns setof uuid
language sql stable security definer set search_path = '' as $$
  select m.workspace_id from public.workspace_members m
    where m.user_id = (select auth.uid()) and m.deleted_at is null and m.role = 'owner'
$$;

alter table public.invitations enable row level security;
create policy owners_read on public.invitations for select to authenticated
  using (workspace_id = any (array(select convoy.owned_scopes())));
revoke all on public.invitations from public, anon, authenticated;
grant select on public.invitations to authenticated;
grant all on public.invitations to service_role;

-- Answers {"invitation_id": ...}, or {"error": {"code": ...}} with signed_out, forbidden or malformed.
create function public.invite_member(workspace_id uuid, email text, role text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  invitation uuid;
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  if convoy.role_in(invite_member.workspace_id) is distinct from 'owner'
    or exists (select from public.profiles p where p.id = auth.uid() and p.kind = 'agent')
    or not exists (
      select from public.workspaces w where w.id = invite_member.workspace_id and w.deleted_at is null)
  then
    return convoy.failure('forbidden');
  end if;
  if coalesce(btrim(invite_member.email), '') !~ '^[^@\s]+@[^@\s]+$' or char_length(invite_member.email) > 320 then
    return convoy.failure('malformed', 'email must be an e-mail address.');
  end if;
  if coalesce(invite_member.role, '') not in ('owner', 'editor', 'viewer', 'agent') then
    return convoy.failure('malformed', 'role must be owner, editor, viewer or agent.');
  end if;
  insert into public.invitations (workspace_id, email, role, invited_by)
    values (invite_member.workspace_id, lower(btrim(invite_member.email)), invite_member.role, auth.uid())
    returning id into invitation;
  return jsonb_build_object('invitation_id', invitation);
end
$$;

-- Makes the caller a member. Answers {"workspace_id": ...}, or {"error": {"code": "not_found"}} for an
-- invitation that is unknown, used, expired, for another address, from a user who is no longer a human owner,
-- or from before the caller was removed.
create function public.accept_invitation(invitation_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  invitation public.invitations;
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  -- A statement of its own, so that the next one sees members who were removed or given another role meanwhile (S2).
  perform from convoy.scope_clocks c
    where c.scope_id = (select i.workspace_id from public.invitations i where i.id = accept_invitation.invitation_id)
    for update;
  select i.* into invitation from public.invitations i
    join auth.users u on u.id = auth.uid() and lower(u.email) = i.email
    join public.workspaces w on w.id = i.workspace_id and w.deleted_at is null
    join public.workspace_members o
      on o.workspace_id = i.workspace_id and o.user_id = i.invited_by and o.role = 'owner' and o.deleted_at is null
    join public.profiles p on p.id = i.invited_by and p.kind = 'human'
    where i.id = accept_invitation.invitation_id and i.accepted_at is null and i.expires_at > now()
      and not exists (
        select from public.workspace_members m
        where m.workspace_id = i.workspace_id and m.user_id = auth.uid() and m.deleted_at >= i.created_at)
    for update of i;
  if not found then
    return convoy.failure('not_found');
  end if;
  insert into public.workspace_members (id, workspace_id, user_id, role)
    values (gen_random_uuid(), invitation.workspace_id, auth.uid(), invitation.role)
    on conflict do nothing;
  -- Accepting uses up all invitations of this address to the workspace.
  update public.invitations i set accepted_at = now()
    where i.workspace_id = invitation.workspace_id and i.email = invitation.email and i.accepted_at is null;
  return jsonb_build_object('workspace_id', invitation.workspace_id);
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
      and i.workspace_id in (select convoy.owned_scopes())
      and not exists (select from public.profiles p where p.id = auth.uid() and p.kind = 'agent');
  if not found then
    return convoy.failure('not_found');
  end if;
  return jsonb_build_object('invitation_id', revoke_invitation.invitation_id);
end
$$;

revoke all on function
  public.invite_member(uuid, text, text), public.accept_invitation(uuid), public.revoke_invitation(uuid)
  from public, anon, authenticated;
grant execute on function
  public.invite_member(uuid, text, text), public.accept_invitation(uuid), public.revoke_invitation(uuid)
  to authenticated;
revoke execute on all functions in schema convoy from public;
grant execute on function convoy.owned_scopes() to authenticated, service_role;
