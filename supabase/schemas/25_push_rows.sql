-- sync_push, part 7: the statements that read and write rows of one table. convoy.build_pushes() writes them from the
-- columns of the tables, so that a session keeps their plans: planning took a small push longer than all that it writes.
-- A migration that adds a column calls it after make_synced.

-- Up to this many changes a push is small: a plan that was made for a few rows serves it, whatever the planner knew.
-- A larger push is planned for what it brings.
create function convoy.is_small(changes convoy.change[]) returns boolean language sql immutable set search_path = ''
  return cardinality(changes) <= 100;

create function convoy.build_pushes() returns void
language plpgsql set search_path = '' as $outer$
declare
  t record;
  -- The text of a statement that inserts or updates, with :changes and :round for its parameters.
  statement text;
  finds text := '';
  stamped text := '';
  inserts text := '';
  updates text := '';
begin
  for t in select s.name, s.pushable, s.defaults from convoy.synced_tables s order by s.position loop
    finds := finds || format($code$
        when %1$L then
          return array(
            select row(%1$L, t.id, t.workspace_id, t.revision, t.deleted_at is not null, t.field_revisions)::convoy.found_row
            from public.%1$I t where t.id = any (ids));$code$, t.name);

    stamped := stamped || format($code$
      if tables is null or %1$L = any (tables) then
        written := written || array(
          select row(%1$L, t.id, t.deleted_at is not null)::convoy.written_row
          from unnest(scopes, revisions) s (scope, revision)
          join public.%1$I t on t.workspace_id = s.scope
            and (t.revision, t.id) >= (s.revision, '00000000-0000-0000-0000-000000000000')
            and (t.revision, t.id) <= (s.revision, 'ffffffff-ffff-ffff-ffff-ffffffffffff'));
      end if;$code$, t.name);

    statement := format($query$
            insert into public.%1$I (id, workspace_id, created_at, %2$s)
              select c.id, c.workspace_id, convoy.to_time(c.edited_at ->> 'created_at'), %3$s
              from unnest(:changes) c
              cross join lateral jsonb_populate_record(null::public.%1$I, %4$L::jsonb || c.payload) r
              where c.table_name = %1$L and c.op = 'insert' order by c.position
              %5$s$query$,
      t.name,
      (select string_agg(quote_ident(p), ', ') from unnest(t.pushable) p),
      (select string_agg('r.' || quote_ident(p), ', ') from unnest(t.pushable) p),
      t.defaults,
      -- U10: a row that exists under another id is not inserted, and `conclude` finds its twin.
      case t.name
        when 'task_dependencies' then 'on conflict (task_id, depends_on_task_id) where deleted_at is null do nothing'
        else '' end);
    inserts := inserts || format($code$
        when %1$L then
          if convoy.is_small(changes) then %2$s;
          else
            execute %3$L using changes;
          end if;$code$, t.name, replace(statement, ':changes', 'changes'), replace(statement, ':changes', '$1'));

    -- The edit times go in the form of field_revisions, for the stamp trigger to complete: not later than now, and not
    -- earlier than the revision the edit was made on.
    statement := format($query$
            update public.%1$I t
              set %2$s, field_revisions = t.field_revisions || coalesce(c.times, '{}')
              from (
                select c.id, c.workspace_id, c.payload, (
                    select jsonb_object_agg(e.key, jsonb_build_array(null, case
                      when e.instant > now() then convoy.iso(now())
                      when e.instant < b.created_at then convoy.iso(b.created_at)
                      else convoy.iso(e.instant) end))
                    from (
                      select x.key, x.value, convoy.to_time(x.value) as instant
                      from jsonb_each_text(c.edited_at) x where c.payload ? x.key offset 0
                    ) e
                    where e.instant is not null
                  ) as times
                from unnest(:changes) c
                left join convoy.scope_revisions b on b.scope_id = c.workspace_id and b.revision = c.base
                where c.table_name = %1$L and c.op = 'update' and c.nth = :round
                offset 0
              ) c
              cross join lateral jsonb_populate_record(null::public.%1$I, c.payload) r
              -- The workspace is no part of what the row is found by, or the plan might go through all rows of it.
              where t.id = c.id and (t.workspace_id = c.workspace_id) is true$query$,
      t.name,
      (select string_agg(format('%1$I = case when c.payload ? %1$L then r.%1$I else t.%1$I end', p), ', ')
        from unnest(t.pushable) p));
    updates := updates || format($code$
        when %1$L then
          if convoy.is_small(changes) then %2$s;
          else
            execute %3$L using changes, round;
          end if;$code$, t.name, replace(replace(statement, ':changes', 'changes'), ':round', 'round'),
      replace(replace(statement, ':changes', '$1'), ':round', '$2'));
  end loop;

  -- The rows with these ids. A sequential scan would read a table that has grown since the plan was made.
  execute format($function$
    create or replace function convoy.find_rows(target text, ids uuid[]) returns convoy.found_row[]
    language plpgsql stable set search_path = '' set enable_seqscan = off as $body$
    begin
      case target %s
        else raise case_not_found;
      end case;
    end
    $body$
  $function$, finds);
  revoke execute on function convoy.find_rows(text, uuid[]) from public;

  -- The rows of these tables, or of all, at revisions of scopes. Comparing rows, and the planner settings, make it use
  -- the pull index, also where statistics lack the latest revisions.
  execute format($function$
    create or replace function convoy.written_rows(tables text[], scopes uuid[], revisions bigint[])
    returns convoy.written_row[]
    language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    declare
      written convoy.written_row[] := '{}'::convoy.written_row[];
    begin
      if cardinality(scopes) = 0 then
        return written;
      end if;%s
      return written;
    end
    $body$
  $function$, stamped);
  revoke execute on function convoy.written_rows(text[], uuid[], bigint[]) from public;

  execute format($function$
    create or replace function convoy.insert_rows(target text, changes convoy.change[]) returns void
    language plpgsql set search_path = '' as $body$
    begin
      case target %s
      end case;
    end
    $body$
  $function$, inserts);
  revoke execute on function convoy.insert_rows(text, convoy.change[]) from public;

  -- One statement updates a row once: a record that is changed twice takes a second round.
  execute format($function$
    create or replace function convoy.update_round(target text, changes convoy.change[], round bigint) returns void
    language plpgsql set search_path = '' as $body$
    begin
      case target %s
      end case;
    end
    $body$
  $function$, updates);
  revoke execute on function convoy.update_round(text, convoy.change[], bigint) from public;
end
$outer$;

select convoy.build_pushes();

revoke execute on all functions in schema convoy from public;
