-- Moving a task to another milestone (rule U29). Subtasks that stand where it stood follow it, those that
-- were deleted too; a task whose parent task stays behind stands by itself. Devices say so themselves; this
-- is for subtasks that they do not know of, and for writers that name the milestone alone.

create function convoy.move_subtasks() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.parent_task_id = old.parent_task_id and exists (
    select from public.tasks p where p.id = new.parent_task_id and p.milestone_id <> new.milestone_id)
  then
    update public.tasks t set parent_task_id = null where t.id = new.id;
  end if;
  -- All at once: a trigger within another for each level would exhaust the server's stack.
  with recursive followers as (
    select t.id from public.tasks t where t.parent_task_id = new.id and t.milestone_id = old.milestone_id
    union
    select t.id from followers f
      join public.tasks t on t.parent_task_id = f.id and t.milestone_id = old.milestone_id
  )
  update public.tasks t set milestone_id = new.milestone_id from followers f where t.id = f.id;
  return null;
end
$$;
-- Runs when the whole statement is done: what moves in one statement moves together.
create trigger d_subtasks after update on public.tasks
  for each row when (new.milestone_id <> old.milestone_id and new.deleted_at is null)
  execute function convoy.move_subtasks();

revoke execute on all functions in schema convoy from public;
