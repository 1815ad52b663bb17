/** The names of those who left a workspace: records that devices do not sync, since nobody but their names is needed. */

import type { WorkspaceMember } from '@/domain/entities';
import { type LocalFirst, storing } from './localFirst';

const keyOf = (workspaceId: string) => `former-members/${workspaceId}`;

/** @returns what the server says; where it cannot be reached, what it said when it was last asked; nothing of a workspace that is not here. */
export async function formerMembers(
  { store, remote, isOnline }: LocalFirst,
  workspaceId: string,
): Promise<WorkspaceMember[]> {
  const { localStorage } = store.database;
  const workspace = await storing(() => store.record('workspaces', workspaceId));
  if (workspace === null) return [];
  const remoteId = workspace.raw.remote_id;
  if (remote !== null && isOnline() && typeof remoteId === 'string') {
    try {
      const former = await remote.getFormerMembers(remoteId);
      await storing(() => localStorage.set(keyOf(workspaceId), former));
      return former;
    } catch {
      // Names that were known before are better than the error of the network, or of a server that does not know the question.
    }
  }
  return (await storing(() => localStorage.get<WorkspaceMember[]>(keyOf(workspaceId)))) ?? [];
}
