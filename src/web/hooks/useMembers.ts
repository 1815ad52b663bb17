import { useEffect, useMemo, useRef, useState } from 'react';
import type { WorkspaceMember } from '@/domain/entities';
import { nameless } from './nameless';
import { useDevice } from './useDevice';
import { useQuery } from './useQuery';

/** The people and agents of a workspace. */
export function useMembers(workspaceId: string) {
  const { userId, contextService } = useDevice();
  const [former, setFormer] = useState<{ workspaceId: string; members: WorkspaceMember[] } | null>(null);
  /** The workspace for which a name was asked that no member has. */
  const wanted = useRef<string | null>(null);
  useEffect(() => {
    if (wanted.current !== workspaceId || former?.workspaceId === workspaceId) return;
    setFormer({ workspaceId, members: [] });
    contextService.getFormerMembers(workspaceId).then(
      (found) => setFormer({ workspaceId, members: found }),
      // Their names stay unknown, as they are without a network.
      () => undefined,
    );
  });
  const members = useQuery('workspace_members', { workspace_id: workspaceId });
  return useMemo(() => {
    const known = former?.workspaceId === workspaceId ? former.members : [];
    const byUser = new Map([...known, ...(members ?? [])].map((member) => [member.user_id, member]));
    const nameOf = (id: string | null): string => {
      if (id === userId) return 'You';
      if (id !== null && members !== undefined && !byUser.has(id)) wanted.current = workspaceId;
      if (id === null) return 'Convoy';
      return byUser.get(id)?.display_name || nameless(members !== undefined);
    };
    /** The letter of a member's avatar: of the user's own name, too, not of "You". */
    const initialOf = (id: string | null) =>
      (byUser.get(id ?? '')?.display_name || nameOf(id)).charAt(0).toUpperCase();
    return {
      members: members ?? [],
      isLoading: members === undefined,
      nameOf,
      initialOf,
      me: members?.find((member) => member.user_id === userId),
    };
  }, [members, former, workspaceId, userId]);
}
