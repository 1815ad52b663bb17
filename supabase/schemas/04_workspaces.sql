-- Workspaces and their members (R1, R2). A workspace is its own scope.

create table public.workspaces (
  like convoy.record including all,
  name text not null constraint workspaces_name_length check (char_length(name) <= 200),
  description text constraint workspaces_description_length check (char_length(description) <= 100000),
  -- The owner of a workspace with the global scope's id would own the reference data (R3).
  constraint workspaces_workspace_id_allowed check (
    workspace_id = id and id <> '00000000-0000-7000-8000-000000000000'),
  constraint workspaces_workspace_id_fkey foreign key (workspace_id) references convoy.scope_clocks
);

create table public.workspace_members (
  like convoy.record including all,
  user_id uuid not null constraint workspace_members_user_id_fkey references public.profiles,
  role text not null
    constraint workspace_members_role_allowed check (role in ('owner', 'editor', 'viewer', 'agent')),
  -- Copies of the profile, since members may not read each other's.
  display_name text not null default ''
    constraint workspace_members_display_name_length check (char_length(display_name) <= 200),
  kind text not null default 'human'
    constraint workspace_members_kind_allowed check (kind in ('human', 'agent')),
  -- Of an agent: the person who made it, and since when it is to do nothing.
  made_by uuid,
  paused_at timestamptz,
  constraint workspace_members_workspace_id_fkey foreign key (workspace_id) references convoy.scope_clocks
);

create unique index workspace_members_pair on public.workspace_members (workspace_id, user_id)
  where deleted_at is null;
create index workspace_members_of_user on public.workspace_members (user_id) where deleted_at is null;

-- A new workspace gets its clock, and one that an operator makes again its old one. The trigger sorts before the stamp
-- trigger, which needs the clock.
create function convoy.create_clock() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into convoy.scope_clocks (scope_id) values (new.id) on conflict do nothing;
  if not found then
    update convoy.scope_clocks c set buried = false where c.scope_id = new.id and c.buried;
  end if;
  return new;
end
$$;
create trigger a0_clock before insert on public.workspaces
  for each row execute function convoy.create_clock();

-- The scopes whose rows the caller may see. Policies call it once for each query, as a subselect.
create function convoy.visible_scopes() returns setof uuid
language sql stable security definer set search_path = '' as $$
  select m.workspace_id from public.workspace_members m
    where m.user_id = (select auth.uid()) and m.deleted_at is null
  union all
  select '00000000-0000-7000-8000-000000000000'::uuid where (select auth.uid()) is not null
$$;

select convoy.make_synced('workspaces', 1);
select convoy.make_synced('workspace_members', 2, server_set => array['display_name', 'kind', 'made_by', 'paused_at']);

-- R1. The service role is no user: it creates workspaces without an owner, and adds one itself.
create function convoy.make_creator_owner() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if auth.uid() is not null then
    insert into public.workspace_members (id, workspace_id, user_id, role)
      values (gen_random_uuid(), new.id, auth.uid(), 'owner')
      on conflict do nothing;
  end if;
  return null;
end
$$;
create trigger c_creator after insert on public.workspaces
  for each row execute function convoy.make_creator_owner();

create function convoy.fill_member() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' and new.user_id <> old.user_id then
    raise exception 'A membership stays with its user.' using errcode = 'SN005', column = 'user_id';
  end if;
  if tg_op = 'INSERT' or new.deleted_at is null and old.deleted_at is not null then
    -- Locked, so that who becomes an agent meanwhile becomes one here too (R2).
    select p.display_name, p.kind into new.display_name, new.kind
      from public.profiles p where p.id = new.user_id for share;
    if not found then
      raise exception 'There is no such user.' using errcode = 'SN008', column = 'user_id';
    end if;
  end if;
  return new;
end
$$;
create trigger b_member before insert or update of user_id, deleted_at on public.workspace_members
  for each row execute function convoy.fill_member();

