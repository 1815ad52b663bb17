-- A membership that an owner ended comes back by an invitation alone, unless it went with its workspace. An invitation to
-- an e-mail address is for a user who has confirmed that address.

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
      and convoy.may_restore(scope, 'workspace_members')
      -- So does whoever left.
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

create or replace function convoy.confirmed_address() returns text
language sql stable security definer set search_path = '' as $$
  select lower(u.email) from auth.users u where u.id = (select auth.uid()) and u.email_confirmed_at is not null
$$;

create or replace function convoy.no_invitation(wanted uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select convoy.failure(case when exists (
      select from public.invitations i
      join auth.users u on u.id = auth.uid() and u.email_confirmed_at is null and lower(u.email) = i.email
      where i.id = wanted and i.accepted_at is null and i.expires_at > now())
    then 'unconfirmed' else 'not_found' end)
$$;

create or replace function convoy.invitations_to_me(wanted uuid, address boolean) returns setof public.invitations
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

create or replace function public.get_invitation(invitation_id uuid) returns jsonb
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

create or replace function public.accept_invitation(invitation_id uuid, accepted_as uuid default null) returns jsonb
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

create or replace function public.decline_invitation(invitation_id uuid) returns jsonb
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

revoke all on function convoy.confirmed_address() from public, anon, authenticated, service_role;
revoke all on function convoy.no_invitation(uuid) from public, anon, authenticated, service_role;
