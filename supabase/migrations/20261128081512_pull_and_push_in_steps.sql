-- sync_pull and sync_push become short functions whose steps have names. What they do stays the same, and so does
-- what clients see. Functions that are here for their comments alone have no other change.

create type convoy.pull_turn as (
  scope uuid, role text, head bigint, head_tag text, from_start boolean, reset boolean, expired boolean,
  is_paging boolean, is_later_page boolean, whole boolean, from_revision bigint, from_id uuid, target bigint,
  target_tag text, skip bigint[]
);

create type convoy.page_filling as (
  ranges convoy.page_range[], pending convoy.page_range[], rows_left bigint, bytes_left bigint, is_full boolean,
  taken text, reached_revision bigint, reached_id uuid
);

CREATE OR REPLACE FUNCTION convoy.cascade_deletion()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  child record;
begin
  -- Rows that were deleted before have no live descendants, so they need not be told apart.
  if not exists (select from new_rows n where n.deleted_at is not null) then
    return null;
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
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION convoy.restore_deletion(deletion uuid)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  held constant jsonb := convoy.held_by(deletion);
begin
  -- Deletions of dependencies and memberships alone have no record.
  update public.deletions d set restored_at = now() where d.id = deletion and d.restored_at is null;
  if not found then
    perform convoy.restore_rows(deletion, h.key::uuid) from jsonb_each(held) h;
  end if;
  return (select coalesce(sum(h.value::bigint), 0) from jsonb_each_text(held) h)
    - (select coalesce(sum(h.value::bigint), 0) from jsonb_each_text(convoy.held_by(deletion)) h);
end
$function$;

