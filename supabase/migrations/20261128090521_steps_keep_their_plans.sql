-- The steps of sync_pull and sync_push that were SQL functions are PL/pgSQL, which keeps their plans for the session.
-- make_synced lists the columns that hold ids in the order of the columns, no longer in that of a scan. The other
-- functions are here for their comments alone.

update convoy.synced_tables t
  set ids = array(
    select a.attname::text from pg_catalog.pg_attribute a
    where a.attrelid = format('public.%I', t.name)::regclass and a.attname = any (t.ids)
    order by a.attnum);

create or replace function convoy.make_synced(
  table_name text,
  table_position integer,
  refs jsonb default '{}',
  parents text[] default '{}',
  units jsonb default '{}',
  server_set text[] default '{}',
  ignored text[] default '{}'
) returns void
language plpgsql set search_path = '' as $$
declare
  common constant text[] := array['id', 'workspace_id', 'revision', 'field_revisions', 'created_at',
    'updated_at', 'deleted_at', 'deletion_id', 'last_modified_by'];
  columns text[];
  defaults jsonb := '{}';
  item record;
  value jsonb;
begin
  select array_agg(a.attname::text order by a.attnum) into columns
    from pg_catalog.pg_attribute a
    where a.attrelid = format('public.%I', table_name)::regclass
      and a.attnum > 0 and not a.attisdropped and a.attname <> all (common);
  for item in
    select a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid) as expression
    from pg_catalog.pg_attrdef d
    join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
    where d.adrelid = format('public.%I', table_name)::regclass
      and a.attname = any (columns) and a.attname <> all (server_set || make_synced.ignored)
  loop
    execute format('select to_jsonb(%s)', item.expression) into value;
    defaults := defaults || jsonb_build_object(item.attname, value);
  end loop;

  delete from convoy.synced_columns c where c.table_name = make_synced.table_name;
  insert into convoy.synced_tables as t (name, position, pushable, ignored, defaults, ids, sent)
    values (
      table_name, table_position,
      array(select c from unnest(columns) c where c <> all (server_set || make_synced.ignored)),
      make_synced.ignored,
      defaults,
      array(
        select a.attname::text from pg_catalog.pg_attribute a
        where a.attrelid = format('public.%I', table_name)::regclass
          and a.attname = any (columns) and a.attname <> all (server_set || make_synced.ignored)
          and a.atttypid = 'uuid'::regtype
        order by a.attnum),
      array['id', 'workspace_id'] || columns || array['revision', 'created_at', 'updated_at', 'last_modified_by'])
    on conflict (name) do update
      set position = excluded.position, pushable = excluded.pushable, ignored = excluded.ignored,
          defaults = excluded.defaults, ids = excluded.ids, sent = excluded.sent;
  insert into convoy.synced_columns (table_name, name, unit, refers_to, is_parent)
    select make_synced.table_name, c, units ->> c, refs ->> c, c = any (parents) from unnest(columns) c;

  perform convoy.write_stamp_function(table_name, columns);
  execute format('revoke execute on function convoy.%I() from public', 'stamp_' || table_name);
  -- Triggers fire in the order of their names: the clock is locked before anything is checked.
  execute format('create or replace trigger a_stamp before insert or update or delete on public.%I
    for each row execute function convoy.%I()', table_name, 'stamp_' || table_name);
  execute format('create or replace trigger z_cascade after update on public.%I
    referencing new table as new_rows
    for each statement execute function convoy.cascade_deletion()', table_name);

  execute format('create index if not exists %I on public.%I (workspace_id, revision, id)',
    table_name || '_pull', table_name);
  execute format('create index if not exists %I on public.%I (deletion_id) where deletion_id is not null',
    table_name || '_deletion', table_name);
  execute format('alter table public.%I enable row level security', table_name);
  execute format('drop policy if exists members_read on public.%I', table_name);
  execute format('create policy members_read on public.%I for select to authenticated
    using (workspace_id = any (array(select convoy.visible_scopes())))', table_name);
  execute format('revoke all on public.%I from public, anon, authenticated', table_name);
  execute format('grant select on public.%I to authenticated', table_name);
  execute format('grant all on public.%I to service_role', table_name);
end
$$;

create or replace function convoy.is_in_history(scope uuid, at bigint, at_tag text) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return exists (
    select from convoy.scope_clocks c where c.scope_id = scope and c.revision = at and c.tag = at_tag)
  or exists (
    select from convoy.scope_revisions r
    join convoy.scope_clocks c on c.scope_id = r.scope_id and c.revision >= r.revision
    where r.scope_id = scope and r.revision = at and r.tag = at_tag);
end
$$;

create or replace function convoy.knows_cursor(k convoy.cursor_position) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  -- While paging, the tag is the target's.
  return convoy.is_in_history(k.scope, coalesce(k.target, k.revision), k.tag)
    and (k.own_revision is null or convoy.is_in_history(k.scope, k.own_revision, k.own_tag));
end
$$;

create or replace function convoy.cursor_after(turn convoy.pull_turn, page convoy.page_filling) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return case
    when page.taken in ('nothing', 'all') then jsonb_build_object('revision', turn.target, 'tag', turn.target_tag)
    when page.taken = 'waits' and turn.is_paging then null
    else jsonb_build_object('tag', turn.target_tag, 'target', turn.target)
      || case when turn.whole then '{"whole": true}' else '{}' end::jsonb
      || case when page.taken = 'part'
          then jsonb_build_object('revision', page.reached_revision, 'after', page.reached_id)
          else jsonb_build_object('revision', turn.from_revision) end
  end;
end
$$;

create or replace function convoy.due_refills(refills convoy.refill[], turns convoy.pull_turn[]) returns convoy.refill[]
language plpgsql stable set search_path = '' as $$
begin
  return array(
    select f from unnest(turns) with ordinality t (scope, role, head, head_tag, from_start, reset, expired, is_paging,
      is_later_page, whole, from_revision, from_id, target, target_tag, skip, n)
    join unnest(refills) f on f.scope = t.scope
    where not t.from_start order by t.n);
end
$$;

create or replace function convoy.count_run(rows json, deleted json, pending convoy.page_range[]) returns bigint
language plpgsql stable set search_path = '' as $$
begin
  return coalesce((
      select sum(convoy.count_rows(p.scope, p.from_revision, p.from_id, p.to_revision, p.skip, p.tables))
      from unnest(pending) p), 0)
    + coalesce((select sum(json_array_length(r.value -> 'id')) from json_each(rows) r), 0)
    + coalesce((select sum(json_array_length(d.value)) from json_each(deleted) d), 0);
end
$$;

create or replace function convoy.conclude(before convoy.change[], after convoy.change[]) returns convoy.decision[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select row(b.position, case
        -- The twin of a duplicate may have been deleted by the same push.
        when b.op = 'insert' and a.row_revision is null
          then coalesce(
            (select jsonb_build_object('outcome', 'duplicate', 'of', twin) from convoy.find_twin(b) twin
              where twin is not null),
            '{"outcome": "gone", "which": "record"}')
        when b.conflicts is not null
          then jsonb_build_object('outcome', 'conflict', 'revision', a.row_revision, 'columns', b.conflicts)
        when b.op = 'update' and b.base is not null and b.row_revision > b.base
          then jsonb_build_object('outcome', 'merged', 'revision', a.row_revision)
        else jsonb_build_object('outcome', 'applied', 'revision', a.row_revision)
      end, case b.op
        when 'insert' then a.row_revision is null
          -- The server names members, fills in defaults, and dates rows that claim a later time.
          or b.table_name = 'workspace_members'
          or not b.payload ?& t.defaulted
          or coalesce(convoy.to_time(b.edited_at ->> 'created_at') > now(), true)
        when 'update' then b.conflicts is not null or b.base is null or b.row_revision > b.base
          -- The server dates a restore, and its triggers move subtasks along.
          or b.table_name = 'deletions' or b.table_name = 'tasks' and b.payload ? 'milestone_id'
        else false
      end)::convoy.decision
    from unnest(before) b
    join unnest(after) a on a.position = b.position
    join convoy.synced_tables t on t.name = b.table_name);
end
$$;

create or replace function convoy.pick_effects(
  changes convoy.change[], decided convoy.decision[], scopes uuid[], revisions bigint[]
) returns convoy.pick[]
language plpgsql stable set search_path = '' as $$
declare
  result convoy.pick[];
  touched record;
  written record;
begin
  result := convoy.told_rows(changes, decided);
  if cardinality(scopes) = 0 then
    return result;
  end if;
  for touched in
    -- A delete cascades anywhere, and so does undoing one; other changes stay in their table, but for the
    -- creator's membership.
    select t.name, p.live, p.deleted from convoy.synced_tables t
    left join convoy.plain_rows(changes, decided) p on p.table_name = t.name
    where exists (
      select from unnest(changes) c
      where c.op = 'delete' or c.table_name = 'deletions' or c.table_name = t.name
        or c.table_name = 'workspaces' and t.name = 'workspace_members')
  loop
    select w.live, w.deleted into written from convoy.rows_at(touched.name, scopes, revisions) w;
    result := result || array(
      select row(touched.name, w.id)::convoy.pick
      from (
        (select unnest(written.live) as id except select unnest(touched.live))
        union all
        (select unnest(written.deleted) except select unnest(touched.deleted))
      ) w);
  end loop;
  -- A move takes subtasks along (U29). A task that the device changed in this push may be a subtask of the moved one
  -- without the device knowing, so it is sent where its milestone is not the one that the device has.
  if exists (select from unnest(changes) c where c.table_name = 'tasks' and c.op = 'update' and c.payload ? 'milestone_id')
  then
    result := result || array(
      select row('tasks', t.id)::convoy.pick
      from unnest(scopes, revisions) s (scope, revision)
      join unnest(changes) c on c.workspace_id = s.scope and c.table_name = 'tasks' and c.op <> 'delete'
      join public.tasks t on t.id = c.id and t.workspace_id = s.scope and t.revision = s.revision
      where t.deleted_at is null and (t.field_revisions -> 'milestone_id' ->> 0)::bigint = s.revision
        and t.milestone_id::text is distinct from c.payload ->> 'milestone_id');
  end if;
  return array(select distinct p from unnest(result) p);
end
$$;

create or replace function convoy.decide(
  inout changes convoy.change[], cursors convoy.cursor_position[], locked uuid[],
  out links convoy.link[], out decided convoy.decision[]
) language plpgsql set search_path = '' as $$
declare
  all_changes constant convoy.change[] := changes;
  memberships jsonb;
  roles jsonb;
  stage convoy.decision[];
  clashes convoy.clash[];
begin
  select coalesce(jsonb_object_agg(m.workspace_id, m.role), '{}') into memberships
    from public.workspace_members m
    where m.user_id = auth.uid() and m.deleted_at is null and m.workspace_id = any (locked);
  -- The creator of a workspace owns it. A workspace that exists already gives no role.
  select coalesce(jsonb_object_agg(c.id, case when w.id is null then 'owner' end), '{}') || memberships into roles
    from unnest(changes) c left join public.workspaces w on w.id = c.id
    where c.table_name = 'workspaces' and c.op = 'insert' and c.id is not null;

  decided := array(
    select row(c.position, c.problem, false)::convoy.decision from unnest(changes) c where c.problem is not null);
  changes := convoy.still_open(changes, decided);

  stage := convoy.decide_permission(changes, roles);
  decided := decided || stage;
  changes := convoy.look_up(convoy.still_open(changes, stage));

  stage := convoy.decide_existing(changes, memberships);
  links := convoy.find_links(all_changes);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  stage := convoy.decide_parents(changes, links);
  links := array(select l from unnest(links) l where l.provider is not null);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  clashes := convoy.find_clashes(changes);
  if cardinality(clashes) > 0 then
    changes := convoy.without_clashes(changes, clashes);
    stage := convoy.decide_lost_updates(changes);
    decided := decided || stage;
    changes := convoy.still_open(changes, stage);
    stage := convoy.decide_split_moves(changes);
    decided := decided || stage;
    changes := convoy.still_open(changes, stage);
  end if;
  stage := convoy.decide_deletes(changes, cursors);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  stage := convoy.spread_refusals(changes, all_changes, links, decided);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);

  stage := convoy.decide_lost_moves(changes);
  decided := decided || stage;
  changes := convoy.still_open(changes, stage);
end
$$;

create or replace function convoy.answer_known_batch(device uuid, batch_no bigint, digest bytea, changes jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  known convoy.devices;
begin
  insert into convoy.devices (device_id) values (device) on conflict do nothing;
  select * into known from convoy.devices d where d.device_id = device for update;
  if batch_no > known.batch then
    return null;
  end if;
  if batch_no < known.batch or known.user_id is distinct from auth.uid() or known.hash is distinct from digest then
    return convoy.failure('device_conflict');
  end if;
  -- A backup was put back since: the stored answer is of another history (U22).
  if exists (
    select from jsonb_each(known.answer -> 'revisions') r
    where not convoy.is_in_history(r.key::uuid, (r.value ->> 'revision')::bigint, r.value ->> 'tag'))
  then
    return convoy.failure('history_changed');
  end if;
  -- U41: the user has lost access to a scope since. Without revisions to skip, the next pull brings the rows that
  -- the user may still see.
  if exists (
    select from jsonb_array_elements(changes) c
    where c ->> 'workspace_id' not in (select v::text from convoy.visible_scopes() v))
  then
    return known.answer || '{"effects": {"rows": {}, "deleted": {}}, "revisions": {}}';
  end if;
  return known.answer;
end
$$;

create or replace function convoy.knows_cursors(cursors convoy.cursor_position[]) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return not exists (
    select from unnest(cursors) k
    where k.revision is not null and not convoy.knows_cursor(k)
      and not (k.own_revision is null and exists (
        select from convoy.scope_revisions r
        where r.scope_id = k.scope and r.revision > k.revision and r.tag = k.tag)));
end
$$;
