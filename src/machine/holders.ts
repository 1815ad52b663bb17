/** The assignee of a task and whoever is at work on it, by name. Pure. */

import type { Task, Workflow, WorkspaceMember } from '@/domain/entities';
import { isLive } from '@/domain/ready';

export interface Holders {
  assignee: { user_id: string; name: string } | null;
  claim: {
    user_id: string;
    name: string;
    /** When the lease runs out, ISO 8601. */
    until: string | null;
    /** Whether the task waits at a checkpoint: the claim is live whatever the lease (C4). */
    waits: boolean;
    is_live: boolean;
  } | null;
}

/**
 * @param members of the task's workspace
 * @param now ms since the epoch
 */
export function holdersOf(
  task: Pick<Task, 'assignee_id' | 'claimed_by' | 'claim_id' | 'claimed_until' | 'current_stage'>,
  workflow: Pick<Workflow, 'stages'> | null,
  members: readonly Pick<WorkspaceMember, 'user_id' | 'display_name'>[],
  now: number,
): Holders {
  const nameOf = (userId: string) =>
    members.find(({ user_id }) => user_id === userId)?.display_name ?? 'somebody who is no member any more';
  const { assignee_id: assignee, claimed_by: holder, claim_id: claimId, claimed_until: until } = task;
  const waits =
    workflow?.stages.some(({ name, is_checkpoint }) => name === task.current_stage && is_checkpoint) === true;
  return {
    assignee: assignee === null ? null : { user_id: assignee, name: nameOf(assignee) },
    // A holder without a claim's id, as earlier clients left it, has no claim.
    claim:
      holder === null || claimId === null
        ? null
        : { user_id: holder, name: nameOf(holder), until, waits, is_live: isLive(task, waits, now) },
  };
}
