import { useMemo } from 'react';
import { useDevice } from './useDevice';
import { useQuery } from './useQuery';

/** The people and agents of a workspace. */
export function useMembers(workspaceId: string) {
  const { userId } = useDevice();
  const members = useQuery('workspace_members', { workspace_id: workspaceId });
  return useMemo(() => {
    const byUser = new Map((members ?? []).map((member) => [member.user_id, member]));
    const nameOf = (id: string | null): string => {
      if (id === userId) return 'You';
      return (id !== null && byUser.get(id)?.display_name) || (id === null ? 'Convoy' : 'A former member');
    };
    /** The letter of a member's avatar: of the user's own name, too, not of "You". */
    const initialOf = (id: string | null) =>
      (byUser.get(id ?? '')?.display_name || nameOf(id)).charAt(0).toUpperCase();
    return {
      members: members ?? [],
      isLoading: members === undefined,
      nameOf,
      initialOf,
      me: byUser.get(userId),
    };
  }, [members, userId]);
}
