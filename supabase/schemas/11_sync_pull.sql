-- sync_pull: section 2 of docs/sync-spec.md. STABLE, and so is all it calls: one snapshot (P1). It returns
-- json rather than jsonb: a page is built once and not read again on the server.

-- A scope that the user may see, and the range of its rows that a pull has to send.
create type convoy.pull_turn as (
  scope uuid,
  role text,
  head bigint,
  head_tag text,
  -- The device has nothing of it, or nothing of this history: it is sent from the beginning.
  from_start boolean,
  -- The device had a cursor, of another history or from before the last purge.
  reset boolean,
  expired boolean,
  -- The device is in the middle of a run of pages.
  is_paging boolean,
  -- This request goes on with a run of pages, whether or not the run still holds.
  is_later_page boolean,
  -- The run of pages began with nothing.
  whole boolean,
  -- Exclusive.
  from_revision bigint,
  from_id uuid,
  target bigint,
  target_tag text,
  skip bigint[]
);

-- Decides for each visible scope where its pages begin and which target they go to (P3 to P5, P8, P16).
create function convoy.plan_pull(me uuid, known convoy.cursor_position[]) returns convoy.pull_turn[]
language plpgsql stable set search_path = '' as $$
declare
  no_id constant uuid := '00000000-0000-0000-0000-000000000000'::uuid;
  last_id constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid;
  scope record;
  turn convoy.pull_turn;
  turns convoy.pull_turn[] := '{}'::convoy.pull_turn[];
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
$$;

-- A page that is being filled.
create type convoy.page_filling as (
  ranges convoy.page_range[],
  -- The ranges that are left for later pages.
  pending convoy.page_range[],
  rows_left bigint,
  bytes_left bigint,
  is_full boolean,
  -- How much of the latest range the page took: `nothing` (it is empty), `all`, a `part`, or it `waits` for a later page.
  taken text,
  -- Where the part ends.
  reached_revision bigint,
  reached_id uuid
);

-- Takes as much of a range into the page as fits.
create function convoy.fill_from(page convoy.page_filling, wanted convoy.page_range) returns convoy.page_filling
language plpgsql stable set search_path = '' as $$
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
$$;

-- The cursor that a device has in a scope after the page; null where it stays as it is. While paging it carries
-- the frozen target, so that the run has an end (P5).
create function convoy.cursor_after(turn convoy.pull_turn, page convoy.page_filling) returns jsonb
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

-- A page of the scopes in their order, then of the refills: news come before tables that are new to the device (P14).
create function convoy.fill_page(
  turns convoy.pull_turn[], refills convoy.refill[], max_rows bigint,
  out ranges convoy.page_range[], out pending convoy.page_range[], out cursors jsonb, out refilled jsonb
) language plpgsql stable set search_path = '' as $$
declare
  page_bytes constant bigint := 1000000;
  last_id constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid;
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
$$;

-- The refills of scopes that the device goes on with, in the order of the scopes.
create function convoy.due_refills(refills convoy.refill[], turns convoy.pull_turn[]) returns convoy.refill[]
language plpgsql stable set search_path = '' as $$
begin
  return array(
    select f from unnest(turns) with ordinality t (scope, role, head, head_tag, from_start, reset, expired, is_paging,
      is_later_page, whole, from_revision, from_id, target, target_tag, skip, n)
    join unnest(refills) f on f.scope = t.scope
    where not t.from_start order by t.n);
end
$$;

-- The rows of a run of pages: those of its first page, and those that are pending (P9).
create function convoy.count_run(rows json, deleted json, pending convoy.page_range[]) returns bigint
language plpgsql stable set search_path = '' as $$
begin
  return coalesce((
      select sum(convoy.count_rows(p.scope, p.from_revision, p.from_id, p.to_revision, p.skip, p.tables))
      from unnest(pending) p), 0)
    + coalesce((select sum(json_array_length(r.value -> 'id')) from json_each(rows) r), 0)
    + coalesce((select sum(json_array_length(d.value)) from json_each(deleted) d), 0);
end
$$;

