import { type ObservedDeletion, observeDeletions } from '@/lib/watermelon/contextService';
import { useObservable } from './useObservable';

/** The deletions of a workspace that are not restored yet, or are being restored; newest first, live. */
export function useDeletions(workspaceId: string): ObservedDeletion[] | undefined {
  return useObservable(() => observeDeletions(workspaceId), [workspaceId]);
}
