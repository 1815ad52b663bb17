-- effects of triggers told: a comment that is sent together with its deletion is blanked, and a task whose holder loses the role is free; the device that sent them is told. Of what was refused nothing is told.

create or replace function convoy.pick_effects(
  changes convoy.change[], kinds text[], decided convoy.decision[], scopes uuid[], revisions bigint[]
) returns convoy.pick[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  -- A delete cascades anywhere, and so does undoing one; other changes stay in their table, but for the creator's
  -- membership.
  written constant convoy.written_row[] := convoy.written_rows(
    case
      when 'delete' = any (kinds) or 'deletions' = any (kinds) then null
      when 'workspaces' = any (kinds) then kinds || 'workspace_members'::text
      -- Whoever may claim no more loses their claims (C6), and whoever makes no agents any more loses those (A4).
      when 'update workspace_members' = any (kinds) then kinds || '{tasks,activity_feed}'::text[]
      else kinds end,
    scopes, revisions);
  result convoy.pick[];
begin
  result := array(
    with concluded as materialized (
      select c.table_name, c.id, c.op, d.tell, d.outcome
      from unnest(changes) c join unnest(decided) d on d.position = c.position
    )
    select row(e.table_name, e.id)::convoy.pick
    from (
      select t.table_name, coalesce((t.outcome ->> 'of')::uuid, t.id) as id from concluded t where t.tell
      union
      select u.table_name, u.id
      from (
        select w.table_name, w.id, w.deleted from unnest(written) w
        except
        select p.table_name, p.id, p.op = 'delete' from concluded p
          where not p.tell and p.outcome ->> 'outcome' = 'applied'
      ) u
    ) e);
  if 'insert activity_feed' = any (kinds) then
    result := result || convoy.pick_blanked(changes, decided);
  end if;
  if 'update workspace_members' = any (kinds) then
    -- The claims that a role took along (C6) went from tasks that this push has changed, too.
    result := result || array(
      select row('tasks', t.id)::convoy.pick
      from unnest(changes) c
      join unnest(decided) d on d.position = c.position and d.outcome ->> 'outcome' = 'applied'
      join public.tasks t on t.id = c.id and t.workspace_id = c.workspace_id
      where c.table_name = 'tasks' and c.op <> 'delete' and t.deleted_at is null and t.claim_id is null);
  end if;
  if 'update tasks' = any (kinds) then
    result := result || convoy.pick_moved(changes, scopes, revisions);
  end if;
  return array(select distinct p from unnest(result) p);
end
$$;

create or replace function convoy.pick_blanked(changes convoy.change[], decided convoy.decision[]) returns convoy.pick[]
language plpgsql stable set search_path = '' as $$
begin
  if not exists (
    select from unnest(changes) c
    where c.table_name = 'activity_feed' and c.op = 'insert'
      and c.payload ->> 'activity_type' in ('comment', 'question', 'answer', 'comment_edited'))
  then
    return '{}'::convoy.pick[];
  end if;
  return array(
    select row('activity_feed', a.id)::convoy.pick
    from unnest(changes) c
    join unnest(decided) d on d.position = c.position and d.outcome ->> 'outcome' = 'applied'
    join public.activity_feed a on a.id = c.id and a.workspace_id = c.workspace_id
    where c.table_name = 'activity_feed' and c.op = 'insert'
      and c.payload ->> 'activity_type' in ('comment', 'question', 'answer', 'comment_edited')
      and a.details -> 'deleted' = 'true' and c.payload -> 'details' -> 'deleted' is distinct from 'true');
end
$$;

revoke all on function convoy.pick_blanked(convoy.change[],convoy.decision[]) from public, anon, authenticated, service_role;
