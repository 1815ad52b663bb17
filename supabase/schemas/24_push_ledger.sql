-- sync_push, part 6: the ledger. What became of each device's latest batch, for a batch that is resent or settled (U2).

-- How many devices of a user the ledger holds at most: a new one takes the place of who was silent for longest. Tests replace
-- it.
create function convoy.most_devices() returns integer language sql immutable set search_path = ''
  return 200;

-- Whether the ledger has nothing of this device but the row that this push has made.
create function convoy.is_new_device(device uuid) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return exists (select from convoy.devices d where d.device_id = device and d.batch = 0);
end
$$;

-- P-ONCE: whether a batch of a device that is new to the ledger may have been applied before: others may have taken its place
-- since, and the user has made a revision that it does not know. Rows leave the ledger for age together with the tags of what
-- they are about, so that U3 refuses such a batch.
create function convoy.is_in_doubt(device uuid, cursors convoy.cursor_position[]) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return convoy.most_devices() <= (
      select count(*) from convoy.devices d where d.user_id = auth.uid() and d.device_id <> device)
    and exists (
      select from unnest(cursors) k
      join convoy.scope_revisions r on r.scope_id = k.scope and r.revision > k.revision and r.author = auth.uid()
      where r.revision <> all (k.skip));
end
$$;

-- Makes room for a new device in the ledger of its user.
create function convoy.make_room(device uuid) returns void
language sql set search_path = '' as $$
  delete from convoy.devices d where d.device_id in (
    select y.device_id from convoy.devices y
    where y.device_id in (
      select x.device_id from convoy.devices x
      where x.user_id = auth.uid() and x.device_id <> device
      order by x.updated_at desc offset convoy.most_devices() - 1)
    for update skip locked)
$$;

-- U2: locks the device's row in the ledger, so that the same batch twice, even at once, is applied once.
-- Returns the answer to a batch that is not to be applied: the kept one, or a failure; null for a new number.
--   settles: the request names the batch by its key alone, and asks what became of it.
create function convoy.answer_known_batch(
  device uuid, batch_no bigint, batch_key uuid, digest bytea, settles boolean
) returns jsonb
language plpgsql set search_path = '' as $$
declare
  known convoy.devices;
begin
  select * into known from convoy.devices d where d.device_id = device for update;
  if not found then
    insert into convoy.devices (device_id, user_id) values (device, auth.uid()) on conflict do nothing;
    select * into known from convoy.devices d where d.device_id = device for update;
  end if;
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

-- The answer to a settled number that was not taken, and never will be.
create function convoy.void_answer(batch_no bigint) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('user_id', auth.uid(), 'batch', batch_no, 'server_time', now(), 'void', true)
$$;

-- The answer to a batch, from what the ledger keeps: its effects are the rows as they are now, so that an answer which
-- is heard late brings nothing that is older than what the device has pulled since.
create function convoy.spell_answer(kept jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  page record;
begin
  if kept -> 'told' = '{}' then
    return kept - 'told' - 'scopes' || '{"effects": {"rows": {}, "deleted": {}}}';
  end if;
  select p.rows, p.deleted into page
    from convoy.read_page('{}', array(
      select row(t.key, i::uuid)::convoy.pick
      from jsonb_each(kept -> 'told') t cross join lateral jsonb_array_elements_text(t.value) i)) p;
  return kept - 'told' - 'scopes'
    || jsonb_build_object('effects', jsonb_build_object('rows', page.rows, 'deleted', page.deleted));
end
$$;

-- The part of the answer to an applied batch that the ledger keeps: outcomes in the order of the changes, the ids of its
-- effects by table, the revisions made (U4, U14), and the scopes it was about.
create function convoy.kept_answer(
  batch_no bigint, changes convoy.change[], kinds text[], decided convoy.decision[]
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
    'outcomes', (select coalesce(jsonb_agg(d.outcome order by d.position), '[]') from unnest(convoy.tell_keys(changes, kinds, decided)) d),
    'told', (
      select coalesce(jsonb_object_agg(t.table_name, t.ids), '{}')
      from (
        select p.table_name, jsonb_agg(p.id) as ids
        from unnest(convoy.pick_effects(changes, kinds, decided, scopes, revisions)) p group by p.table_name
      ) t),
    'scopes', (select coalesce(jsonb_agg(distinct c.workspace_id), '[]') from unnest(changes) c where c.workspace_id is not null),
    'revisions', made)
    || convoy.unfinished_answer(changes, scopes);
end
$$;

revoke execute on all functions in schema convoy from public;
