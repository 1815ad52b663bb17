/** Whom a review waits for (rules I1 and I2 of docs/work-model.md). Pure. */

import type { Task, WorkspaceMember } from './entities';
import { passesCheckpoints } from './permissions';

/** What of a member decides about reviews. */
export type Reviewer = Pick<WorkspaceMember, 'user_id' | 'role' | 'kind' | 'made_by'>;

/**
 * `assignee`: the person whom the task is assigned to. `maker`: the person who made the agent that works on it. `all`: whoever may
 * approve.
 */
export type Reviewers = { by: 'assignee' | 'maker'; user_id: string } | { by: 'all'; user_id: null };

/**
 * @param requestedBy who asked for the review; null where nobody did
 * @param members live ones of the task's workspace; enough are the assignee, whoever holds the task or asked, and their makers
 * @returns whom the review waits for: the human assignee; else the maker of the agent that holds the task, or held it last, or of
 * the one that asked; else all who may approve. Whoever may not approve, or is no member any more, is passed over.
 */
export function reviewersOf(
  task: Pick<Task, 'assignee_id' | 'claimed_by'>,
  requestedBy: string | null,
  members: readonly Reviewer[],
): Reviewers {
  const memberAt = (userId: string | null) =>
    userId === null ? undefined : members.find(({ user_id }) => user_id === userId);
  const mayApprove = (userId: string | null) => {
    const member = memberAt(userId);
    return member !== undefined && passesCheckpoints(member);
  };
  const { assignee_id, claimed_by } = task;
  if (assignee_id !== null && mayApprove(assignee_id)) return { by: 'assignee', user_id: assignee_id };
  for (const worker of [claimed_by, requestedBy]) {
    const { kind, made_by = null } = memberAt(worker) ?? {};
    if (kind === 'agent' && made_by !== null && mayApprove(made_by)) return { by: 'maker', user_id: made_by };
  }
  return { by: 'all', user_id: null };
}

/** @returns whether a review waits for a user. @param self their membership; undefined: they are no member */
export function waitsForUser(reviewers: Reviewers, self: Reviewer | undefined): boolean {
  if (self === undefined || !passesCheckpoints(self)) return false;
  return reviewers.by === 'all' || reviewers.user_id === self.user_id;
}
