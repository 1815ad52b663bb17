-- The server of stock WatermelonDB, as its documentation and Supabase's guide for it have it: plain
-- tables, updated_at as the cursor, one JSON object for each row. The limit reads and writes the same
-- tables without functions.

create schema stock;

do $$
declare
  name text;
begin
  foreach name in array array['workspaces', 'projects', 'milestones', 'tasks', 'task_dependencies', 'activity_feed',
    'patterns', 'best_practices', 'workflows']
  loop
    execute format('create table stock.%I as select * from public.%I', name, name);
    execute format('alter table stock.%I add primary key (id)', name);
    execute format('create index on stock.%I (workspace_id, updated_at)', name);
  end loop;
end
$$;
create index on stock.workspaces (updated_at);

create function stock.scopes() returns uuid[] language sql stable security definer set search_path = '' as $$
  select array_agg(m.workspace_id) || '00000000-0000-7000-8000-000000000000'::uuid
  from public.workspace_members m where m.user_id = auth.uid()
$$;

create function public.stock_pull(last_pulled_at double precision) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  since constant timestamptz := to_timestamp(coalesce(last_pulled_at, 0) / 1000);
  until constant timestamptz := now();
  scopes constant uuid[] := stock.scopes();
  name text;
  columns text;
  rows jsonb;
  changes jsonb := '{}';
begin
  foreach name in array array['workspaces', 'projects', 'milestones', 'tasks', 'task_dependencies', 'activity_feed',
    'patterns', 'best_practices', 'workflows']
  loop
    select string_agg(format(case
        when a.atttypid = 'timestamptz'::regtype then '%L, extract(epoch from t.%I) * 1000'
        when a.atttypid = 'jsonb'::regtype then '%L, t.%I::text'
        else '%L, t.%I' end, a.attname, a.attname), ', ') into columns
      from pg_catalog.pg_attribute a
      where a.attrelid = format('stock.%I', name)::regclass and a.attnum > 0
        and a.attname not in ('field_revisions', 'deleted_at', 'deletion_id', 'revision');
    execute format('select coalesce(jsonb_agg(jsonb_build_object(%s)), ''[]'') from stock.%I t
      where t.workspace_id = any ($1) and t.updated_at > $2 and t.updated_at <= $3', columns, name)
      into rows using scopes, since, until;
    changes := changes || jsonb_build_object(name,
      jsonb_build_object('created', '[]'::jsonb, 'updated', rows, 'deleted', '[]'::jsonb));
  end loop;
  return jsonb_build_object('changes', changes, 'timestamp', extract(epoch from until) * 1000);
end
$$;

create function public.stock_push(changes jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare
  task jsonb;
begin
  for task in select jsonb_array_elements((changes -> 'tasks' -> 'created') || (changes -> 'tasks' -> 'updated')) loop
    update stock.tasks t
      set title = task ->> 'title', description = task ->> 'description', status = task ->> 'status',
          updated_at = now()
      where t.id = (task ->> 'id')::uuid and t.workspace_id = any (stock.scopes());
  end loop;
end
$$;

-- What a call costs by itself.
create function public.bench_empty() returns json language sql stable as $$ select 'null'::json $$;

revoke all on function public.stock_pull(double precision), public.stock_push(jsonb), public.bench_empty() from public, anon;
grant execute on function public.stock_pull(double precision), public.stock_push(jsonb), public.bench_empty() to authenticated;
analyze;
