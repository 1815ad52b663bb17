-- Settled batches: a device that does not know what became of a batch asks by the batch's key, and the server answers
-- its outcomes or makes its number void, so that the batch can be split without being applied twice. The ledger keeps
-- outcomes and the ids of effects; a replayed answer has the rows as they are by then.

alter table convoy.devices add column key uuid;
update convoy.served_versions set protocol = 4;

-- Answers kept so far hold their effects whole.
update convoy.devices d
  set answer = d.answer - 'effects' || jsonb_build_object(
    'told', (
      select coalesce(jsonb_object_agg(t.name, t.ids), '{}')
      from (
        select e.name, jsonb_agg(distinct e.id) as ids
        from (
          select r.key as name, jsonb_array_elements(r.value -> 'id') as id
            from jsonb_each(d.answer -> 'effects' -> 'rows') r
          union all
          select x.key, jsonb_array_elements(x.value) from jsonb_each(d.answer -> 'effects' -> 'deleted') x
        ) e
        group by e.name
      ) t),
    'scopes', (
      select coalesce(jsonb_agg(distinct s.scope), '[]')
      from (
        select to_jsonb(r.key) as scope from jsonb_each(d.answer -> 'revisions') r
        union all
        select jsonb_array_elements(coalesce(w.value -> 'workspace_id', '[]'))
          from jsonb_each(d.answer -> 'effects' -> 'rows') w
      ) s))
  where d.answer is not null;

drop function convoy.answer_known_batch(uuid,bigint,bytea,jsonb);
drop function convoy.answer_push(bigint,convoy.change[],convoy.decision[]);

