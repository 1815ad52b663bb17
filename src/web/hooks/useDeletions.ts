import { type ObservedDeletion, observeDeletions } from '@/lib/watermelon/contextService';
import { useObservable } from './useObservable';

/** What was deleted in a workspace and is not restored, or being restored; newest first. */
export function useDeletions(workspaceId: string): ObservedDeletion[] | undefined {
  return useObservable(() => observeDeletions(workspaceId), [workspaceId]);
}
