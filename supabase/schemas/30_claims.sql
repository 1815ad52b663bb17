-- Claims (rules C1 to C12 of docs/work-model.md): who is at work on a task. The columns are the server's alone: claim_task,
-- renew_claim and release_claim write them, and triggers that release or extend. Changes of them are no news (C7).

create index tasks_claimed_by on public.tasks (claimed_by) where claimed_by is not null;

-- The shortest, the longest, and the usual lease, minutes (C3). The domain has the same (LEASE_MINUTES).
create function convoy.lease_minutes(asked jsonb) returns numeric language sql immutable
  return case when jsonb_typeof(asked) = 'number' then least(greatest(asked::numeric, 1), 60) else 15 end;

create function convoy.waits_at_checkpoint(workflow uuid, stage text) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return exists (
    select from public.workflows w
    cross join lateral jsonb_array_elements(w.stages) s
    where w.id = coalesce(workflow, '00000000-0000-7000-8000-000000000001')
      and s ->> 'name' = stage and s -> 'is_checkpoint' = 'true');
end
$$;

-- Whether the claim of a task is live (C4): its lease has not run out, or the task waits at a checkpoint. What clients of schema
-- version 1 wrote has no claim_id, and is no claim.
create function convoy.is_claim_live(t public.tasks) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return t.claim_id is not null and t.claimed_by is not null
    and (coalesce(t.claimed_until > clock_timestamp(), false) or convoy.waits_at_checkpoint(t.workflow_id, t.current_stage));
end
$$;

-- A task that is done, cancelled or deleted has no claim (C6); one that leaves a checkpoint gives its claim a full lease (C5).
-- Runs after the stamp trigger, so that the write is news for what else it changes. Devices that made the write are told.
create function convoy.follow_stage() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.status in ('done', 'cancelled') or new.deleted_at is not null then
    new.claimed_by := null;
    new.claimed_until := null;
    new.claim_id := null;
  elsif old.claim_id is not null and convoy.waits_at_checkpoint(old.workflow_id, old.current_stage)
    and not convoy.waits_at_checkpoint(new.workflow_id, new.current_stage)
  then
    new.claimed_until := greatest(new.claimed_until, now() + make_interval(mins => 15));
  else
    return new;
  end if;
  new.field_revisions := new.field_revisions || jsonb_build_object('news', jsonb_build_array(new.revision, new.revision));
  return new;
end
$$;
create trigger c_claim before update on public.tasks
  for each row
  when ((old.claimed_by is not null or old.claim_id is not null)
    and (new.status, new.current_stage, new.workflow_id, new.deleted_at)
      is distinct from (old.status, old.current_stage, old.workflow_id, old.deleted_at))
  execute function convoy.follow_stage();

-- Whoever is no member any more, or may write no tasks, has no claims there (C6).
create function convoy.release_of_member() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.tasks t set claimed_by = null, claimed_until = null, claim_id = null
    where t.claimed_by = new.user_id and t.workspace_id = new.workspace_id and t.deleted_at is null;
  return null;
end
$$;
create trigger c_claims after update on public.workspace_members
  for each row
  when (new.deleted_at is not null and old.deleted_at is null or new.role = 'viewer' and old.role <> 'viewer')
  execute function convoy.release_of_member();

-- The claim of a task as the answers have it.
create function convoy.claim_of(t public.tasks) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'task_id', t.id, 'claimed_by', t.claimed_by, 'claimed_until', t.claimed_until, 'claim_id', t.claim_id,
    'waits', convoy.waits_at_checkpoint(t.workflow_id, t.current_stage), 'revision', t.revision)
$$;

