-- sync_pull: section 2 of docs/sync-spec.md. STABLE, and so is all it calls: one snapshot (P1). It returns
-- json rather than jsonb: a page is built once and not read again on the server.

create function public.sync_pull(request jsonb) returns json
language plpgsql stable security definer
set search_path = ''
set timezone = 'UTC'
set statement_timeout = '8s'
as $$
declare
  page_bytes constant bigint := 1000000;
  no_id constant uuid := '00000000-0000-0000-0000-000000000000';
  last_id constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  me constant uuid := auth.uid();
  refusal jsonb := convoy.refuse_request(request);
  known convoy.cursor_position[];
  refills convoy.refill[];
  refill convoy.refill;
  due convoy.refill[] := '{}';
  refilled jsonb := '{}';
  scope record;
  page_end convoy.page_end;
  ranges convoy.page_range[] := '{}';
  pending convoy.page_range[] := '{}';
  page record;
  scopes jsonb[] := '{}';
  cursors jsonb := '{}';
  rows_left bigint := least(coalesce(convoy.to_count(request -> 'limit'), 5000), 5000);
  bytes_left bigint := page_bytes;
  first_page boolean := true;
  more boolean := false;
  full_page boolean := false;
  reset boolean;
  expired boolean;
  paging jsonb;
  start_revision bigint;
  start_id uuid;
  target bigint;
  target_tag text;
  total bigint;
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
  if rows_left < 1 then
    return convoy.failure('malformed', 'limit must be at least 1.');
  end if;

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
    reset := false;
    expired := false;
    target := coalesce(scope.target, scope.head);
    target_tag := scope.head_tag;
    start_revision := scope.revision;
    start_id := coalesce(scope.after, last_id);
    if scope.revision is not null and (scope.revision <> scope.head or scope.tag <> scope.head_tag
      or scope.target is not null or scope.own_revision is not null)
    then
      if convoy.knows_cursor(scope.cursor_position)
        and scope.revision <= coalesce(scope.target, scope.revision)
      then
        -- Of tombstones that were purged under a run of pages, what is behind it may have to hear (P16).
        expired := scope.target is not null and not scope.whole and scope.revision < scope.purged_to;
        reset := expired;
        target_tag := case when scope.target is null then scope.head_tag else scope.tag end;
        first_page := first_page and scope.target is null;
      else
        reset := true;
        expired := convoy.knew_cursor(scope.cursor_position) and not convoy.knows_cursor(scope.cursor_position);
      end if;
    end if;
    if scope.revision is null or reset then
      start_revision := 0;
      start_id := no_id;
      target := scope.head;
      target_tag := scope.head_tag;
      -- Of another history, these are somebody else's.
      scope.skip := '{}';
    end if;
    scopes := scopes || (jsonb_build_object(
      'id', scope.id, 'role', scope.role, 'head', scope.head, 'tag', scope.head_tag)
      || case when expired then '{"reset": true, "expired": true}' when reset then '{"reset": true}' else '{}' end::jsonb);
    paging := jsonb_build_object('tag', target_tag, 'target', target)
      || case when scope.revision is null or reset or scope.whole then '{"whole": true}' else '{}' end::jsonb;
    if scope.revision is not null and not reset then
      due := due || array(select f from unnest(refills) f where f.scope = scope.id);
    end if;

    if scope.revision is not null and not reset and scope.target is null and scope.revision = target then
      continue;
    end if;

    if not full_page then
      page_end := convoy.find_page_end(scope.id, start_revision, start_id, target, scope.skip, rows_left, bytes_left, null);
      if page_end.revision is null then
        cursors := cursors || jsonb_build_object(scope.id, jsonb_build_object('revision', target, 'tag', target_tag));
        continue;
      end if;
      -- A row too large for what is left of this page opens the next one, unless the page is empty.
      if page_end.bytes <= bytes_left or cardinality(ranges) = 0 then
        ranges := ranges || row(
          scope.id, start_revision, start_id, page_end.revision, page_end.id, scope.skip, null)::convoy.page_range;
        if page_end.complete then
          cursors := cursors || jsonb_build_object(scope.id, jsonb_build_object('revision', target, 'tag', target_tag));
          rows_left := rows_left - page_end.row_count;
          bytes_left := bytes_left - page_end.bytes;
          full_page := rows_left < 1 or bytes_left < 1;
          continue;
        end if;
        cursors := cursors || jsonb_build_object(scope.id, paging || jsonb_build_object(
          'revision', page_end.revision, 'after', page_end.id));
        full_page := true;
        more := true;
        pending := pending || row(
          scope.id, page_end.revision, page_end.id, target, last_id, scope.skip, null)::convoy.page_range;
        continue;
      end if;
      full_page := true;
    end if;

    -- Its turn comes with a later page. The target is frozen now, so that the run has an end (P5).
    more := true;
    pending := pending || row(scope.id, start_revision, start_id, target, last_id, scope.skip, null)::convoy.page_range;
    if scope.target is null or reset then
      cursors := cursors || jsonb_build_object(scope.id, paging || jsonb_build_object('revision', start_revision));
    end if;
  end loop;

  -- News come first; tables that are new to the device take what is left of the page.
  foreach refill in array due loop
    first_page := first_page and refill.revision = 0;
    page_end := null;
    if not full_page then
      page_end := convoy.find_page_end(refill.scope, refill.revision, coalesce(refill.after, last_id), refill.target,
        '{}', rows_left, bytes_left, refill.tables);
      if page_end.revision is null then
        refilled := refilled || jsonb_build_object(refill.scope, jsonb_build_object('revision', refill.target));
        continue;
      end if;
    end if;
    if full_page or page_end.bytes > bytes_left and cardinality(ranges) > 0 then
      full_page := true;
      more := true;
      pending := pending || row(refill.scope, refill.revision, coalesce(refill.after, last_id), refill.target, last_id,
        '{}', refill.tables)::convoy.page_range;
      continue;
    end if;
    ranges := ranges || row(refill.scope, refill.revision, coalesce(refill.after, last_id), page_end.revision,
      page_end.id, '{}', refill.tables)::convoy.page_range;
    rows_left := rows_left - page_end.row_count;
    bytes_left := bytes_left - page_end.bytes;
    if page_end.complete then
      refilled := refilled || jsonb_build_object(refill.scope, jsonb_build_object('revision', refill.target));
      full_page := rows_left < 1 or bytes_left < 1;
    else
      refilled := refilled || jsonb_build_object(refill.scope, jsonb_build_object(
        'revision', page_end.revision, 'after', page_end.id));
      full_page := true;
      more := true;
      pending := pending || row(refill.scope, page_end.revision, page_end.id, refill.target, last_id,
        '{}', refill.tables)::convoy.page_range;
    end if;
  end loop;

  select p.rows, p.deleted into page from convoy.read_page(ranges, '{}') p;
  if first_page and more then
    select coalesce(sum(convoy.count_rows(p.scope, p.from_revision, p.from_id, p.to_revision, p.skip, p.tables)), 0) into total
      from unnest(pending) p;
    total := total + (
      select coalesce(sum(json_array_length(p.value -> 'id')), 0) from json_each(page.rows) p)
      + (select coalesce(sum(json_array_length(d.value)), 0) from json_each(page.deleted) d);
  end if;

  return json_build_object(
    'user_id', me,
    'server_time', now(),
    'scopes', to_json(scopes),
    'rows', page.rows,
    'deleted', page.deleted,
    'cursors', cursors,
    'refilled', refilled,
    -- To who never was a member of them, scopes that are not there and others answer alike (R7).
    'forgotten', array(
      select k.scope from unnest(known) k
      where k.tag <> '' and k.scope not in (select convoy.visible_scopes()) and not convoy.knew_cursor(k)),
    'more', more,
    'total', total);
end
$$;

revoke all on function public.sync_pull(jsonb) from public, anon, authenticated;
grant execute on function public.sync_pull(jsonb) to authenticated;
revoke execute on all functions in schema convoy from public;
