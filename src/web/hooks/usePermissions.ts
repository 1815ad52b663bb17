import type { WorkspaceMember } from '@/domain/entities';
import { managesMembers, mayWrite, passesCheckpoints } from '@/domain/permissions';
import type { SyncedTable } from '@/domain/schema';
import type { MemberKind, Role } from '@/domain/vocabulary';
import { useDevice } from './useDevice';
import { useMembers } from './useMembers';
import { useRecord } from './useQuery';

export interface Permissions {
  role: Role | null;
  /** @returns why the role does not allow it, in words for people; null: it does. */
  whyNot(table: SyncedTable, operation: 'insert' | 'update' | 'delete'): string | null;
  /** Whether the local database has answered; until then nobody is told of a right that they lack. */
  isKnown: boolean;
  passesCheckpoints: boolean;
  /** Whether the user invites and removes members and gives them roles. */
  managesMembers: boolean;
}

/** The rights of the user's role in a workspace, as the local database knows it. */
export function usePermissions(workspaceId: string): Permissions {
  const { kind } = useDevice();
  const { me, isLoading } = useMembers(workspaceId);
  const workspace = useRecord('workspaces', workspaceId);
  return permissionsOf(me, kind, workspace?.sync === 'new', !isLoading && workspace !== undefined);
}

/**
 * @param me the user's membership, if any
 * @param isNew the server does not have the workspace: its membership arrives with the first sync, and until then its creator counts
 * as owner
 * @param isKnown whether the local database has answered
 */
export function permissionsOf(
  me: WorkspaceMember | undefined,
  kind: MemberKind,
  isNew: boolean,
  isKnown: boolean,
): Permissions {
  const role = me?.role ?? (isNew ? 'owner' : null);
  return {
    role,
    isKnown,
    passesCheckpoints: role !== null && passesCheckpoints(me ?? { role, kind }),
    managesMembers: me !== undefined && managesMembers(me),
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
