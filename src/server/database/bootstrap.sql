-- The parts of Supabase that the migrations need, created only where missing. Runs at every start, on PGlite
-- and on a bare PostgreSQL 15 alike, so every statement must be repeatable.

do $$
declare
  wanted text;
begin
  foreach wanted in array array['anon', 'authenticated', 'service_role'] loop
    -- Roles belong to the cluster: a stack on another database may create the same one concurrently.
    begin
      if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
        execute format('create role %I nologin noinherit', wanted);
        if wanted = 'service_role' then
          execute 'alter role service_role bypassrls';
        end if;
      end if;
    exception when duplicate_object or unique_violation then null;
    end;
  end loop;
end
$$;

grant usage on schema public to anon, authenticated, service_role;

create schema if not exists auth;
grant usage on schema auth to anon, authenticated, service_role;

create table if not exists auth.users (
  id uuid primary key,
  instance_id uuid,
  aud varchar(255) default 'authenticated',
  role varchar(255) default 'authenticated',
  email varchar(255) unique,
  encrypted_password varchar(255),
  email_confirmed_at timestamptz,
  last_sign_in_at timestamptz,
  raw_app_meta_data jsonb,
  raw_user_meta_data jsonb,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);

-- Supabase has pgcrypto in this schema; agents' secrets are hashed by it.
create schema if not exists extensions;
do $$
begin
  if not exists (select from pg_catalog.pg_extension where extname = 'pgcrypto') then
    begin
      create extension pgcrypto with schema extensions;
    -- A server without it, or one that does not let this role: people there make no agents.
    exception when undefined_file or insufficient_privilege or feature_not_supported or unique_violation or duplicate_object then
      raise warning 'pgcrypto is not installed: %', sqlerrm;
    end;
  end if;
end
$$;

-- The API's functions read the caller from the verified token's claims, in PostgREST's settings.
do $$
begin
  if to_regprocedure('auth.jwt()') is null then
    create function auth.jwt() returns jsonb language sql stable as $body$
      select coalesce(
        nullif(current_setting('request.jwt.claim', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')
      )::jsonb
    $body$;
  end if;
  if to_regprocedure('auth.uid()') is null then
    create function auth.uid() returns uuid language sql stable as $body$
      select coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
      )::uuid
    $body$;
  end if;
  if to_regprocedure('auth.role()') is null then
    create function auth.role() returns text language sql stable as $body$
      select coalesce(
        nullif(current_setting('request.jwt.claim.role', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
      )
    $body$;
  end if;
end
$$;

-- Supabase grants everything in public to its roles; row level security and revokes in migrations restrict
-- that. The stack does the same, so that a missing revoke shows here before production. Only in a new
-- database: an existing one keeps the default privileges that its owner chose.
do $$
begin
  if to_regclass('public.workspaces') is null then
    alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
    alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
    alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
  end if;
end
$$;

-- The part of Realtime that broadcasts from the database need. On Supabase `send` inserts the message into the
-- table, and the realtime service reads it from the write-ahead log. Here it sends a notification, which the
-- stack listens to: the table stays empty, and exists only for its policies.
create schema if not exists realtime;
grant usage on schema realtime to anon, authenticated, service_role;

create table if not exists realtime.messages (
  id uuid not null default gen_random_uuid(),
  topic text not null,
  extension text not null,
  event text,
  payload jsonb,
  private boolean default false,
  inserted_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  primary key (id, inserted_at)
);
alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to anon, authenticated, service_role;

do $$
begin
  if to_regprocedure('realtime.topic()') is null then
    create function realtime.topic() returns text language sql stable as $body$
      select nullif(current_setting('realtime.topic', true), '')::text
    $body$;
  end if;
  if to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null then
    create function realtime.send(payload jsonb, event text, topic text, private boolean default true)
    returns void language plpgsql as $body$
    begin
      perform pg_notify('realtime_messages', json_build_object(
        'topic', topic, 'event', event, 'private', private,
        'payload', jsonb_build_object('id', gen_random_uuid()) || payload)::text);
    exception when others then
      raise warning 'The broadcast was not sent: %', sqlerrm;
    end
    $body$;
  end if;
end
$$;
