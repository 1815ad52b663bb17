import { useMemo } from 'react';
import type { WorkspaceMember } from '@/domain/entities';
import { nameless } from './nameless';
import { useDevice } from './useDevice';
import { type Permissions, permissionsOf } from './usePermissions';
import { useQuery } from './useQuery';

export interface Teams {
  /** The member of a workspace that a user is; undefined for a former one. */
  memberOf(workspaceId: string, userId: string): WorkspaceMember | undefined;
  nameOf(workspaceId: string, userId: string): string;
  membersOf(workspaceId: string): readonly WorkspaceMember[];
  permissionsIn(workspaceId: string): Permissions;
}

/** The members of several workspaces, and what the user may do in each. */
export function useTeams(workspaceIds: readonly string[]): Teams {
  const { userId, kind } = useDevice();
  const members = useQuery('workspace_members', { workspace_id: workspaceIds });
  const workspaces = useQuery('workspaces', { id: workspaceIds });
  return useMemo(() => {
    const teams = new Map<string, Map<string, WorkspaceMember>>();
    for (const member of members ?? []) {
      const team = teams.get(member.workspace_id);
      if (team) team.set(member.user_id, member);
      else teams.set(member.workspace_id, new Map([[member.user_id, member]]));
    }
    const memberOf = (workspaceId: string, id: string) => teams.get(workspaceId)?.get(id);
    const isKnown = members !== undefined && workspaces !== undefined;
    return {
      memberOf,
      nameOf: (workspaceId, id) =>
        id === userId ? 'You' : memberOf(workspaceId, id)?.display_name || nameless(members !== undefined),
      membersOf: (workspaceId) => [...(teams.get(workspaceId)?.values() ?? [])],
      permissionsIn: (workspaceId) => {
        const workspace = workspaces?.find(({ id }) => id === workspaceId);
        return permissionsOf(memberOf(workspaceId, userId), kind, workspace?.sync === 'new', isKnown);
      },
    };
  }, [members, workspaces, userId, kind]);
}
