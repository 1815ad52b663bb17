-- Members may ask for the names of those who left their workspace: what these wrote, or were assigned, still names them.

create or replace function public.get_former_members(workspace_id uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(public.as_entity(to_jsonb(f)) order by f.display_name collate "C", f.id), '[]')
  from (
    select distinct on (m.user_id) m.* from public.workspace_members m
    where m.workspace_id = get_former_members.workspace_id
      and m.workspace_id in (select convoy.visible_scopes())
      and not exists (
        select from public.workspace_members now
        where now.workspace_id = m.workspace_id and now.user_id = m.user_id and now.deleted_at is null)
    order by m.user_id, m.deleted_at desc
  ) f
$$;

revoke all on function public.get_former_members(uuid) from public, anon, authenticated, service_role;
grant execute on function public.get_former_members(uuid) to authenticated, service_role;