-- Why the caller may not claim in a workspace, as an answer; null where they may. Asked by each call, so that losing the
-- membership, or being paused, holds at once.
create function convoy.refuse_claimer(scope uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  member record;
begin
  select m.role, m.paused_at into member from public.workspace_members m
    where m.workspace_id = scope and m.user_id = auth.uid() and m.deleted_at is null;
  if not found then
    return convoy.failure('not_found', 'There is no such task.');
  end if;
  if not exists (
    select from convoy.permissions p where p.role = member.role and p.table_name = 'tasks' and p.op = 'update')
  then
    return convoy.failure('forbidden', 'You may not claim tasks here.');
  end if;
  if member.paused_at is not null then
    return convoy.failure('paused', 'An owner or editor of the workspace has paused you.');
  end if;
  return null;
end
$$;

-- Why a request about a claim cannot be understood, as an answer; null where it can.
create function convoy.refuse_claim_request(request jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  if auth.uid() is null then
    return convoy.failure('signed_out');
  end if;
  if jsonb_typeof(request) is distinct from 'object' then
    return convoy.failure('malformed', 'The request must be an object.');
  end if;
  if request -> 'user_id' is not null and request ->> 'user_id' is distinct from auth.uid()::text then
    return convoy.failure('wrong_user');
  end if;
  if not coalesce(jsonb_typeof(request -> 'task_id') = 'string' and convoy.is_uuid(request ->> 'task_id'), false) then
    return convoy.failure('malformed', 'task_id must be a UUID.');
  end if;
  if not coalesce(
    jsonb_typeof(request -> 'claim_id') = 'string' and char_length(request ->> 'claim_id') <= 64
      and not convoy.is_blank(request ->> 'claim_id'), false)
  then
    return convoy.failure('malformed', 'claim_id must be a text of 1 to 64 characters.');
  end if;
  if coalesce(jsonb_typeof(request -> 'resume'), 'null') not in ('null', 'string') then
    return convoy.failure('malformed', 'resume must be the claim_id of a claim.');
  end if;
  if coalesce(jsonb_typeof(request -> 'minutes'), 'null') not in ('null', 'number') then
    return convoy.failure('malformed', 'minutes must be a number.');
  end if;
  return null;
end
$$;

-- The task that a request is about, for update where `locks`: then under its scope's clock, so that what is read is the latest.
-- Null where the caller may see none, or its deletion is under way (U44).
create function convoy.claimed_task(task_id uuid, locks boolean) returns public.tasks
language plpgsql volatile security definer set search_path = '' as $$
declare
  task public.tasks;
begin
  select * into task from public.tasks t
    where t.id = task_id and t.deleted_at is null and t.workspace_id in (select convoy.visible_scopes());
  if not found then
    return null;
  end if;
  if locks then
    perform from convoy.scope_clocks c where c.scope_id = task.workspace_id for update;
    select * into task from public.tasks t where t.id = task_id and t.deleted_at is null;
  end if;
  if not found or exists (select from convoy.unfinished_deletions u where u.workspace_id = task.workspace_id)
    and convoy.hidden_by('tasks', task_id) is not null
  then
    return null;
  end if;
  return task;
end
$$;

-- Writes a claim, as nobody: a revision of the caller's would stand for an edit that their device has lost (U20).
create function convoy.write_claim(task_id uuid, by uuid, until timestamptz, claim text) returns public.tasks
language plpgsql volatile security definer set search_path = '' as $$
declare
  author constant text := current_setting('convoy.author', true);
  task public.tasks;
begin
  perform set_config('convoy.author', 'none', true);
  update public.tasks t set claimed_by = by, claimed_until = date_trunc('milliseconds', until), claim_id = claim
    where t.id = task_id returning t.* into task;
  perform set_config('convoy.author', coalesce(author, ''), true);
  return task;
end
$$;

-- Claims a task for the caller: {task_id, claim_id, minutes?, resume?, user_id?}. Answers {"claim": ...}; {"taken": ...} with the live
-- claim that stands in the way, which is another user's, or the caller's under another claim_id that `resume` does not
-- name; or {"error": {"code": ...}}. The same claim_id is answered alike as long as its claim is live.
create function public.claim_task(request jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = '' set timezone = 'UTC' set statement_timeout = '8s' set lock_timeout = '5s'
as $$
declare
  refusal jsonb := convoy.refuse_claim_request(request);
  task public.tasks;
begin
  if refusal is not null then
    return refusal;
  end if;
  -- A claim that stands is answered without the lock first.
  for n in 1 .. 2 loop
    task := convoy.claimed_task((request ->> 'task_id')::uuid, n = 2);
    if task.id is null then
      return convoy.failure('not_found', 'There is no such task.');
    end if;
    refusal := convoy.refuse_claimer(task.workspace_id);
    if refusal is not null then
      return refusal;
    end if;
    if task.status in ('done', 'cancelled') then
      return convoy.failure('closed', 'The task is done or cancelled.');
    end if;
    if convoy.is_claim_live(task) then
      if task.claimed_by <> auth.uid()
        or task.claim_id <> request ->> 'claim_id' and task.claim_id is distinct from request ->> 'resume'
      then
        return jsonb_build_object('taken', convoy.claim_of(task));
      end if;
      if task.claim_id = request ->> 'claim_id' then
        return jsonb_build_object('claim', convoy.claim_of(task));
      end if;
    end if;
  end loop;
  task := convoy.write_claim(task.id, auth.uid(),
    clock_timestamp() + convoy.lease_minutes(request -> 'minutes') * interval '1 minute', request ->> 'claim_id');
  return jsonb_build_object('claim', convoy.claim_of(task));
end
$$;

-- Renews the caller's claim: {task_id, claim_id, minutes?, user_id?}. Answers {"claim": ...}, also for one that has run out and that nobody
-- has replaced; {"lost": ...} with the claim that stands instead, whose claimed_by may be null; or {"error": ...}. Nothing is
-- written while more than two thirds of the lease are left (C8).
create function public.renew_claim(request jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = '' set timezone = 'UTC' set statement_timeout = '8s' set lock_timeout = '5s'
as $$
declare
  refusal jsonb := convoy.refuse_claim_request(request);
  lease constant interval := convoy.lease_minutes(request -> 'minutes') * interval '1 minute';
  task public.tasks;
begin
  if refusal is not null then
    return refusal;
  end if;
  for n in 1 .. 2 loop
    task := convoy.claimed_task((request ->> 'task_id')::uuid, n = 2);
    if task.id is null then
      return convoy.failure('not_found', 'There is no such task.');
    end if;
    refusal := convoy.refuse_claimer(task.workspace_id);
    if refusal is not null then
      return refusal;
    end if;
    if task.claimed_by is distinct from auth.uid() or task.claim_id is distinct from request ->> 'claim_id' then
      return jsonb_build_object('lost', convoy.claim_of(task));
    end if;
    if task.claimed_until - clock_timestamp() > lease * 2 / 3 then
      return jsonb_build_object('claim', convoy.claim_of(task));
    end if;
  end loop;
  return jsonb_build_object('claim', convoy.claim_of(
    convoy.write_claim(task.id, auth.uid(), clock_timestamp() + lease, task.claim_id)));
end
$$;

-- Releases the caller's claim: {task_id, claim_id, user_id?}. Answers {"released": whether there was one with this claim_id, "revision":
-- of the task}, or {"error": ...}. Whoever lost the right to claim may release.
create function public.release_claim(request jsonb) returns jsonb
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

revoke all on function public.claim_task(jsonb), public.renew_claim(jsonb), public.release_claim(jsonb)
  from public, anon, authenticated;
grant execute on function public.claim_task(jsonb), public.renew_claim(jsonb), public.release_claim(jsonb) to authenticated;
revoke execute on all functions in schema convoy from public;
