import { useCallback } from 'react';
import type { Task } from '@/domain/entities';
import { toasts } from '../ui/toasts';
import { useDevice } from './useDevice';

/** Ends the claim of a task. Only the server can end that of somebody else: where it has not, a toast says so. */
export function useReleaseClaim() {
  const { contextService } = useDevice();
  return useCallback(
    async ({ id, key, title, claim_id }: Task): Promise<boolean> => {
      if (claim_id === null) return true;
      const { released } = await contextService.releaseClaim(id, claim_id);
      if (!released) {
        toasts.add({
          title: `The claim of ${key ?? `“${title}”`} was not ended.`,
          description: 'It has ended before, or the server cannot be reached. Try again when it can.',
          priority: 'high',
        });
      }
      return released;
    },
    [contextService],
  );
}
