import { useCallback } from 'react';
import type { EntityOf } from '@/domain/entities';
import type { Role } from '@/domain/vocabulary';
import { expectedOf } from '@/domain/writes/expected';
import type { LocalContextService } from '@/lib/watermelon/contextService';
import { useDevice } from './useDevice';

export type EditableTable = 'workspaces' | 'projects' | 'milestones' | 'tasks' | 'workspace_members';

type Update = (
  service: LocalContextService,
  id: string,
  changes: object,
  options: object,
) => Promise<unknown>;

const UPDATES: Readonly<Record<EditableTable, Update>> = {
  workspaces: (service, id, changes, options) => service.updateWorkspace(id, changes, options),
  projects: (service, id, changes, options) => service.updateProject(id, changes, options),
  milestones: (service, id, changes, options) => service.updateMilestone(id, changes, options),
  tasks: (service, id, changes, options) => service.updateTask(id, changes, options),
  workspace_members: (service, id, changes, options) =>
    service.updateMemberRole(id, (changes as { role: Role }).role, options),
};

export type SaveEdit = <Table extends EditableTable, Seen extends { id: string }>(
  table: Table,
  seen: Seen,
  /** Of columns that the person has seen. */
  changes: Partial<Pick<EntityOf[Table], keyof EntityOf[Table] & keyof Seen>>,
  /** Of a task that is moved past a human checkpoint without an approval: why. */
  more?: { reason: string },
) => Promise<void>;

/**
 * Saves what a person changed of a record, and nothing else, against the values that they saw: the only way in which
 * screens update records. Rejects with `conflict/stale` where somebody else has changed the same since.
 */
export function useSaveEdit(): SaveEdit {
  const { contextService } = useDevice();
  return useCallback(
    async (table, seen, changes, more) => {
      if (Object.keys(changes).length === 0) return;
      // All that screens show of a record has the columns that merge with a changed one.
      const options = { expected: expectedOf(table, seen as never, changes), merges: true, ...more };
      await UPDATES[table](contextService, seen.id, changes, options);
    },
    [contextService],
  );
}
