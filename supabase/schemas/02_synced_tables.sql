-- The common part of all synced tables: the columns of convoy.record, and, made by convoy.make_synced(),
-- the stamps (S5, S6), the cascade of tombstones, the pull index, row level security and grants.

create table convoy.record (
  id uuid primary key,
  workspace_id uuid not null,
  -- Stamps: a trigger writes them, over any value a writer sent.
  revision bigint not null,
  -- {column: [revision, edit time]} of the columns changed since the row was created.
  field_revisions jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  -- Shared by all rows that one deletion took along: restoring it restores exactly those.
  deletion_id uuid,
  last_modified_by uuid
);

create function convoy.keys_of(object jsonb) returns text[]
language sql immutable set search_path = '' as $$
  select coalesce(array_agg(k order by k), '{}') from jsonb_object_keys(object) k
$$;

create table convoy.synced_tables (
  name text primary key,
  -- Dependency order: a parent stands before its children.
  position integer not null unique,
  -- Columns a client may write, beside id and workspace_id.
  pushable text[] not null,
  -- Columns that a client may send and the server sets all the same.
  ignored text[] not null,
  -- The pushable columns' defaults, for rows that are inserted without them.
  defaults jsonb not null,
  defaulted text[] not null generated always as (convoy.keys_of(defaults)) stored,
  -- The pushable columns that hold ids.
  ids text[] not null,
  -- All columns that are sent to devices.
  sent text[] not null
);

create table convoy.synced_columns (
  table_name text not null references convoy.synced_tables,
  name text not null,
  -- Columns of one unit merge together (U6).
  unit text,
  -- The synced table this column names a row of, and whether deleting that row deletes this one.
  refers_to text,
  is_parent boolean not null default false,
  primary key (table_name, name)
);

alter table convoy.record enable row level security;
alter table convoy.synced_tables enable row level security;
alter table convoy.synced_columns enable row level security;
grant select on convoy.synced_tables, convoy.synced_columns to service_role;

