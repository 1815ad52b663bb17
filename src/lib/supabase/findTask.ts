/** Finds tasks by what they are called, on the server; see `domain/keys.ts`. */

import { ConvoyError, orThrow } from '@/core/errors';
import { isUuid } from '@/core/text';
import { type FoundTask, type KeyService, onlyOne, parseReference } from '@/domain/keys';
import { validateId } from '@/domain/validation';
import type { ConvoyClient } from './client';
import { toRecord } from './records';
import { callRpc } from './rpc';

export function supabaseKeys(client: ConvoyClient, timeoutMs: number): KeyService {
  return {
    async findTask(given, { workspace_id } = {}) {
      const reference = orThrow(parseReference(given));
      if ('id' in reference && !isUuid(reference.id)) return null;
      const scope = workspace_id === undefined ? null : orThrow(validateId('workspace_id', workspace_id));
      if (scope !== null && !isUuid(scope)) return null;
      const args = {
        ...('key' in reference && { key: reference.key }),
        ...('ends' in reference && { id_ends: reference.ends }),
        ...('id' in reference && { task_id: reference.id }),
        ...(scope !== null && { of_workspace: scope }),
      };
      const called = await callRpc(client, 'find_tasks', args, { timeoutMs });
      if (!called.ok) throw new ConvoyError(called.error);
      const found = called.value.data as { task: unknown; workspace_name: string }[];
      return orThrow(
        onlyOne(
          found.map(
            ({ task, workspace_name }): FoundTask => ({
              task: toRecord<'tasks'>('tasks', task),
              workspace_name,
            }),
          ),
        ),
      );
    },
  };
}