-- The rows that the device wants once more, since it could not apply them (P33). Those behind its cursors alone: the
-- others come in the pages. Raises SN009 where the list is malformed.
create function convoy.wanted_rows(wanted jsonb, turns convoy.pull_turn[]) returns convoy.pick[]
language plpgsql stable set search_path = '' as $$
declare
  most_wanted constant integer := 100;
  result convoy.pick[] := '{}'::convoy.pick[];
  found convoy.pick[];
  named record;
begin
  if wanted is null then
    return result;
  end if;
  if jsonb_typeof(wanted) <> 'array' or jsonb_array_length(wanted) > most_wanted then
    raise exception 'wanted must be a list of at most % rows.', most_wanted using errcode = 'SN009';
  end if;
  if exists (
    select from jsonb_array_elements(wanted) w
    where jsonb_typeof(w -> 'table') is distinct from 'string' or not coalesce(convoy.is_uuid(w ->> 'id'), false))
  then
    raise exception 'A wanted row is named by table and id.' using errcode = 'SN009';
  end if;
  for named in
    select s.name, array_agg((w ->> 'id')::uuid) as ids
    from jsonb_array_elements(wanted) w join convoy.synced_tables s on s.name = w ->> 'table'
    group by s.name
  loop
    execute format(
      'select array_agg(row(%1$L, r.id)::convoy.pick) from public.%1$I r join unnest($2) t on t.scope = r.workspace_id
         where r.id = any ($1) and not t.from_start and (r.revision, r.id) <= (t.from_revision, t.from_id)', named.name)
      into found using named.ids, turns;
    result := result || coalesce(found, '{}');
  end loop;
  return result;
end
$$;

create function public.sync_pull(request jsonb) returns json
language plpgsql stable security definer
set search_path = ''
set timezone = 'UTC'
set statement_timeout = '8s'
as $$
declare
  me constant uuid := auth.uid();
  refusal jsonb := convoy.refuse_request(request);
  known convoy.cursor_position[];
  refills convoy.refill[];
  max_rows bigint := least(coalesce(convoy.to_count(request -> 'limit'), 5000), 5000);
  turns convoy.pull_turn[];
  wanted convoy.pick[];
  filled record;
  page record;
  is_more boolean;
  is_first_page boolean;
  unsettled constant uuid[] := array(select convoy.unsettled_scopes());
begin
  if refusal is not null then
    return refusal;
  end if;
  begin
    known := convoy.read_cursors(request -> 'cursors', request -> 'skip');
    refills := convoy.read_refills(nullif(request -> 'refill', 'null'));
    turns := convoy.plan_pull(me, known);
    wanted := convoy.wanted_rows(nullif(request -> 'wanted', 'null'), turns);
  exception when sqlstate 'SN009' then
    return convoy.failure('malformed', sqlerrm);
  end;
  if max_rows < 1 then
    return convoy.failure('malformed', 'limit must be at least 1.');
  end if;

  if cardinality(refills) > 0 then
    refills := convoy.due_refills(refills, turns);
  end if;
  select * into filled from convoy.fill_page(turns, refills, max_rows);
  select p.rows, p.deleted into page from convoy.read_page(filled.ranges, wanted) p;
  is_more := cardinality(filled.pending) > 0;
  is_first_page := not exists (select from unnest(turns) t where t.is_later_page)
    and not exists (select from unnest(refills) f where f.revision <> 0);

  return json_build_object(
    'user_id', me,
    'server_time', now(),
    'scopes', (
      select to_json(array_agg(jsonb_build_object('id', t.scope, 'role', t.role, 'head', t.head, 'tag', t.head_tag)
        || case when t.expired then '{"reset": true, "expired": true}' when t.reset then '{"reset": true}' else '{}' end::jsonb
        || case when t.scope = any (unsettled) then '{"unsettled": true}' else '{}' end::jsonb
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
$$;

revoke all on function public.sync_pull(jsonb) from public, anon, authenticated;
grant execute on function public.sync_pull(jsonb) to authenticated;
revoke execute on all functions in schema convoy from public;
