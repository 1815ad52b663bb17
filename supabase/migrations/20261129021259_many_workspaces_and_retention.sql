-- Members of more than 80 workspaces are poked on their own topic, since a client has 100 channels (K1), and a device polls the
-- heads of scopes whose topics it is refused (K7).

create table convoy.users_of_many_scopes (
  user_id uuid primary key
);
alter table convoy.users_of_many_scopes enable row level security;
grant select on convoy.users_of_many_scopes to service_role;

insert into convoy.users_of_many_scopes (user_id)
  select m.user_id from public.workspace_members m where m.deleted_at is null group by m.user_id having count(*) > 80;

drop function convoy.poke(jsonb,text,text);

create or replace function convoy.poke(payload jsonb, event text, topics text[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
  perform realtime.send(payload, event, t, true) from unnest(topics) t;
exception when others then
  raise warning 'The pokes to % were not sent: % (%)', topics[1], sqlerrm, sqlstate;
end
$$;

create or replace function convoy.most_scope_topics() returns integer language sql immutable
  return 80;

create or replace function convoy.count_scopes(of_user uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
  most constant integer := convoy.most_scope_topics();
begin
  if most < (
      select count(*) from (
        select from public.workspace_members m
        where m.user_id = of_user and m.deleted_at is null limit most + 1) m)
  then
    insert into convoy.users_of_many_scopes (user_id) values (of_user) on conflict do nothing;
  else
    delete from convoy.users_of_many_scopes u where u.user_id = of_user;
  end if;
end
$$;

create or replace function convoy.poke_scope() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  most_users constant integer := 1000;
  topics text[];
begin
  perform convoy.poke(
    jsonb_build_object('revision', new.revision), 'advanced', array['workspace:' || new.scope_id]);
  topics := array(
    select 'user:' || m.user_id
    from public.workspace_members m join convoy.users_of_many_scopes u on u.user_id = m.user_id
    where m.workspace_id = new.scope_id and m.deleted_at is null
    limit most_users);
  if cardinality(topics) > 0 then
    perform convoy.poke(
      jsonb_build_object('scope', new.scope_id, 'revision', new.revision), 'advanced', topics);
  end if;
  return null;
end
$$;

create or replace function convoy.poke_member() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform convoy.count_scopes(new.user_id);
  perform convoy.poke(
    jsonb_build_object('scope', new.workspace_id, 'member', new.deleted_at is null),
    'membership', array['user:' || new.user_id]);
  return null;
end
$$;

create or replace function public.sync_heads(request jsonb) returns jsonb
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

revoke all on function convoy.poke(jsonb,text,text[]) from public, anon, authenticated, service_role;
revoke all on function convoy.most_scope_topics() from public, anon, authenticated, service_role;
revoke all on function convoy.count_scopes(uuid) from public, anon, authenticated, service_role;
revoke all on function public.sync_heads(jsonb) from public, anon, authenticated, service_role;
grant execute on function public.sync_heads(jsonb) to authenticated, service_role;
