-- Rows on their way to a device (P5 to P7, U14): a page is a range of (revision, id) in each scope.
-- convoy.build_pages() writes the functions that read the tables from their columns, so that their plans
-- are cached; a migration that adds a column calls it after make_synced. The cached plans have to serve
-- scopes of any size: the planner alone would make one for a small table that later reads all of a large
-- one for a handful of new rows. Hence the planner settings.

create type convoy.page_range as (
  scope uuid,
  -- Exclusive.
  from_revision bigint,
  from_id uuid,
  -- Inclusive.
  to_revision bigint,
  to_id uuid,
  skip bigint[],
  -- Null for all.
  tables text[]
);

-- A row to be sent whatever its revision.
create type convoy.pick as (table_name text, id uuid);

-- Where a page ends.
create type convoy.page_end as (revision bigint, id uuid, row_count bigint, bytes bigint, complete boolean);

create function convoy.pick_columns(columns text[], condition text) returns text
language sql immutable set search_path = '' as $$
  select string_agg(format('%L, to_json(array_agg(t.%I) filter (where %s))', c, c, condition), ', ' order by n)
  from unnest(columns) with ordinality as x (c, n)
$$;

create function convoy.build_pages() returns void
language plpgsql set search_path = '' as $outer$
declare
  t record;
  keys text := '';
  counts text := '';
  pages text := '';
