import { useCallback, useEffect, useState } from 'react';
import type { Task } from '@/domain/entities';
import type { Review } from '@/domain/reviews';
import { useAction } from '../ui/useAction';
import { useDevice } from './useDevice';

/** The newest request for review of a task, as it was when the screen began to show it, and what a person does about it. */
export function useReview(task: Task) {
  const { contextService } = useDevice();
  const [review, setReview] = useState<Review | null>();
  const { id } = task;
  const load = useCallback(async () => setReview(await contextService.getReview(id)), [contextService, id]);
  useEffect(() => {
    load().catch(() => setReview(null));
  }, [load]);
  // The text that the person has on the page: another one is not approved by this click.
  const expected = { title: task.title, description: task.description };
  const approving = useAction((request: string, stage?: string) =>
    contextService.approveReview(id, request, { ...(stage !== undefined && { stage }), expected }),
  );
  const returning = useAction((request: string, reason: string) =>
    contextService.returnReview(id, request, reason),
  );
  return {
    /** undefined until it is known, null where there is none. */
    review,
    approve: approving.run,
    returnIt: returning.run,
    isRunning: approving.isRunning || returning.isRunning,
    error: approving.error ?? returning.error,
  };
}