CREATE OR REPLACE FUNCTION convoy.plan_pull(me uuid, known convoy.cursor_position[])
 RETURNS convoy.pull_turn[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  no_id constant uuid := '00000000-0000-0000-0000-000000000000';
  last_id constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  scope record;
  turn convoy.pull_turn;
  turns convoy.pull_turn[] := '{}';
begin
  for scope in
    select v.id, v.role, c.revision as head, c.tag as head_tag, c.purged_to, k.revision, k.tag, k.target, k.after,
      coalesce(k.whole, false) as whole, k.own_revision, coalesce(k.skip, '{}') as skip, k as cursor_position
    from (
      select m.workspace_id as id, m.role from public.workspace_members m
        where m.user_id = me and m.deleted_at is null
      union all
      select '00000000-0000-7000-8000-000000000000', 'reference'
    ) v
    join convoy.scope_clocks c on c.scope_id = v.id
    left join unnest(known) k on k.scope = v.id
    order by v.id
  loop
    turn := row(scope.id, scope.role, scope.head, scope.head_tag, false, false, false, false, false, scope.whole,
      scope.revision, coalesce(scope.after, last_id), coalesce(scope.target, scope.head), scope.head_tag, scope.skip)::convoy.pull_turn;
    -- A cursor that stands at the head with the head's tag needs no look at the history.
    if scope.revision is not null and (scope.revision <> scope.head or scope.tag <> scope.head_tag
      or scope.target is not null or scope.own_revision is not null)
    then
      if convoy.knows_cursor(scope.cursor_position)
        and scope.revision <= coalesce(scope.target, scope.revision)
      then
        turn.is_later_page := scope.target is not null;
        -- Tombstones were purged while the device was paging: its remaining pages may miss deletions (P16).
        turn.expired := turn.is_later_page and not scope.whole and scope.revision < scope.purged_to;
        turn.reset := turn.expired;
        if turn.is_later_page then
          turn.target_tag := scope.tag;
        end if;
      else
        turn.reset := true;
        turn.expired := convoy.knew_cursor(scope.cursor_position) and not convoy.knows_cursor(scope.cursor_position);
      end if;
    end if;
    turn.from_start := scope.revision is null or turn.reset;
    turn.is_paging := scope.target is not null and not turn.reset;
    if turn.from_start then
      turn.whole := true;
      turn.from_revision := 0;
      turn.from_id := no_id;
      turn.target := scope.head;
      turn.target_tag := scope.head_tag;
      -- In another history these revisions are other transactions'.
      turn.skip := '{}';
    end if;
    turns := turns || turn;
  end loop;
  return turns;
end
$function$;

CREATE OR REPLACE FUNCTION convoy.fill_from(page convoy.page_filling, wanted convoy.page_range)
 RETURNS convoy.page_filling
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  page_end convoy.page_end;
begin
  if not page.is_full then
    page_end := convoy.find_page_end(wanted.scope, wanted.from_revision, wanted.from_id, wanted.to_revision, wanted.skip,
      page.rows_left, page.bytes_left, wanted.tables);
    if page_end.revision is null then
      page.taken := 'nothing';
      return page;
    end if;
    -- A row too large for the rest of this page opens the next one, unless the page is empty.
    if page_end.bytes <= page.bytes_left or cardinality(page.ranges) = 0 then
      page.ranges := page.ranges || row(wanted.scope, wanted.from_revision, wanted.from_id,
        page_end.revision, page_end.id, wanted.skip, wanted.tables)::convoy.page_range;
      page.rows_left := page.rows_left - page_end.row_count;
      page.bytes_left := page.bytes_left - page_end.bytes;
      page.is_full := not page_end.complete or page.rows_left < 1 or page.bytes_left < 1;
      page.taken := case when page_end.complete then 'all' else 'part' end;
      page.reached_revision := page_end.revision;
      page.reached_id := page_end.id;
      if not page_end.complete then
        page.pending := page.pending || row(wanted.scope, page_end.revision, page_end.id,
          wanted.to_revision, wanted.to_id, wanted.skip, wanted.tables)::convoy.page_range;
      end if;
      return page;
    end if;
    page.is_full := true;
  end if;
  page.taken := 'waits';
  page.pending := page.pending || wanted;
  return page;
end
$function$;

CREATE OR REPLACE FUNCTION convoy.cursor_after(turn convoy.pull_turn, page convoy.page_filling)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select case
    when page.taken in ('nothing', 'all') then jsonb_build_object('revision', turn.target, 'tag', turn.target_tag)
    when page.taken = 'waits' and turn.is_paging then null
    else jsonb_build_object('tag', turn.target_tag, 'target', turn.target)
      || case when turn.whole then '{"whole": true}' else '{}' end::jsonb
      || case when page.taken = 'part'
          then jsonb_build_object('revision', page.reached_revision, 'after', page.reached_id)
          else jsonb_build_object('revision', turn.from_revision) end
  end
$function$;

CREATE OR REPLACE FUNCTION convoy.fill_page(turns convoy.pull_turn[], refills convoy.refill[], max_rows bigint, OUT ranges convoy.page_range[], OUT pending convoy.page_range[], OUT cursors jsonb, OUT refilled jsonb)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  page_bytes constant bigint := 1000000;
  last_id constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  page convoy.page_filling := row('{}', '{}', max_rows, page_bytes, false, null, null, null)::convoy.page_filling;
  turn convoy.pull_turn;
  refill convoy.refill;
  reached jsonb;
begin
  cursors := '{}';
  refilled := '{}';
  foreach turn in array turns loop
    continue when not turn.from_start and not turn.is_paging and turn.from_revision = turn.target;
    page := convoy.fill_from(page,
      row(turn.scope, turn.from_revision, turn.from_id, turn.target, last_id, turn.skip, null)::convoy.page_range);
    reached := convoy.cursor_after(turn, page);
    if reached is not null then
      cursors := cursors || jsonb_build_object(turn.scope, reached);
    end if;
  end loop;
  foreach refill in array refills loop
    page := convoy.fill_from(page, row(refill.scope, refill.revision, coalesce(refill.after, last_id), refill.target,
      last_id, '{}', refill.tables)::convoy.page_range);
    if page.taken <> 'waits' then
      refilled := refilled || jsonb_build_object(refill.scope, case
        when page.taken = 'part' then jsonb_build_object('revision', page.reached_revision, 'after', page.reached_id)
        else jsonb_build_object('revision', refill.target) end);
    end if;
  end loop;
  ranges := page.ranges;
  pending := page.pending;
end
$function$;

CREATE OR REPLACE FUNCTION convoy.due_refills(refills convoy.refill[], turns convoy.pull_turn[])
 RETURNS convoy.refill[]
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select array(
    select f from unnest(turns) with ordinality t (scope, role, head, head_tag, from_start, reset, expired, is_paging,
      is_later_page, whole, from_revision, from_id, target, target_tag, skip, n)
    join unnest(refills) f on f.scope = t.scope
    where not t.from_start order by t.n)
$function$;

CREATE OR REPLACE FUNCTION convoy.count_run(rows json, deleted json, pending convoy.page_range[])
 RETURNS bigint
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select coalesce((
      select sum(convoy.count_rows(p.scope, p.from_revision, p.from_id, p.to_revision, p.skip, p.tables))
      from unnest(pending) p), 0)
    + coalesce((select sum(json_array_length(r.value -> 'id')) from json_each(rows) r), 0)
    + coalesce((select sum(json_array_length(d.value)) from json_each(deleted) d), 0)
$function$;

CREATE OR REPLACE FUNCTION public.sync_pull(request jsonb)
 RETURNS json
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
 SET "TimeZone" TO 'UTC'
 SET statement_timeout TO '8s'
AS $function$
declare
  me constant uuid := auth.uid();
  refusal jsonb := convoy.refuse_request(request);
  known convoy.cursor_position[];
  refills convoy.refill[];
  max_rows bigint := least(coalesce(convoy.to_count(request -> 'limit'), 5000), 5000);
  turns convoy.pull_turn[];
  filled record;
  page record;
  is_more boolean;
  is_first_page boolean;
begin
  if refusal is not null then
    return refusal;
  end if;
  begin
    known := convoy.read_cursors(request -> 'cursors', request -> 'skip');
    refills := convoy.read_refills(nullif(request -> 'refill', 'null'));
  exception when sqlstate 'SN009' then
    return convoy.failure('malformed', sqlerrm);
  end;
  if max_rows < 1 then
    return convoy.failure('malformed', 'limit must be at least 1.');
  end if;

  turns := convoy.plan_pull(me, known);
  if cardinality(refills) > 0 then
    refills := convoy.due_refills(refills, turns);
  end if;
  select * into filled from convoy.fill_page(turns, refills, max_rows);
  select p.rows, p.deleted into page from convoy.read_page(filled.ranges, '{}') p;
  is_more := cardinality(filled.pending) > 0;
  is_first_page := not exists (select from unnest(turns) t where t.is_later_page)
    and not exists (select from unnest(refills) f where f.revision <> 0);

  return json_build_object(
    'user_id', me,
    'server_time', now(),
    'scopes', (
      select to_json(array_agg(jsonb_build_object('id', t.scope, 'role', t.role, 'head', t.head, 'tag', t.head_tag)
        || case when t.expired then '{"reset": true, "expired": true}' when t.reset then '{"reset": true}' else '{}' end::jsonb
        order by t.scope))
      from unnest(turns) t),
    'rows', page.rows,
    'deleted', page.deleted,
    'cursors', filled.cursors,
    'refilled', filled.refilled,
    -- A user who never was a member learns nothing: a foreign scope and a missing one answer alike (R7).
    'forgotten', array(
      select k.scope from unnest(known) k
      where k.tag <> '' and k.scope not in (select convoy.visible_scopes()) and not convoy.knew_cursor(k)),
    'more', is_more,
    'total', case when is_first_page and is_more then convoy.count_run(page.rows, page.deleted, filled.pending) end);
end
$function$;

CREATE OR REPLACE FUNCTION convoy.parse_changes(changes jsonb)
 RETURNS convoy.change[]
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select coalesce(array_agg(row(
    e.n,
    t.name,
    e.op,
    case when e.sound_id then e.id::uuid end,
    case when e.sound_workspace then e.workspace_id::uuid end,
    e.base,
    -- A change that names no group is one of its own.
    coalesce(e.group_no, -e.n),
    case when jsonb_typeof(e.payload) = 'object'
      then (e.payload - t.ignored) || coalesce(i.spelled, '{}') else '{}' end,
    case when jsonb_typeof(e.edited_at) = 'object' then e.edited_at else '{}' end,
    case
      when jsonb_typeof(e.c) <> 'object' then convoy.rejection('malformed', null, 'A change is an object.')
      when jsonb_typeof(e.c -> 'table') is distinct from 'string'
        then convoy.rejection('malformed', null, 'A change names its table.')
      when t.name is null
        then convoy.rejection('unknown_table', null, 'There is no table ' || quote_ident(e.table_name) || '.')
      when e.op is null or e.op not in ('insert', 'update', 'delete')
        then convoy.rejection('malformed', null, 'A change is an insert, an update or a delete.')
      when not e.sound_id
        then convoy.rejection('malformed', 'id', 'The id must be a UUID.')
      when not e.sound_workspace
        then convoy.rejection('malformed', 'workspace_id', 'The workspace must be a UUID.')
      when e.group_no is null
        then convoy.rejection('malformed', null, 'A change names its group by a number.')
      when e.base is null and coalesce(e.c -> 'base', 'null') <> 'null'
        then convoy.rejection('malformed', null, 'The base must be a revision or null.')
      when coalesce(jsonb_typeof(e.payload), 'absent')
          not in ('object', case when e.op = 'delete' then 'absent' else 'object' end)
        then convoy.rejection('malformed', null, 'The values must be an object.')
      when coalesce(jsonb_typeof(e.edited_at), 'object') <> 'object'
        then convoy.rejection('malformed', null, 'The edit times must be an object.')
      when t.name = 'workspaces' and e.id <> e.workspace_id
        then convoy.rejection('malformed', 'workspace_id', 'A workspace is its own scope.')
      when e.op <> 'delete' and e.payload - t.pushable - t.ignored <> '{}'
        then (select convoy.rejection('unknown_column', k, 'Clients do not write the column ' || quote_ident(k) || '.')
          from jsonb_object_keys(e.payload - t.pushable - t.ignored) k order by k limit 1)
      when i.unsound is not null then convoy.rejection('invalid_value', i.unsound, 'The value must be a UUID.')
    end,
    e.nth,
    null, null, null, null, null
  )::convoy.change order by e.n), '{}')
  from (
    -- Each part is read out of the JSON once.
    select s.*,
      coalesce(convoy.is_uuid(s.id), false) as sound_id,
      coalesce(convoy.is_uuid(s.workspace_id), false) as sound_workspace,
      row_number() over (partition by s.id, s.table_name, s.op order by s.n) as nth
    from (
      select e.n, e.c, e.c ->> 'table' as table_name, e.c ->> 'op' as op, lower(e.c ->> 'id') collate "C" as id,
        lower(e.c ->> 'workspace_id') as workspace_id, convoy.to_count(e.c -> 'base') as base,
        convoy.to_count(e.c -> 'group') as group_no, e.c -> 'values' as payload, e.c -> 'edited_at' as edited_at
      from jsonb_array_elements(changes) with ordinality e (c, n)
      offset 0
    ) s
    offset 0
  ) e
  left join convoy.synced_tables t on t.name = e.table_name
  -- PostgreSQL takes a UUID in several spellings; an id in a second one would match nothing it is compared with.
  left join lateral (
    select jsonb_object_agg(k, lower(e.payload ->> k)) as spelled,
      min(k) filter (where not convoy.is_uuid(e.payload ->> k)) as unsound
    from unnest(t.ids) k
    where e.payload ?| t.ids and e.payload ->> k !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
  ) i on true
$function$;

CREATE OR REPLACE FUNCTION convoy.decide_permission(changes convoy.change[], roles jsonb)
 RETURNS convoy.decision[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
 SET enable_nestloop TO 'off'
AS $function$
declare
  agent boolean := exists (select from public.profiles p where p.id = auth.uid() and p.kind = 'agent');
begin
  return array(
    select row(c.position, case
        when roles -> c.workspace_id::text = 'null' then jsonb_build_object('outcome', 'blocked', 'by', c.workspace_id)
        else convoy.rejection('forbidden', null, 'You may not do this here.')
      end, false)::convoy.decision
    from unnest(changes) c
    left join convoy.permissions p
      on p.role = roles ->> c.workspace_id::text and p.table_name = c.table_name and p.op = c.op
    where c.workspace_id = '00000000-0000-7000-8000-000000000000'
      or p.role is null and (c.table_name, c.op) <> ('workspaces', 'insert')
      -- Writes to these tables would take an agent past checkpoints, whatever its role.
      or agent and c.table_name in ('workflows', 'workspace_members'));
end
$function$;

CREATE OR REPLACE FUNCTION convoy.decide_existing(changes convoy.change[], memberships jsonb)
 RETURNS convoy.decision[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
 SET enable_nestloop TO 'off'
AS $function$
declare
  result convoy.decision[];
  again convoy.change;
  mine jsonb;
  theirs jsonb;
  differing jsonb;
begin
  result := array(
    select row(c.position, case
        when c.op = 'insert' and c.nth > 1
          then convoy.rejection('malformed', 'id', 'The batch inserts this record twice.')
        when c.op = 'insert' and (c.row_workspace <> c.workspace_id or not memberships ? c.workspace_id::text)
          then convoy.rejection('id_taken', 'id', 'This id is taken.')
        when c.op = 'delete' and c.row_workspace = c.workspace_id
          then jsonb_build_object('outcome', 'applied', 'revision', c.row_revision)
        else '{"outcome": "gone", "which": "record"}'
      end, false)::convoy.decision
    from unnest(changes) c
    left join unnest(changes) i
      on i.op = 'insert' and i.nth = 1 and i.table_name = c.table_name and i.id = c.id
        and i.workspace_id = c.workspace_id and c.op <> 'insert'
    where case c.op
      when 'insert' then c.nth > 1
        or c.row_revision is not null
          and (c.row_workspace <> c.workspace_id or not memberships ? c.workspace_id::text or c.row_deleted)
      else i.position is null and c.row_revision is null or coalesce(c.row_deleted, false)
    end);

  -- Inserts that arrived before, from a device that lost the answer and whose ledger row is gone.
  for again in
    select i.* from unnest(convoy.still_open(changes, result)) i where i.op = 'insert' and i.row_revision is not null
  loop
    mine := convoy.canonical(again.table_name, again.payload);
    theirs := convoy.current_row(again.table_name, again.id);
    select jsonb_object_agg(k, again.field_revisions -> k ->> 1) into differing
      from jsonb_object_keys(again.payload) k
      where mine is null or mine -> k is distinct from theirs -> k;
    result := result || row(again.position, case
        when differing is null then jsonb_build_object('outcome', 'applied', 'revision', again.row_revision)
        else jsonb_build_object('outcome', 'conflict', 'revision', again.row_revision, 'columns', differing)
      end, true)::convoy.decision;
  end loop;
  return result;
end
$function$;

CREATE OR REPLACE FUNCTION convoy.spread_refusals(changes convoy.change[], all_changes convoy.change[], links convoy.link[], decided convoy.decision[])
 RETURNS convoy.decision[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
 SET enable_nestloop TO 'off'
AS $function$
declare
  result convoy.decision[] := '{}';
  fresh convoy.decision[];
begin
  if cardinality(decided) = 0 then
    return result;
  end if;
  loop
    fresh := array(
      select distinct on (c.position) row(c.position, why.outcome, false)::convoy.decision
      from unnest(changes) c
      join (
        select l.position, 1 as rank, case
            when d.outcome ->> 'outcome' = 'gone' and l.column_name = 'id' then '{"outcome": "gone", "which": "record"}'
            when d.outcome ->> 'outcome' = 'gone' then '{"outcome": "gone", "which": "parent"}'
            else jsonb_build_object('outcome', 'blocked', 'by', l.parent_id)
          end as outcome
        from unnest(links) l
        join unnest(decided || result) d on d.position = l.provider
        where d.outcome ->> 'outcome' in ('rejected', 'blocked')
          or d.outcome ->> 'outcome' = 'gone' and l.is_parent
        union all
        select m.position, 2, case d.outcome ->> 'outcome'
            when 'rejected' then convoy.rejection('group', null, 'Another change of the same action was refused.')
            when 'blocked' then d.outcome
            else jsonb_build_object('outcome', 'blocked', 'by', x.id)
          end
        from unnest(changes) m
        join unnest(all_changes) x on x.group_no = m.group_no
        join unnest(decided || result) d on d.position = x.position
        where d.outcome ->> 'outcome' in ('rejected', 'blocked')
          -- Of a change that is decided as a conflict nothing is written.
          or d.outcome ->> 'outcome' = 'conflict' and x.op <> 'insert'
          -- A record that was to stand under a deleted one does not: no activity may tell that it does.
          or d.outcome @> '{"outcome": "gone", "which": "parent"}'
      ) why on why.position = c.position
      order by c.position, why.rank, why.outcome ->> 'outcome' desc);
    exit when cardinality(fresh) = 0;
    result := result || fresh;
    changes := convoy.still_open(changes, fresh);
  end loop;
  return result;
end
$function$;

CREATE OR REPLACE FUNCTION convoy.clashing_columns(c convoy.change)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  mine jsonb := convoy.canonical(c.table_name, c.payload);
  theirs jsonb := convoy.current_row(c.table_name, c.id);
  result jsonb;
begin
  with rivals as (
    select f.key as name, m.unit, f.value ->> 1 as edited
    from jsonb_each(c.field_revisions) f
    join convoy.synced_columns m on m.table_name = c.table_name and m.name = f.key
    where (f.value ->> 0)::bigint > c.base
    union all
    -- Base 0 is of no revision of this history: the edit has not seen the values the row was created with either.
    select m.name, m.unit, null from convoy.synced_columns m
    where c.base = 0 and m.table_name = c.table_name and not c.field_revisions ? m.name
  ), sent as (
    -- A column without a unit is one of its own.
    select m.name, coalesce(m.unit, m.name) as unit, mine is null or mine -> m.name is distinct from theirs -> m.name as differs
    from jsonb_object_keys(c.payload) k
    join convoy.synced_columns m on m.table_name = c.table_name and m.name = k
  ), clashing_units as (
    select s.unit, max(r.edited) as edited
    from sent s join rivals r on coalesce(r.unit, r.name) = s.unit
    group by s.unit having bool_or(s.differs)
  )
  select jsonb_object_agg(s.name, coalesce(r.edited, u.edited)) into result
    from sent s
    join clashing_units u on u.unit = s.unit
    left join rivals r on r.name = s.name;
  return result;
end
$function$;

CREATE OR REPLACE FUNCTION convoy.find_clashes(changes convoy.change[])
 RETURNS convoy.clash[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return array(
    select row(x.position, x.columns)::convoy.clash
    from (
      select c.position, case
          when c.base = 0 or exists (
            select from jsonb_each(c.field_revisions) f
            join convoy.synced_columns m on m.table_name = c.table_name and m.name = f.key
            where (f.value ->> 0)::bigint > c.base
              and (c.payload ? f.key or m.unit is not null and exists (
                select from convoy.synced_columns u
                where u.table_name = c.table_name and u.unit = m.unit and c.payload ? u.name)))
          then convoy.clashing_columns(c)
        end as columns
      from unnest(changes) c
      where c.op = 'update' and c.base is not null and c.row_revision > c.base
        -- Two devices that restore the same deletion do not conflict (U24).
        and c.table_name <> 'deletions'
      offset 0
    ) x
    where x.columns is not null);
end
$function$;

CREATE OR REPLACE FUNCTION convoy.decide_deletes(changes convoy.change[], cursors convoy.cursor_position[])
 RETURNS convoy.decision[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  frontier convoy.descendant[];
  next_frontier convoy.descendant[];
  found_rows convoy.descendant[];
  everything convoy.descendant[];
  moved_rows convoy.descendant[];
  moves convoy.change[];
  child record;
begin
  -- In a scope without revisions of others since the base no delete can conflict.
  frontier := array(
    select row(c.position, c.table_name, c.id, c.row_revision)::convoy.descendant
    from unnest(changes) c
    left join unnest(cursors) k on k.scope = c.workspace_id
    where c.op = 'delete' and c.base is not null and c.row_revision is not null
      and exists (
        select from convoy.scope_revisions r
        where r.scope_id = c.workspace_id and r.revision > c.base and r.revision <> all (coalesce(k.skip, '{}'))));
  everything := frontier;
  moves := case when cardinality(frontier) > 0 then array(
    select c from unnest(changes) c
    where c.op = 'update' and c.row_revision is not null and exists (
      select from convoy.synced_columns m
      where m.table_name = c.table_name and m.is_parent and c.payload ? m.name)) end;
  while cardinality(frontier) > 0 loop
    next_frontier := '{}';
    for child in
      select m.table_name, m.name, m.refers_to from convoy.synced_columns m
      where m.is_parent and exists (select from unnest(frontier) f where f.table_name = m.refers_to)
      union all
      -- A workspace is the parent of all its rows.
      select t.name, 'workspace_id', 'workspaces' from convoy.synced_tables t
      where t.name not in ('workspaces', 'workspace_members', 'deletions')
        and exists (select from unnest(frontier) f where f.table_name = 'workspaces')
    loop
      execute format(
        'select array_agg(row(f.root, %L, t.id, t.revision)::convoy.descendant)
           from unnest($1) f join public.%I t on t.%I = f.id
          where f.table_name = %L and t.deleted_at is null
            and not exists (select from unnest($2) e where e.root = f.root and e.table_name = %L and e.id = t.id)',
        child.table_name, child.table_name, child.name, child.refers_to, child.table_name)
        into found_rows using frontier, case when child.table_name = child.refers_to then everything else '{}' end;
      next_frontier := next_frontier || coalesce(found_rows, '{}');
      if cardinality(moves) > 0 then
        select array_agg(row(f.root, c.table_name, c.id, c.row_revision)::convoy.descendant) into moved_rows
          from unnest(frontier) f
          join unnest(moves) c on c.table_name = child.table_name and c.payload ->> child.name = f.id::text
          where f.table_name = child.refers_to
            and not exists (
              select from unnest(everything) e where e.root = f.root and e.table_name = c.table_name and e.id = c.id);
        next_frontier := next_frontier || coalesce(moved_rows, '{}');
      end if;
    end loop;
    everything := everything || next_frontier;
    -- The rows below a workspace have been found at once.
    frontier := array(
      select f from unnest(next_frontier) f
      join unnest(changes) c on c.position = f.root where c.table_name <> 'workspaces');
  end loop;
  return array(
    select distinct row(c.position,
      jsonb_build_object('outcome', 'conflict', 'revision', c.row_revision, 'columns', '{}'::jsonb), true)::convoy.decision
    from unnest(everything) e
    join unnest(changes) c on c.position = e.root
    left join unnest(cursors) k on k.scope = c.workspace_id
    where e.revision > c.base and e.revision <> all (coalesce(k.skip, '{}')));
end
$function$;

CREATE OR REPLACE FUNCTION convoy.insert_rows(target text, changes convoy.change[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  t convoy.synced_tables;
begin
  select * into t from convoy.synced_tables s where s.name = target;
  execute format(
    'insert into public.%1$I (id, workspace_id, created_at, %2$s)
     select c.id, c.workspace_id, convoy.to_time(c.edited_at ->> ''created_at''), %3$s
       from unnest($1) c
       cross join lateral jsonb_populate_record(null::public.%1$I, $2 || c.payload) r
      where c.table_name = %1$L and c.op = ''insert'' order by c.position %4$s',
    target,
    (select string_agg(quote_ident(p), ', ') from unnest(t.pushable) p),
    (select string_agg('r.' || quote_ident(p), ', ') from unnest(t.pushable) p),
    -- U10: a row that exists under another id is not inserted, and `conclude` finds its twin.
    case target
      when 'task_dependencies' then 'on conflict (task_id, depends_on_task_id) where deleted_at is null do nothing'
      when 'workspace_members' then 'on conflict (workspace_id, user_id) where deleted_at is null do nothing'
      else '' end)
    using changes, t.defaults;
end
$function$;

CREATE OR REPLACE FUNCTION convoy.write_changes(changes convoy.change[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  early convoy.change[] := '{}';
  deletions jsonb;
  step record;
begin
  deletions := convoy.deletions_of(changes);
  if deletions is not null then
    early := convoy.early_deletes(changes);
    perform convoy.delete_rows('task_dependencies', early, deletions);
    perform convoy.delete_rows('workspace_members', early, deletions);
  end if;
  -- Parents first; updates of a table before the next one's inserts, which may rely on them. Deletes last,
  -- and leaves first: a row that is deleted by itself is no part of its parent's deletion (U23).
  for step in
    select t.name, c.op, follows.along from unnest(changes) c
    join convoy.synced_tables t on t.name = c.table_name
    -- A row that the device deleted along with another record counts as part of that record's deletion.
    cross join lateral (select c.op = 'delete' and c.payload ? 'along_with' as along) follows
    group by t.name, t.position, c.op, follows.along
    order by c.op = 'delete', follows.along, case when c.op = 'delete' then -t.position else t.position end, c.op
  loop
    case step.op
      when 'insert' then perform convoy.insert_rows(step.name, changes);
      when 'update' then perform convoy.update_rows(step.name, changes);
      else perform convoy.delete_rows(step.name, array(
        select c from unnest(changes) c
        where c.table_name = step.name and c.op = 'delete' and (c.payload ? 'along_with') = step.along), deletions);
    end case;
  end loop;
end
$function$;

CREATE OR REPLACE FUNCTION convoy.find_culprit(changes convoy.change[])
 RETURNS convoy.decision
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  c convoy.change;
  tried integer;
  state text;
  table_name text;
  constraint_name text;
  column_name text;
  message text;
begin
  begin
    for c in
      select x.* from unnest(changes) x join convoy.synced_tables t on t.name = x.table_name
      order by x.op = 'delete' and not (x.table_name = 'task_dependencies' and x.row_revision is not null),
        case when x.op = 'delete' and x.table_name = 'task_dependencies' then 0 else t.position end,
        x.op, x.position
    loop
      tried := c.position;
      perform convoy.write_changes(array[c]);
    end loop;
    -- Each change passes alone, and not with the others: the first one stands for the group.
    tried := changes[1].position;
    raise exception 'The changes do not go together.' using errcode = 'SN000';
  exception when others then
    get stacked diagnostics state = returned_sqlstate, table_name = table_name,
      constraint_name = constraint_name, column_name = column_name, message = message_text;
    if convoy.is_transient(state) then
      raise;
    end if;
  end;
  return row(tried, convoy.rejection_of(state, table_name, constraint_name, column_name, message), false)::convoy.decision;
end
$function$;

CREATE OR REPLACE FUNCTION convoy.order_groups(changes convoy.change[], links convoy.link[])
 RETURNS bigint[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  last constant integer := 1000;
  levels jsonb;
  raised jsonb;
begin
  select jsonb_object_agg(g.group_no, case when g.deletes then last else 0 end) into levels
    from (
      select c.group_no,
        bool_or(c.op = 'delete' and c.table_name not in ('task_dependencies', 'workspace_members')) as deletes
      from unnest(changes) c group by c.group_no
    ) g;
  -- Devices merge groups that need each other, so there are no cycles; the bound is for requests of other clients.
  for i in 1 .. 20 loop
    select jsonb_object_agg(x.group_no, x.level) into raised
    from (
      select c.group_no, max((levels ->> p.group_no::text)::integer + 1) as level
      from unnest(links) l
      join unnest(changes) c on c.position = l.position
      join unnest(changes) p on p.position = l.provider
      where c.group_no <> p.group_no
      group by c.group_no
    ) x
    where x.level > (levels ->> x.group_no::text)::integer;
    exit when raised is null;
    levels := levels || raised;
  end loop;
  return array(select g.key::bigint from jsonb_each_text(levels) g order by g.value::integer, g.key::bigint);
end
$function$;

CREATE OR REPLACE FUNCTION convoy.write_groups(changes convoy.change[], links convoy.link[], settled convoy.decision[], ordered bigint[])
 RETURNS convoy.decision[]
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  refused convoy.decision[] := '{}';
  failed boolean := false;
  state text;
  table_name text;
  constraint_name text;
  column_name text;
  message text;
  half bigint[];
begin
  if cardinality(settled) > 0 and cardinality(links) > 0 then
    refused := convoy.spread_refusals(changes, changes, links, settled);
    changes := convoy.still_open(changes, refused);
  end if;
  if cardinality(changes) = 0 then
    return refused;
  end if;
  if cardinality(settled) > 0 and clock_timestamp() > now() + interval '6 seconds' then
    -- Hundreds of refusals take long: the rest waits for the next push, before the statement times out (U18).
    return refused || array(
      select row(c.position, jsonb_build_object('outcome', 'blocked', 'by', c.id), false)::convoy.decision
      from unnest(changes) c);
  end if;
  begin
    perform convoy.write_changes(changes);
  exception when others then
    get stacked diagnostics state = returned_sqlstate, table_name = table_name,
      constraint_name = constraint_name, column_name = column_name, message = message_text;
    if convoy.is_transient(state) then
      raise;
    end if;
    failed := true;
  end;
  if not failed then
    return refused;
  end if;
  if cardinality(changes) = 1 then
    return refused || row(
      changes[1].position,
      convoy.rejection_of(state, table_name, constraint_name, column_name, message), false)::convoy.decision;
  end if;

  ordered := array(
    select o.g from unnest(coalesce(ordered, convoy.order_groups(changes, links))) with ordinality o (g, n)
    where o.g in (select c.group_no from unnest(changes) c) order by o.n);
  if cardinality(ordered) = 1 then
    refused := refused || convoy.find_culprit(changes);
    return refused || convoy.spread_refusals(convoy.still_open(changes, refused), changes, links, refused);
  end if;
  half := ordered[: cardinality(ordered) / 2];
  refused := refused || convoy.write_groups(
    array(select c from unnest(changes) c where c.group_no = any (half) order by c.position),
    links, settled || refused, half);
  return refused || convoy.write_groups(
    array(select c from unnest(changes) c where c.group_no <> all (half) order by c.position),
    links, settled || refused, ordered[cardinality(ordered) / 2 + 1 :]);
end
$function$;

CREATE OR REPLACE FUNCTION convoy.refuse_push(request jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
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
  if jsonb_typeof(request -> 'changes') is distinct from 'array' then
    return convoy.failure('malformed', 'changes must be a list.');
  end if;
  if jsonb_array_length(request -> 'changes') > most_changes then
    return convoy.failure('too_large', 'A batch holds at most ' || most_changes || ' changes.');
  end if;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION convoy.answer_known_batch(device uuid, batch_no bigint, digest bytea, changes jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
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
  -- U41. Without its revisions to leave out, the next pull brings what the user may still see.
  if exists (
    select from jsonb_array_elements(changes) c
    where c ->> 'workspace_id' not in (select v::text from convoy.visible_scopes() v))
  then
    return known.answer || '{"effects": {"rows": {}, "deleted": {}}, "revisions": {}}';
  end if;
  return known.answer;
end
$function$;

CREATE OR REPLACE FUNCTION convoy.knows_cursors(cursors convoy.cursor_position[])
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select not exists (
    select from unnest(cursors) k
    where k.revision is not null and not convoy.knows_cursor(k)
      and not (k.own_revision is null and exists (
        select from convoy.scope_revisions r
        where r.scope_id = k.scope and r.revision > k.revision and r.tag = k.tag)))
$function$;

CREATE OR REPLACE FUNCTION convoy.lock_clocks(changes convoy.change[])
 RETURNS uuid[]
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  -- A workspace that is to be created has no clock yet. One of 256 locks stands for it, so that no batch fills
  -- the server's table of locks.
  perform pg_advisory_xact_lock('public.workspaces'::regclass::oid::integer, w.slot)
    from (
      select distinct uuid_hash(c.id) & 255 as slot from unnest(changes) c
      where c.table_name = 'workspaces' and c.op = 'insert' and c.id is not null order by slot
    ) w;
  return array(
    select s.scope_id from convoy.scope_clocks s
    where s.scope_id in (
      select c.workspace_id from unnest(changes) c
      intersect
      select m.workspace_id from public.workspace_members m where m.user_id = auth.uid() and m.deleted_at is null)
    order by s.scope_id for update);
end
$function$;

CREATE OR REPLACE FUNCTION convoy.answer_push(batch_no bigint, changes convoy.change[], decided convoy.decision[])
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  scopes uuid[];
  revisions bigint[];
  made jsonb;
  page record;
begin
  select coalesce(array_agg(s.scope_id), '{}'), coalesce(array_agg(s.revision), '{}'),
      coalesce(jsonb_object_agg(s.scope_id, jsonb_build_object('revision', s.revision, 'tag', s.tag)), '{}')
    into scopes, revisions, made
    from convoy.scope_clocks s
    where s.scope_id in (select c.workspace_id from unnest(changes) c)
      and s.bumped_in = pg_current_xact_id() and s.bumped_at = now();
  select p.rows, p.deleted into page
    from convoy.read_page('{}', convoy.pick_effects(changes, decided, scopes, revisions)) p;
  return jsonb_build_object(
    'user_id', auth.uid(),
    'batch', batch_no,
    'server_time', now(),
    'outcomes', (select coalesce(jsonb_agg(d.outcome order by d.position), '[]') from unnest(decided) d),
    'effects', jsonb_build_object('rows', page.rows, 'deleted', page.deleted),
    'revisions', made);
end
$function$;

CREATE OR REPLACE FUNCTION public.sync_push(request jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET "TimeZone" TO 'UTC'
 SET statement_timeout TO '8s'
 SET lock_timeout TO '5s'
AS $function$
declare
  reply jsonb := convoy.refuse_push(request);
  batch_no bigint;
  device uuid;
  digest bytea;
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
  device := (request ->> 'device_id')::uuid;
  digest := sha256(convert_to((request -> 'changes')::text, 'UTF8'));
  reply := convoy.answer_known_batch(device, batch_no, digest, request -> 'changes');
  if reply is not null then
    return reply;
  end if;
  if not convoy.knows_cursors(cursors) then
    return convoy.failure('history_changed');
  end if;

  changes := convoy.parse_changes(request -> 'changes');
  locked := convoy.lock_clocks(changes);
  select d.changes, d.links, d.decided into todo, links, decided from convoy.decide(changes, cursors, locked) d;
  refused := convoy.write_groups(todo, links, '{}', null);
  todo := convoy.still_open(todo, refused);
  decided := decided || refused || convoy.conclude(todo, convoy.look_up(todo));
  reply := convoy.answer_push(batch_no, changes, decided);
  update convoy.devices d
    set user_id = auth.uid(), batch = batch_no, hash = digest, answer = reply, updated_at = now()
    where d.device_id = device;
  return reply;
end
$function$;

CREATE OR REPLACE FUNCTION public.accept_invitation(invitation_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  invitation public.invitations;
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  -- A statement of its own, so that the next one sees members who were removed or given another role meanwhile (S2).
  perform from convoy.scope_clocks c
    where c.scope_id = (select i.workspace_id from public.invitations i where i.id = accept_invitation.invitation_id)
    for update;
  select i.* into invitation from public.invitations i
    join auth.users u on u.id = auth.uid() and lower(u.email) = i.email
    join public.workspaces w on w.id = i.workspace_id and w.deleted_at is null
    join public.workspace_members o
      on o.workspace_id = i.workspace_id and o.user_id = i.invited_by and o.role = 'owner' and o.deleted_at is null
    join public.profiles p on p.id = i.invited_by and p.kind = 'human'
    where i.id = accept_invitation.invitation_id and i.accepted_at is null and i.expires_at > now()
      and not exists (
        select from public.workspace_members m
        where m.workspace_id = i.workspace_id and m.user_id = auth.uid() and m.deleted_at >= i.created_at)
    for update of i;
  if not found then
    return convoy.failure('not_found');
  end if;
  insert into public.workspace_members (id, workspace_id, user_id, role)
    values (gen_random_uuid(), invitation.workspace_id, auth.uid(), invitation.role)
    on conflict do nothing;
  -- Accepting uses up all invitations of this address to the workspace.
  update public.invitations i set accepted_at = now()
    where i.workspace_id = invitation.workspace_id and i.email = invitation.email and i.accepted_at is null;
  return jsonb_build_object('workspace_id', invitation.workspace_id);
end
$function$;

CREATE OR REPLACE FUNCTION convoy.purge(horizon interval DEFAULT '180 days'::interval)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  t record;
  unreferenced text;
  purged bigint := 0;
  in_table bigint;
begin
  perform set_config('convoy.purge', 'on', true);
  perform from convoy.scope_clocks c order by c.scope_id for update;
  update convoy.scope_clocks c set purged_to = old.head
    from (
      select r.scope_id, max(r.revision) as head from convoy.scope_revisions r
      where r.created_at < now() - horizon group by r.scope_id
    ) old
    where old.scope_id = c.scope_id and old.head > c.purged_to;
  for t in select s.name from convoy.synced_tables s order by s.position desc loop
    select coalesce(string_agg(format('and not exists (select from public.%I c where c.%I = t.id)', c.table_name, c.name), ' '), '')
      into unreferenced from convoy.synced_columns c where c.refers_to = t.name;
    execute format(
      'delete from public.%I t using convoy.scope_clocks s
        where s.scope_id = t.workspace_id and t.deleted_at is not null and t.revision <= s.purged_to %s',
      t.name,
      unreferenced || case when t.name = 'workspaces' then ' and false' else '' end);
    get diagnostics in_table = row_count;
    purged := purged + in_table;
  end loop;
  -- Deletions whose rows are erased are no longer offered for restoring. Devices learn that from a tombstone.
  update public.deletions d set deleted_at = now() from convoy.scope_clocks c
    where c.scope_id = d.workspace_id and d.deleted_at is null and d.revision <= c.purged_to;
  insert into convoy.purged_tags as p (scope_id, tags)
    select r.scope_id, string_agg(decode(left(r.tag, 8), 'hex'), ''::bytea order by r.revision)
    from convoy.scope_revisions r join convoy.scope_clocks c on c.scope_id = r.scope_id and r.revision < c.purged_to
    group by r.scope_id
    on conflict (scope_id) do update set tags = p.tags || excluded.tags;
  delete from convoy.scope_revisions r using convoy.scope_clocks c
    where c.scope_id = r.scope_id and r.revision < c.purged_to;
  -- In one transaction with the tags: a batch that arrives a second time after this was made on a cursor older
  -- than its own revision, and is refused (U3, U20).
  delete from convoy.devices d where d.updated_at < now() - horizon;
  perform set_config('convoy.purge', '', true);
  return purged;
end
$function$;

revoke all on function convoy.plan_pull(uuid,convoy.cursor_position[]) from public, anon, authenticated, service_role;
revoke all on function convoy.fill_from(convoy.page_filling,convoy.page_range) from public, anon, authenticated, service_role;
revoke all on function convoy.cursor_after(convoy.pull_turn,convoy.page_filling) from public, anon, authenticated, service_role;
revoke all on function convoy.fill_page(convoy.pull_turn[],convoy.refill[],bigint) from public, anon, authenticated, service_role;
revoke all on function convoy.due_refills(convoy.refill[],convoy.pull_turn[]) from public, anon, authenticated, service_role;
revoke all on function convoy.count_run(json,json,convoy.page_range[]) from public, anon, authenticated, service_role;
revoke all on function convoy.refuse_push(jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.answer_known_batch(uuid,bigint,bytea,jsonb) from public, anon, authenticated, service_role;
revoke all on function convoy.knows_cursors(convoy.cursor_position[]) from public, anon, authenticated, service_role;
revoke all on function convoy.lock_clocks(convoy.change[]) from public, anon, authenticated, service_role;
revoke all on function convoy.answer_push(bigint,convoy.change[],convoy.decision[]) from public, anon, authenticated, service_role;