begin
  for t in
    select s.name, s.sent,
      -- Long text stored out of line tells its size without being read; JSON does not.
      (select string_agg(case a.atttypid
          when 'text'::regtype then format('coalesce(octet_length(t.%I), 0)', a.attname)
          else format('coalesce(case when pg_column_size(t.%1$I) < 500 then pg_column_size(t.%1$I) else octet_length(t.%1$I::text) end, 0)', a.attname)
        end, ' + ')
        from pg_catalog.pg_attribute a
        where a.attrelid = format('public.%I', s.name)::regclass and a.attname = any (s.sent)
          and a.atttypid in ('text'::regtype, 'jsonb'::regtype)) as bytes
    from convoy.synced_tables s order by s.position
  loop
    -- One array for each column is half the size of objects, and built and read in half the time.
    execute format($function$
      create or replace function convoy.%3$I(
        ranges convoy.page_range[], ids uuid[], out rows json, out deleted json
      ) language plpgsql stable set search_path = '' as $body$
      begin
        select case when count(*) filter (where t.deleted_at is null) > 0 then json_build_object(%2$s) end,
            to_json(array_agg(t.id) filter (where t.deleted_at is not null))
          into rows, deleted
          from (
            select t.* from unnest(ranges) r
            cross join lateral (
              select * from public.%1$I t
              where t.workspace_id = r.scope
                and (t.revision, t.id) > (r.from_revision, r.from_id)
                and (t.revision, t.id) <= (r.to_revision, r.to_id)
                and t.revision <> all (r.skip)
                and (r.tables is null or %1$L = any (r.tables))
            ) t
            union all
            select t.* from unnest(ids) i (id) join public.%1$I t on t.id = i.id
          ) t;
      end
      $body$
    $function$, t.name, convoy.pick_columns(t.sent, 't.deleted_at is null'), 'page_' || t.name);
    execute format('revoke execute on function convoy.%I(convoy.page_range[], uuid[]) from public', 'page_' || t.name);

    keys := keys || case when keys = '' then '' else ' union all ' end || format($query$
      (select t.revision, t.id, %s as bytes
        from public.%I t
        where t.workspace_id = $1 and (t.revision, t.id) > ($2, $3) and t.revision <= $4 and t.revision <> all ($5)
          and ($8 is null or %L = any ($8))
        order by t.revision, t.id limit least($6, $7 / 300 + 1) + 1)$query$, '300 + ' || coalesce(t.bytes, '0'), t.name, t.name);
    counts := counts || case when counts = '' then '' else ' + ' end || format($query$
      (select count(*) from public.%I t
        where t.workspace_id = $1 and (t.revision, t.id) > ($2, $3) and t.revision <= $4 and t.revision <> all ($5)
          and ($6 is null or %L = any ($6)))$query$,
      t.name, t.name);
    pages := pages || format($code$
        if cardinality(ranges) > 0 or %2$L = any (picked) then
          select p.rows, p.deleted into part
            from convoy.%1$I(ranges, array(select i.id from unnest(picks) i where i.table_name = %2$L)) p;
          if part.rows is not null then
            row_tables := row_tables || %2$L::text;
            row_parts := row_parts || part.rows;
          end if;
          if part.deleted is not null then
            deleted_tables := deleted_tables || %2$L::text;
            deleted_parts := deleted_parts || part.deleted;
          end if;
        end if;$code$, 'page_' || t.name, t.name);
  end loop;

  -- The last row that fits. Two tables may hold the same id: a page takes all rows at its end, and
  -- is complete only if nothing lies behind it.
  execute format($function$
    create or replace function convoy.find_page_end(
      scope uuid, from_revision bigint, from_id uuid, target bigint, skip bigint[], max_rows bigint, max_bytes bigint,
      tables text[]
    ) returns convoy.page_end
    language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    declare
      result convoy.page_end;
    begin
      with keys as materialized (
        -- No row counts for less than 300 bytes.
        select * from (%s) k order by revision, id limit least($6, $7 / 300 + 1) + 1
      ), counted as (
        select revision, id,
          row_number() over (order by revision, id) as n,
          sum(bytes) over (order by revision, id rows unbounded preceding) as total
        from keys
      ), fitting as (
        select * from counted c where c.n = 1 or (c.n <= $6 and c.total <= $7)
      )
      select f.revision, f.id, f.n, f.total,
        (select count(*) from keys) <= least($6, $7 / 300 + 1)
          and not exists (select from keys k where (k.revision, k.id) > (f.revision, f.id))
      into result
      from fitting f order by f.n desc limit 1;
      return result;
    end
    $body$
  $function$, keys);
  revoke execute on function convoy.find_page_end(uuid, bigint, uuid, bigint, bigint[], bigint, bigint, text[]) from public;

  execute format($function$
    create or replace function convoy.count_rows(
      scope uuid, from_revision bigint, from_id uuid, target bigint, skip bigint[], tables text[]
    ) returns bigint
    language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    begin
      return %s;
    end
    $body$
  $function$, counts);
  revoke execute on function convoy.count_rows(uuid, bigint, uuid, bigint, bigint[], text[]) from public;

  -- The rows of the ranges and the picked ones, as the wire has them (Page in protocol.ts).
  execute format($function$
    create or replace function convoy.read_page(
      ranges convoy.page_range[], picks convoy.pick[], out rows json, out deleted json
    ) language plpgsql stable set search_path = ''
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $body$
    declare
      part record;
      row_tables text[] := '{}'::text[];
      row_parts json[] := '{}'::json[];
      deleted_tables text[] := '{}'::text[];
      deleted_parts json[] := '{}'::json[];
      -- The effects of a push are of few tables.
      picked constant text[] := array(select distinct i.table_name from unnest(picks) i);
    begin
      if cardinality(ranges) > 0 or cardinality(picks) > 0 then
        %s
      end if;
      rows := '{}';
      deleted := '{}';
      if cardinality(row_tables) > 0 then
        select json_object_agg(x.name, x.part) into rows from unnest(row_tables, row_parts) x (name, part);
      end if;
      if cardinality(deleted_tables) > 0 then
        select json_object_agg(x.name, x.part) into deleted from unnest(deleted_tables, deleted_parts) x (name, part);
      end if;
    end
    $body$
  $function$, pages);
  revoke execute on function convoy.read_page(convoy.page_range[], convoy.pick[]) from public;
end
$outer$;

select convoy.build_pages();

revoke execute on all functions in schema convoy from public;
