-- sync_pull: section 2 of docs/sync-spec.md. STABLE, and so is all it calls: one snapshot (P1). It returns
-- json rather than jsonb: a page is put together once and read by nobody on the way.

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
  exception when sqlstate 'SN009' then
    return convoy.failure('malformed', sqlerrm);
  end;
  if rows_left < 1 then
    return convoy.failure('malformed', 'limit must be at least 1.');
  end if;

  for scope in
    select v.id, v.role, c.revision as head, c.tag as head_tag, k.revision, k.tag, k.target, k.after,
      coalesce(k.skip, '{}') as skip
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
    target := coalesce(scope.target, scope.head);
    target_tag := scope.head_tag;
    start_revision := scope.revision;
    start_id := coalesce(scope.after, last_id);
    if scope.revision is not null and (scope.revision <> scope.head or scope.tag <> scope.head_tag
      or scope.target is not null)
    then
      -- While paging, the tag is the target's.
      if convoy.is_in_history(scope.id, coalesce(scope.target, scope.revision), scope.tag)
        and scope.revision <= coalesce(scope.target, scope.revision)
      then
        target_tag := case when scope.target is null then scope.head_tag else scope.tag end;
        first_page := first_page and scope.target is null;
      else
        reset := true;
      end if;
    end if;
    if scope.revision is null or reset then
      start_revision := 0;
      start_id := no_id;
      target := scope.head;
      target_tag := scope.head_tag;
    end if;
    scopes := scopes || (jsonb_build_object(
      'id', scope.id, 'role', scope.role, 'head', scope.head, 'tag', scope.head_tag)
      || case when reset then '{"reset": true}' else '{}' end::jsonb);

    if scope.revision is not null and not reset and scope.target is null and scope.revision = target then
      continue;
    end if;

    if not full_page then
      page_end := convoy.find_page_end(scope.id, start_revision, start_id, target, scope.skip, rows_left, bytes_left);
      if page_end.revision is null then
        cursors := cursors || jsonb_build_object(scope.id, jsonb_build_object('revision', target, 'tag', target_tag));
        continue;
      end if;
      -- A row too large for what is left of this page opens the next one, unless the page is empty.
      if page_end.bytes <= bytes_left or cardinality(ranges) = 0 then
        ranges := ranges || row(
          scope.id, start_revision, start_id, page_end.revision, page_end.id, scope.skip)::convoy.page_range;
        if page_end.complete then
          cursors := cursors || jsonb_build_object(scope.id, jsonb_build_object('revision', target, 'tag', target_tag));
          rows_left := rows_left - page_end.row_count;
          bytes_left := bytes_left - page_end.bytes;
          full_page := rows_left < 1 or bytes_left < 1;
          continue;
        end if;
        cursors := cursors || jsonb_build_object(scope.id, jsonb_build_object(
          'revision', page_end.revision, 'tag', target_tag, 'target', target, 'after', page_end.id));
        full_page := true;
        more := true;
        pending := pending || row(
          scope.id, page_end.revision, page_end.id, target, last_id, scope.skip)::convoy.page_range;
        continue;
      end if;
      full_page := true;
    end if;

    -- Its turn comes with a later page. The target is frozen now, so that the run has an end (P5).
    more := true;
    pending := pending || row(scope.id, start_revision, start_id, target, last_id, scope.skip)::convoy.page_range;
    if scope.target is null or reset then
      cursors := cursors || jsonb_build_object(scope.id, jsonb_build_object(
        'revision', start_revision, 'tag', target_tag, 'target', target));
    end if;
  end loop;

  select p.rows, p.deleted into page from convoy.read_page(ranges, '{}') p;
  if first_page and more then
    select coalesce(sum(convoy.count_rows(p.scope, p.from_revision, p.from_id, p.to_revision, p.skip)), 0) into total
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
    'more', more,
    'total', total);
end
$$;

revoke all on function public.sync_pull(jsonb) from public, anon, authenticated;
grant execute on function public.sync_pull(jsonb) to authenticated;
revoke execute on all functions in schema convoy from public;
