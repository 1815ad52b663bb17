import { useMemo } from 'react';
import type { WorkspaceMember } from '@/domain/entities';
import { useDevice } from './useDevice';
import { useQuery } from './useQuery';

export interface People {
  /** "You" for the user, and "Somebody" for whoever is a member of none of the workspaces here. */
  nameOf: (userId: string | null) => string;
  kindOf: (userId: string | null) => WorkspaceMember['kind'];
}

/** The members of all workspaces on this device by their user ids, for lists that go across workspaces. */
export function usePeople(): People {
  const { userId } = useDevice();
  const members = useQuery('workspace_members');
  return useMemo(() => {
    const byUser = new Map((members ?? []).map((member) => [member.user_id, member]));
    return {
      nameOf: (id) =>
        id === null ? 'Convoy' : id === userId ? 'You' : byUser.get(id)?.display_name || 'Somebody',
      kindOf: (id) => byUser.get(id ?? '')?.kind ?? 'human',
    };
  }, [members, userId]);
}
