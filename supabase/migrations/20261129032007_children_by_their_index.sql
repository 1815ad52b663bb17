-- The steps of a deletion find the children of a row by the index of the column that names it: without fresh statistics
-- PostgreSQL read all of the index of living pairs of tasks for each task of a step, so that a step took longer than 8 s.

create or replace function convoy.list_children(item convoy.deletion_steps) returns void
language plpgsql set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  child record;
begin
  for child in select c.table_name, c.column_name from convoy.children_of(item.table_name) c loop
    execute format(
      'insert into convoy.deletion_steps (deletion_id, workspace_id, task, table_name, ids, follow)
         select $1, $5, ''delete'', %1$L, array_agg(x.id), $4
           from (
             select c.id, (row_number() over () - 1) / $3 as part
               from unnest($2) p (id)
               cross join lateral (select c.id, c.deleted_at from public.%1$I c where c.%2$I = p.id offset 0) c
              where c.deleted_at is null
           ) x
          group by x.part order by x.part',
      child.table_name, child.column_name)
      using item.deletion_id, item.ids, convoy.step_records(), item.table_name <> 'workspaces',
        item.workspace_id;
  end loop;
end
$$;
