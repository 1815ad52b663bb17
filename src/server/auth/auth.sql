-- The local stack's own tables. Runs at every start, after bootstrap.sql, so every statement must be
-- repeatable. The API's roles have no rights here.

create schema if not exists local_stack;
revoke all on schema local_stack from public;

-- The signing secret, and whether the demo data has been loaded.
create table if not exists local_stack.settings (
  key text primary key,
  value text not null
);

-- A refresh token is (session, counter) with a signature. Rotation raises the counter; a token older than the
-- previous one was copied, unless the session was refreshed a moment ago.
create table if not exists local_stack.sessions (
  id uuid primary key,
  user_id uuid not null references auth.users (id) on delete cascade,
  refresh_counter integer not null default 0,
  created_at timestamptz not null default now(),
  refreshed_at timestamptz not null default now()
);
create index if not exists sessions_user_id on local_stack.sessions (user_id);

-- Supabase has sessions here; what ends those of a user looks no further.
do $$
begin
  if to_regclass('auth.sessions') is null then
    create view auth.sessions as
      select id, user_id, created_at, refreshed_at as updated_at from local_stack.sessions;
  end if;
end
$$;

-- The Supabase CLI records which migrations ran, not their content.
create table if not exists local_stack.migration_checksums (
  version text primary key,
  sha256 text not null
);

create unique index if not exists users_email_ignoring_case on auth.users (lower(email));
