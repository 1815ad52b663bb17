/** Whether an approval or a return was taken, once it has been sent. */

import { ConvoyError } from '@/core/errors';
import type { ContextService } from '@/domain/contextService';
import type { InboxRefusal } from '@/domain/inbox';
import type { Review } from '@/domain/reviews';

type Service = Pick<ContextService, 'getInbox' | 'getReview'>;

async function refusedOf(service: Service, taskId: string): Promise<InboxRefusal[]> {
  const { refused } = await service.getInbox();
  return refused.filter(({ task_id }) => task_id === taskId);
}

/** @returns ids of the changes of a task that are refused already */
export async function refusedBefore(service: Service, taskId: string): Promise<Set<string>> {
  return new Set((await refusedOf(service, taskId)).map(({ id }) => id));
}

export interface Settled {
  /** As it was when it was settled. */
  review: Pick<Review, 'id' | 'task_id'>;
  /** User id of who settled it. */
  by: string;
  /** The result of `refusedBefore`, taken before that. */
  before: ReadonlySet<string>;
}

/**
 * Throws the server's refusal of what was written just now: it is in the quarantine, and not done. Where somebody else settled
 * the same request first, the answer was withdrawn without being sent: `rejected/review_outdated`.
 */
export async function requireTaken(service: Service, { review, by, before }: Settled): Promise<void> {
  const own = (await refusedOf(service, review.task_id)).filter(({ id }) => !before.has(id));
  const found = own.find(({ code }) => code !== 'blocked') ?? own[0];
  if (found) {
    const { code, column, message } = found;
    throw new ConvoyError({ kind: 'rejected', code, column, message: `The server refused it: ${message}` });
  }
  const now = await service.getReview(review.task_id);
  if (now?.id !== review.id || now.settled_by === by) return;
  throw new ConvoyError({
    kind: 'rejected',
    code: 'review_outdated',
    column: 'details',
    message:
      'Somebody else settled this request, or moved the task, before your answer was sent: it was not taken.',
  });
}