create or replace function convoy.refuse_push(request jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  most_changes constant integer := 10000;
  refusal constant jsonb := convoy.refuse_request(request);
begin
  if refusal is not null then
    return refusal;
  end if;
  if not coalesce(convoy.is_uuid(request ->> 'device_id'), false) then
    return convoy.failure('malformed', 'device_id must be a UUID.');
  end if;
  if coalesce(convoy.to_count(request -> 'batch'), 0) < 1 then
    return convoy.failure('malformed', 'batch must be a number from 1.');
  end if;
  if request -> 'key' is not null and not coalesce(convoy.is_uuid(request ->> 'key'), false) then
    return convoy.failure('malformed', 'key must be a UUID.');
  end if;
  if jsonb_typeof(request -> 'changes') is distinct from 'array' then
    return convoy.failure('malformed', 'changes must be a list.');
  end if;
  if request -> 'settle' = 'true' and (request -> 'key' is null or request -> 'changes' <> '[]') then
    return convoy.failure('malformed', 'A batch is settled by its key, without changes.');
  end if;
  if jsonb_array_length(request -> 'changes') > most_changes then
    return convoy.failure('too_large', 'A batch holds at most ' || most_changes || ' changes.');
  end if;
  return null;
end
$$;

create or replace function convoy.answer_known_batch(
  device uuid, batch_no bigint, batch_key uuid, digest bytea, settles boolean
) returns jsonb
language plpgsql set search_path = '' as $$
declare
  known convoy.devices;
begin
  insert into convoy.devices (device_id, user_id) values (device, auth.uid()) on conflict do nothing;
  select * into known from convoy.devices d where d.device_id = device for update;
  if known.user_id is not null and known.user_id <> auth.uid() then
    return convoy.failure('device_conflict');
  end if;
  if batch_no > known.batch then
    return null;
  end if;
  if batch_no < known.batch
    or settles and known.key is distinct from batch_key
    or not settles and known.hash is distinct from digest
  then
    return convoy.failure('device_conflict');
  end if;
  if known.answer is null then
    return convoy.void_answer(batch_no);
  end if;
  -- A backup was put back since: the kept answer is of another history (U22).
  if exists (
    select from jsonb_each(known.answer -> 'revisions') r
    where not convoy.is_in_history(r.key::uuid, (r.value ->> 'revision')::bigint, r.value ->> 'tag'))
  then
    return convoy.failure('history_changed');
  end if;
  -- U41: the user has lost access to a scope since. Without revisions to skip, the next pull brings the rows that
  -- the user may still see.
  if exists (
    select from jsonb_array_elements_text(known.answer -> 'scopes') s
    where s not in (select v::text from convoy.visible_scopes() v))
  then
    return convoy.spell_answer(known.answer || '{"told": {}, "revisions": {}}');
  end if;
  return convoy.spell_answer(known.answer);
end
$$;

create or replace function convoy.void_answer(batch_no bigint) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('user_id', auth.uid(), 'batch', batch_no, 'server_time', now(), 'void', true)
$$;

create or replace function convoy.spell_answer(kept jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  page record;
begin
  select p.rows, p.deleted into page
    from convoy.read_page('{}', array(
      select row(t.key, i::uuid)::convoy.pick
      from jsonb_each(kept -> 'told') t cross join lateral jsonb_array_elements_text(t.value) i)) p;
  return kept - 'told' - 'scopes'
    || jsonb_build_object('effects', jsonb_build_object('rows', page.rows, 'deleted', page.deleted));
end
$$;

create or replace function convoy.kept_answer(
  batch_no bigint, changes convoy.change[], decided convoy.decision[]
) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  scopes uuid[];
  revisions bigint[];
  made jsonb;
begin
  select coalesce(array_agg(s.scope_id), '{}'), coalesce(array_agg(s.revision), '{}'),
      coalesce(jsonb_object_agg(s.scope_id, jsonb_build_object('revision', s.revision, 'tag', s.tag)), '{}')
    into scopes, revisions, made
    from convoy.scope_clocks s
    where s.scope_id in (select c.workspace_id from unnest(changes) c)
      and s.bumped_in = pg_current_xact_id() and s.bumped_at = now();
  return jsonb_build_object(
    'user_id', auth.uid(),
    'batch', batch_no,
    'server_time', now(),
    'outcomes', (select coalesce(jsonb_agg(d.outcome order by d.position), '[]') from unnest(decided) d),
    'told', (
      select coalesce(jsonb_object_agg(t.table_name, t.ids), '{}')
      from (
        select p.table_name, jsonb_agg(p.id) as ids
        from unnest(convoy.pick_effects(changes, decided, scopes, revisions)) p group by p.table_name
      ) t),
    'scopes', (select coalesce(jsonb_agg(distinct c.workspace_id), '[]') from unnest(changes) c where c.workspace_id is not null),
    'revisions', made);
end
$$;

create or replace function public.sync_push(request jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = ''
set timezone = 'UTC'
set statement_timeout = '8s'
set lock_timeout = '5s'
as $$
declare
  reply jsonb := convoy.refuse_push(request);
  batch_no bigint;
  batch_key uuid;
  device uuid;
  digest bytea;
  settles boolean;
  cursors convoy.cursor_position[];
  changes convoy.change[];
  todo convoy.change[];
  links convoy.link[];
  decided convoy.decision[];
  refused convoy.decision[];
  locked uuid[];
begin
  if reply is not null then
    return reply;
  end if;
  begin
    cursors := convoy.read_cursors(request -> 'cursors', request -> 'skip');
  exception when sqlstate 'SN009' then
    return convoy.failure('malformed', sqlerrm);
  end;
  batch_no := convoy.to_count(request -> 'batch');
  batch_key := (request ->> 'key')::uuid;
  settles := coalesce(request -> 'settle' = 'true', false);
  device := (request ->> 'device_id')::uuid;
  digest := sha256(convert_to((request -> 'changes')::text, 'UTF8'));
  reply := convoy.answer_known_batch(device, batch_no, batch_key, digest, settles);
  if reply is not null then
    return reply;
  end if;
  if not convoy.knows_cursors(cursors) then
    -- A device id is its user's once a batch of it was applied; a refused request takes none.
    delete from convoy.devices d where d.device_id = device and d.batch = 0;
    return convoy.failure('history_changed');
  end if;
  if settles then
    -- The number is void from now on: a late copy of its batch is answered with device_conflict.
    update convoy.devices d
      set user_id = auth.uid(), batch = batch_no, key = batch_key, hash = null, answer = null, updated_at = now()
      where d.device_id = device;
    return convoy.void_answer(batch_no);
  end if;

  changes := convoy.parse_changes(request -> 'changes');
  locked := convoy.lock_clocks(changes);
  select d.changes, d.links, d.decided into todo, links, decided from convoy.decide(changes, cursors, locked) d;
  refused := convoy.write_groups(todo, links, '{}', null);
  todo := convoy.still_open(todo, refused);
  decided := decided || refused || convoy.conclude(todo, convoy.look_up(todo));
  perform convoy.record_conflicts(changes, decided);
  reply := convoy.kept_answer(batch_no, changes, decided);
  update convoy.devices d
    set user_id = auth.uid(), batch = batch_no, key = batch_key, hash = digest, answer = reply, updated_at = now()
    where d.device_id = device;
  return convoy.spell_answer(reply);
end
$$;

revoke all on function convoy.answer_known_batch(uuid,bigint,uuid,bytea,boolean) from public, anon, authenticated, service_role;
revoke all on function convoy.void_answer(bigint) from public, anon, authenticated, service_role;
revoke all on function convoy.spell_answer(jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.kept_answer(bigint,convoy.change[],convoy.decision[]) from public, anon, authenticated, service_role;