-- R2. Runs after the whole statement, so that one statement can exchange owners. A workspace that is being restored counts. A workspace that had no human owner
-- before keeps an owner.
create function convoy.check_last_owner() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (
      select from public.workspaces w where w.id = new.workspace_id and (w.deleted_at is null or exists (
        select from convoy.unfinished_deletions u
        where u.workspace_id = w.id and u.deletion_id = w.deletion_id and u.restore_wanted)))
    and not exists (
      select from public.workspace_members m
      where m.workspace_id = new.workspace_id and m.role = 'owner' and m.deleted_at is null
        and (m.kind = 'human' or old.kind <> 'human'))
  then
    raise exception 'A workspace keeps at least one owner who is a person.' using errcode = 'SN004', column = 'role';
  end if;
  return null;
end
$$;
create trigger c_last_owner after update on public.workspace_members
  for each row
  when (old.role = 'owner' and old.deleted_at is null
    and (new.role <> 'owner' or new.deleted_at is not null or new.kind <> old.kind))
  execute function convoy.check_last_owner();

-- R2: while a workspace is deleted, its owners may leave. Where no person has stopped being an owner since the deletion,
-- and none is one, agents alone owned it before, and may have it back. The service restores it all the same.
--   since: the revision of its deletion.
create function convoy.check_owner_left(scope uuid, since bigint) returns void
language plpgsql stable security definer set search_path = '' as $$
begin
  if auth.uid() is not null
    and not exists (
      select from public.workspace_members m
      where m.workspace_id = scope and m.role = 'owner' and m.kind = 'human' and m.deleted_at is null)
    and (
      not exists (
        select from public.workspace_members m
        where m.workspace_id = scope and m.role = 'owner' and m.deleted_at is null)
      -- Deleting it was the last write to the workspace.
      or exists (
        select from public.workspace_members m
        where m.workspace_id = scope and m.revision >= since
          and (m.deleted_at is not null and m.kind = 'human'
            or (m.field_revisions -> 'role' ->> 0)::bigint >= since
            or (m.field_revisions -> 'kind' ->> 0)::bigint >= since)))
  then
    raise exception 'No person owns this workspace any more.' using errcode = 'SN004';
  end if;
end
$$;

-- The last step of a restore was judged when it began (U44).
create function convoy.check_owner_of_restored() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if current_setting('convoy.cascade', true) is distinct from 'steps' then
    perform convoy.check_owner_left(new.id, old.revision);
  end if;
  return null;
end
$$;
create trigger c_owner_of_restored after update on public.workspaces
  for each row when (old.deleted_at is not null and new.deleted_at is null)
  execute function convoy.check_owner_of_restored();

-- A changed profile reaches everyone who shares a workspace with the user. The clocks are locked in
-- sorted order first (S3).
create function convoy.spread_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform from convoy.scope_clocks c
    where c.scope_id in (
      select m.workspace_id from public.workspace_members m where m.user_id = new.id and m.deleted_at is null)
    order by c.scope_id for update;
  update public.workspace_members m set display_name = new.display_name, kind = new.kind
    where m.user_id = new.id and m.deleted_at is null;
  return null;
end
$$;
create trigger spread_profile after update on public.profiles
  for each row when ((old.display_name, old.kind) is distinct from (new.display_name, new.kind))
  execute function convoy.spread_profile();

-- A deleted account leaves its workspaces; the last owner has to hand theirs over or delete it first.
create function convoy.end_memberships() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform from convoy.scope_clocks c
    where c.scope_id in (
      select m.workspace_id from public.workspace_members m where m.user_id = old.id and m.deleted_at is null)
    order by c.scope_id for update;
  update public.workspace_members m set deleted_at = now() where m.user_id = old.id and m.deleted_at is null;
  return null;
end
$$;
create trigger convoy_memberships after delete on auth.users
  for each row execute function convoy.end_memberships();

-- The caller's role in a workspace, or null.
create function convoy.role_in(scope uuid) returns text
language sql stable security definer set search_path = '' as $$
  select m.role from public.workspace_members m
    where m.workspace_id = scope and m.user_id = (select auth.uid()) and m.deleted_at is null
$$;

revoke execute on all functions in schema convoy from public;
grant execute on function convoy.visible_scopes() to authenticated, service_role;
