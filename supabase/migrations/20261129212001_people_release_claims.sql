-- people release claims: owners and editors who are people release the claim of an agent.

create or replace function public.release_claim(request jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = '' set timezone = 'UTC' set statement_timeout = '8s' set lock_timeout = '5s'
as $$
declare
  refusal constant jsonb := convoy.refuse_claim_request(request);
  task public.tasks;
begin
  if refusal is not null then
    return refusal;
  end if;
  task := convoy.claimed_task((request ->> 'task_id')::uuid, true);
  if task.id is null then
    return convoy.failure('not_found', 'There is no such task.');
  end if;
  -- A person who runs agents takes a task from one that has gone away; the id says that they have seen whose it is.
  if task.claim_id is distinct from request ->> 'claim_id'
    or task.claimed_by is distinct from auth.uid() and convoy.stops_at_checkpoints(task.workspace_id)
  then
    return jsonb_build_object('released', false, 'revision', task.revision);
  end if;
  task := convoy.write_claim(task.id, null, null, null);
  return jsonb_build_object('released', true, 'revision', task.revision);
end
$$;