-- An instant as text, the same whatever the time zone of the session. (A body after RETURN is resolved
-- when the function is made, so that no search_path can bend it, and is inlined where it is used.)
create function convoy.iso(instant timestamptz) returns text language sql stable
  return to_char(instant at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- The revision of the latest news of a row (U8): its own, unless quiet columns alone have changed since. `field_revisions`
-- keeps under `news` the revision of the quiet change, and that of the news before it.
create function convoy.news_revision(revision bigint, field_revisions jsonb) returns bigint language sql immutable
  return case when (field_revisions -> 'news' ->> 0)::bigint = revision
    then (field_revisions -> 'news' ->> 1)::bigint else revision end;

-- Writes the stamp function of a table from its columns: comparing them one by one in compiled code
-- costs a tenth of comparing rows as JSON. A migration that adds a column calls make_synced again.
--   quiet: columns whose changes are no news (C7): the row is sent to devices, and nothing else says that it was written.
create function convoy.write_stamp_function(table_name text, columns text[], quiet text[] default '{}') returns void
language plpgsql set search_path = '' as $outer$
declare
  comparisons text;
  quiet_update text := '';
begin
  if cardinality(quiet) > 0 then
    select format($code$
        if (%s, new.deleted_at) is not distinct from (%s, old.deleted_at) then
          new.revision := stamp;
          new.field_revisions := old.field_revisions
            || jsonb_build_object('news', jsonb_build_array(stamp, convoy.news_revision(old.revision, old.field_revisions)));
          new.updated_at := old.updated_at;
          new.last_modified_by := old.last_modified_by;
          new.deleted_at := old.deleted_at;
          new.deletion_id := old.deletion_id;
          return new;
        end if;$code$,
        string_agg(format('new.%I', c.name), ', ' order by c.n), string_agg(format('old.%I', c.name), ', ' order by c.n))
      into quiet_update from unnest(columns) with ordinality c (name, n) where c.name <> all (quiet);
  end if;
  select string_agg(format($code$
    if new.%1$I is distinct from old.%1$I then
      fields := fields || jsonb_build_object(%1$L, jsonb_build_array(stamp, case
        when new.field_revisions -> %1$L is distinct from old.field_revisions -> %1$L
        then new.field_revisions -> %1$L -> 1 else to_jsonb(convoy.iso(now())) end));
    end if;$code$, name), '' order by ordinality)
  into comparisons from unnest(columns) with ordinality as c (name, ordinality) where c.name <> all (quiet);

  execute format($function$
    create or replace function convoy.%1$I() returns trigger
    language plpgsql security definer set search_path = '' as $body$
    declare
      stamp bigint;
      fields jsonb := '{}';
    begin
      if tg_op = 'DELETE' then
        if current_setting('convoy.purge', true) is distinct from 'on' then
          raise exception 'Rows are deleted by setting deleted_at.' using errcode = 'SN007';
        end if;
        return old;
      end if;
      if tg_op = 'UPDATE' then
        if new.id <> old.id or new.workspace_id <> old.workspace_id then
          raise exception 'A record stays in the workspace it was created in.'
            using errcode = 'SN005', column = 'workspace_id';
        end if;
        if (%2$s, new.deleted_at) is not distinct from (%3$s, old.deleted_at) then
          return old;
        end if;
      end if;

      select c.revision into stamp from convoy.scope_clocks c
        where c.scope_id = new.workspace_id and c.bumped_in = pg_current_xact_id() and c.bumped_at = now();
      if not found then
        stamp := convoy.bump(new.workspace_id);
      end if;

      if tg_op = 'INSERT' then
        new.created_at := least(coalesce(new.created_at, now()), now());
      else
        new.created_at := old.created_at;%5$s
        fields := old.field_revisions%6$s;
        %4$s
        if new.deleted_at is null then
          new.deletion_id := null;
        elsif old.deleted_at is null then
          new.deleted_at := now();
          new.deletion_id := coalesce(new.deletion_id, gen_random_uuid());
        else
          new.deleted_at := old.deleted_at;
          new.deletion_id := old.deletion_id;
        end if;
      end if;
      new.revision := stamp;
      new.field_revisions := fields;
      new.updated_at := now();
      new.last_modified_by := convoy.author();
      return new;
    end
    $body$
  $function$,
    'stamp_' || table_name,
    (select string_agg(format('new.%I', name), ', ') from unnest(columns) as name),
    (select string_agg(format('old.%I', name), ', ') from unnest(columns) as name),
    comparisons, quiet_update,
    -- All of a row that is written otherwise is news.
    case when cardinality(quiet) > 0 then $code$ - 'news'$code$ else '' end);
end
$outer$;

-- Deleting a row deletes its live descendants under the same deletion_id: at once where they are few, in steps where they
-- are many, or others of the workspace wait for steps already (U44). The trigger of each child table carries the cascade
-- on; within a table one statement covers any depth, since a nested trigger for each level would exhaust the server's
-- stack. Memberships stay, so that members learn of the deletion, and so do the records in `deletions`.
create function convoy.cascade_deletion() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  -- whole: within the cascade of a row further up; steps: in a step, which looks for what stands below by itself; at once:
  -- for a client that knows no steps.
  mode constant text := coalesce(current_setting('convoy.cascade', true), '');
  most constant integer := convoy.step_records();
  ids uuid[];
  deleted record;
  child record;
begin
  if mode = 'steps' or not exists (select from convoy.children_of(tg_table_name)) then
    return null;
  end if;
  ids := array(
    select g.id
    from (
      select n.id, n.deleted_at, o.deleted_at as deleted_before from new_rows n full join old_rows o on o.id = n.id offset 0
    ) g
    where g.deleted_at is not null and g.deleted_before is null);
  if cardinality(ids) = 0 then
    return null;
  end if;
  if mode = '' then
    if exists (
        select from new_rows n join convoy.unfinished_deletions u on u.workspace_id = n.workspace_id
        where n.deleted_at is not null)
      or convoy.count_below(
        array(select row(0, tg_table_name, i.id, null)::convoy.descendant from unnest(ids) i (id)), most) > most
    then
      for deleted in
        select n.workspace_id, n.deletion_id, array_agg(n.id) as ids
        from new_rows n where n.id = any (ids) group by n.workspace_id, n.deletion_id order by 1, 2
      loop
        perform convoy.begin_steps(deleted.deletion_id, deleted.workspace_id, tg_table_name, deleted.ids);
      end loop;
      return null;
    end if;
    perform set_config('convoy.cascade', 'whole', true);
  end if;
  if tg_table_name = 'workspaces' then
    -- Leaves first: rows that are deleted already are not looked for again from further up.
    for child in
      select t.name from convoy.synced_tables t
      where t.name not in ('workspaces', 'workspace_members', 'deletions') order by t.position desc
    loop
      execute format(
        'update public.%I c set deleted_at = n.deleted_at, deletion_id = n.deletion_id
           from new_rows n
          where c.workspace_id = n.id and c.deleted_at is null and n.deleted_at is not null',
        child.name);
    end loop;
  else
    for child in
      select c.table_name, c.name from convoy.synced_columns c
      where c.refers_to = tg_table_name and c.is_parent order by c.table_name, c.name
    loop
      execute format(
        'with recursive gone as (
           select n.id, n.deleted_at, n.deletion_id from new_rows n where n.deleted_at is not null
         ), below as (
           select c.id, g.deleted_at, g.deletion_id
             from gone g join public.%1$I c on c.%2$I = g.id where c.deleted_at is null
           %3$s
         )
         update public.%1$I c set deleted_at = b.deleted_at, deletion_id = b.deletion_id
           from below b where c.id = b.id',
        child.table_name, child.name,
        case when child.table_name = tg_table_name then format(
          'union
           select c.id, b.deleted_at, b.deletion_id
             from below b join public.%1$I c on c.%2$I = b.id where c.deleted_at is null',
          child.table_name, child.name) end);
    end loop;
  end if;
  if mode = '' then
    perform set_config('convoy.cascade', '', true);
  end if;
  return null;
