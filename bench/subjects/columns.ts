/** The synced tables as every subject mirrors them. */

import { COMMON_COLUMNS, columnsOf, type SyncedTable, type TableColumns } from '@/domain/schema';
import type { FilledTable } from '../data/workspace';

/** Filled by the generator, and the standard workflow. */
export const MIRRORED: readonly (FilledTable | 'workflows')[] = [
  'workspaces',
  'workflows',
  'projects',
  'milestones',
  'tasks',
  'task_dependencies',
  'activity_feed',
  'patterns',
  'best_practices',
];

export type Kind = 'text' | 'number' | 'time' | 'json';

/** @returns the columns beside the id with how they are stored. */
export function mirroredColumns(table: SyncedTable): [name: string, kind: Kind][] {
  const columns: TableColumns = { ...columnsOf(table), ...COMMON_COLUMNS };
  return [
    ['workspace_id', 'text'],
    ...Object.entries(columns).map(([name, { kind }]): [string, Kind] => [
      name,
      kind === 'number' || kind === 'time' || kind === 'json' ? kind : 'text',
    ]),
  ];
}
