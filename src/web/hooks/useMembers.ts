import { useMemo } from 'react';
import type { SyncedTable } from '@/domain/schema';
import { mayWrite, passesCheckpoints } from '@/domain/taskRules';
import type { Role } from '@/domain/vocabulary';
import { useDevice } from './useDevice';
import { useQuery, useRecord } from './useQuery';

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
    /** For the picture next to a name; one's own letter stays that of one's name. */
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

export interface Permissions {
  role: Role | null;
  /** @returns why the user may not, in plain words, or null: they may. */
  whyNot(table: SyncedTable, operation: 'insert' | 'update' | 'delete'): string | null;
  passesCheckpoints: boolean;
}

/** What the user may do in a workspace, by the role that the local database knows. */
export function usePermissions(workspaceId: string): Permissions {
  const { me, isLoading } = useMembers(workspaceId);
  const workspace = useRecord('workspaces', workspaceId);
  // The membership of a workspace made here arrives with its first sync; its maker owns it already.
  const role = me?.role ?? (workspace?.sync === 'new' ? 'owner' : null);
  const isKnown = !isLoading && workspace !== undefined;
  return {
    role,
    passesCheckpoints: role !== null && passesCheckpoints(me ?? { role, kind: 'human' }),
    whyNot: (table, operation) =>
      !isKnown || mayWrite(role, table, operation)
        ? null
        : reason(role, `${VERBS[operation]} ${NOUNS[table]}`),
  };
}

const VERBS = { insert: 'add', update: 'change', delete: 'delete' } as const;
const NOUNS: Record<SyncedTable, string> = {
  workspaces: 'the workspace itself',
  workspace_members: 'members',
  workflows: 'workflows',
  projects: 'projects',
  milestones: 'milestones',
  tasks: 'tasks',
  task_dependencies: 'dependencies',
  activity_feed: 'entries of the feed',
  patterns: 'patterns',
  best_practices: 'best practices',
  deletions: 'deletions',
};

function reason(role: Role | null, what: string): string {
  switch (role) {
    case null:
      return 'You are no longer a member of this workspace.';
    case 'viewer':
      return 'You are a viewer here: you can read everything and change nothing. An owner can give you another role.';
    case 'owner':
    case 'editor':
    case 'agent':
      return `You are an ${role} here: ${role}s may not ${what}.`;
  }
}