end
$$;

-- Makes a table that has the columns of convoy.record a synced table.
--   refs: {column: table} of columns that name a row of a synced table; parents: columns whose row takes
--   this one along when it is deleted; units: {column: unit}; server_set: columns that no client writes; ignored: those of
--   them that earlier clients may send, and whose changes are no news.
-- Call it again after adding a column: it replaces the old settings.
create function convoy.make_synced(
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
  defaults jsonb := '{}'::jsonb;
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

  perform convoy.write_stamp_function(table_name, columns, make_synced.ignored);
  execute format('revoke execute on function convoy.%I() from public', 'stamp_' || table_name);
  -- Triggers fire in the order of their names: the clock is locked before anything is checked.
  execute format('create or replace trigger a_stamp before insert or update or delete on public.%I
    for each row execute function convoy.%I()', table_name, 'stamp_' || table_name);
  execute format('create or replace trigger z_cascade after update on public.%I
    referencing old table as old_rows new table as new_rows
    for each statement execute function convoy.cascade_deletion()', table_name);

  execute format('create index if not exists %I on public.%I (workspace_id, revision, id)',
    table_name || '_pull', table_name);
  execute format('create index if not exists %I on public.%I (deletion_id) where deletion_id is not null',
    table_name || '_deletion', table_name);
  execute format('create index if not exists %I on public.%I (workspace_id, revision) where deleted_at is not null',
    table_name || '_tombstones', table_name);
  execute format('alter table public.%I enable row level security', table_name);
  execute format('drop policy if exists members_read on public.%I', table_name);
  -- Of a deleted row a member learns its id by a pull, and never its text: it may have been deleted before they came.
  -- Nor are rows shown that wait to be deleted, or to be restored, with what they stand under (U44).
  execute format('create policy members_read on public.%1$I for select to authenticated
    using (deleted_at is null and workspace_id = any (array(select convoy.visible_scopes()))
      and not (workspace_id = any (array(select convoy.unsettled_scopes())) and convoy.hidden_by(%1$L, id) is not null))', table_name);
  execute format('revoke all on public.%I from public, anon, authenticated', table_name);
  execute format('grant select on public.%I to authenticated', table_name);
  execute format('grant all on public.%I to service_role', table_name);
end
$$;

revoke execute on all functions in schema convoy from public;
