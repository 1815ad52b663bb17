-- sync_push, part 8: changes under a deletion or a restore that goes on in steps (U44).

-- Changes to records that stand under a deleted one whose deletion or restore is under way, or that are to stand there.
-- Records being deleted are gone already. Records being restored are left for a later push: the device that is told it is
-- gone would remove rows that are back.
create function convoy.decide_hidden(changes convoy.change[], links convoy.link[], locked uuid[]) returns convoy.decision[]
language plpgsql stable set search_path = '' as $$
begin
  if not exists (select from convoy.unfinished_deletions u where u.workspace_id = any (locked)) then
    return '{}'::convoy.decision[];
  end if;
  return array(
    with about as materialized (
      select c.position, c.id, c.op, c.workspace_id, c.row_revision, true as is_self, c.table_name as named, c.id as named_id
        from unnest(changes) c
        where c.row_workspace = c.workspace_id and not c.row_deleted
          and c.table_name not in ('workspaces', 'workspace_members', 'deletions')
      union all
      select c.position, c.id, c.op, c.workspace_id, c.row_revision, false, l.parent_table, l.parent_id
        from unnest(changes) c
        join unnest(links) l on l.position = c.position and l.provider is null and l.is_parent
    ), hidden as materialized (
      select n.named, n.named_id, convoy.hidden_by(n.named, n.named_id) as deletion
      from (select distinct a.named, a.named_id from about a) n
    )
    select distinct on (a.position) row(a.position, case
        when u.restores then jsonb_build_object('outcome', 'blocked', 'by', a.id)
        when not a.is_self then '{"outcome": "gone", "which": "parent"}'
        when a.op = 'delete' then jsonb_build_object('outcome', 'applied', 'revision', a.row_revision)
        else '{"outcome": "gone", "which": "record"}'
      end, false)::convoy.decision
    from about a
    join hidden h on h.named = a.named and h.named_id = a.named_id
    join convoy.unfinished_deletions u on u.deletion_id = h.deletion and u.workspace_id = a.workspace_id
    order by a.position, u.restores desc, a.is_self desc);
end
$$;

-- The part of an answer to a push about deletions and restores that go on in steps: the deletions of this user, and the rows
-- that were moved since the bases of those in the push, so that they may not stand where the device has them.
create function convoy.unfinished_answer(changes convoy.change[], scopes uuid[]) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  unfinished constant uuid[] := array(
    select u.deletion_id from convoy.unfinished_deletions u
    where u.workspace_id = any (scopes) and coalesce(u.restorer, u.author) = auth.uid());
  place record;
  moved uuid[] := '{}'::uuid[];
  in_table uuid[];
begin
  if cardinality(unfinished) = 0 then
    return '{}'::jsonb;
  end if;
  for place in select c.table_name, c.name from convoy.synced_columns c where c.is_parent loop
    execute format(
      'select array_agg(t.id)
         from (
           select c.workspace_id as scope, min(c.base) as base from unnest($1) c
           where c.op = ''delete'' and c.base is not null and c.workspace_id = any ($2) group by c.workspace_id
         ) s
         join public.%I t on t.workspace_id = s.scope and t.revision > s.base
        where (t.field_revisions -> %L ->> 0)::bigint > s.base', place.table_name, place.name)
      into in_table using changes, scopes;
    moved := moved || coalesce(in_table, '{}');
  end loop;
  return jsonb_build_object('unfinished', unfinished, 'moved', moved);
end
$$;

revoke execute on all functions in schema convoy from public;
