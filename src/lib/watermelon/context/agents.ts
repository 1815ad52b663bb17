/** Agents on a device: making, pausing and revoking them is the server's, so all of it is passed on. */

import { ConvoyError } from '@/core/errors';
import type { AgentService } from '@/domain/agents';
import type { ContextService } from '@/domain/contextService';
import type { SyncedTable } from '@/domain/schema';
import type { LocalFirst } from './localFirst';

export function localAgents(local: LocalFirst): AgentService {
  /** @returns the id that the server knows the record by. */
  const remoteId = async (table: SyncedTable, id: string) => {
    const record = typeof id === 'string' ? await local.store.record(table, id) : null;
    return String(record?.raw.remote_id ?? id);
  };
  /** Calls the server, and fetches what it made of it. */
  async function onServer<T>(call: (remote: ContextService) => Promise<T>): Promise<T> {
    if (local.remote === null || !local.isOnline()) throw new ConvoyError(offline());
    const answer = await call(local.remote);
    local.requestSync();
    return answer;
  }
  return {
    createAgent: async (workspaceId, name) => {
      const id = await remoteId('workspaces', workspaceId);
      return onServer((remote) => remote.createAgent(id, name));
    },
    revokeAgent: async (memberId) => {
      const id = await remoteId('workspace_members', memberId);
      return onServer((remote) => remote.revokeAgent(id));
    },
    pauseAgent: async (memberId, paused) => {
      const id = await remoteId('workspace_members', memberId);
      return onServer((remote) => remote.pauseAgent(id, paused));
    },
  };
}

function offline() {
  return {
    kind: 'transport',
    code: 'offline',
    message: 'Agents are made, paused and revoked by the server, which cannot be reached. Try again later.',
  } as const;
}
