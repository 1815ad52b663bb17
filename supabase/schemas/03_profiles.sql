-- A user as others see them: a name, and whether a person or an agent. A trigger keeps it from auth.users.

create table public.profiles (
  -- No foreign key to auth.users: the name outlives the account in the history of its work.
  id uuid primary key,
  display_name text not null default ''
    constraint profiles_display_name_length check (char_length(display_name) <= 200),
  kind text not null default 'human'
    constraint profiles_kind_allowed check (kind in ('human', 'agent')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

alter table public.profiles enable row level security;
create policy own_profile on public.profiles for select to authenticated
  using (id = (select auth.uid()));
revoke all on public.profiles from public, anon, authenticated;
grant select on public.profiles to authenticated;
grant all on public.profiles to service_role;

-- The kind comes from app metadata, which only the service can write; otherwise an agent could make
-- itself human and pass checkpoints.
create function convoy.keep_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles as p (id, display_name, kind)
    values (
      new.id,
      left(coalesce(
        nullif(btrim(new.raw_user_meta_data ->> 'display_name'), ''),
        nullif(btrim(new.raw_user_meta_data ->> 'name'), ''),
        split_part(new.email, '@', 1),
        ''), 200),
      case when new.raw_app_meta_data ->> 'kind' = 'agent' then 'agent' else 'human' end)
    on conflict (id) do update
      set display_name = excluded.display_name, kind = excluded.kind, updated_at = now()
      where (p.display_name, p.kind) is distinct from (excluded.display_name, excluded.kind);
  return null;
end
$$;

create trigger convoy_profile after insert or update on auth.users
  for each row execute function convoy.keep_profile();

-- Accounts that exist before Convoy does.
insert into public.profiles (id, display_name, kind)
select id,
  left(coalesce(nullif(btrim(raw_user_meta_data ->> 'display_name'), ''),
    nullif(btrim(raw_user_meta_data ->> 'name'), ''), split_part(email, '@', 1), ''), 200),
  case when raw_app_meta_data ->> 'kind' = 'agent' then 'agent' else 'human' end
from auth.users
on conflict do nothing;

revoke execute on all functions in schema convoy from public;
