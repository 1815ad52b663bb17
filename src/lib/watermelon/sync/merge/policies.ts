/** How a column merges where both sides changed it, by table and column. */

import { columnsOf, SYNCED_TABLES, type SyncedTable } from '@/domain/schema';

/**
 * - `remote`: the server's value wins.
 * - `later`: the later edit wins, by edit times corrected for the device's clock.
 * - `text`: three-way merge; where both changed the same passage a person decides.
 */
export type Policy = 'remote' | 'later' | 'text';

export type TablePolicies = Readonly<Record<string, Policy>>;
export type Policies = Readonly<Record<SyncedTable, TablePolicies>>;

const REMOTE_WINS: readonly SyncedTable[] = [
  'workspaces',
  'workspace_members',
  'projects',
  'milestones',
  // Of an entry only the server changes anything: it blanks one.
  'activity_feed',
  'deletions',
];

function defaultsFor(table: SyncedTable): TablePolicies {
  return Object.fromEntries(
    Object.entries(columnsOf(table)).map(([name, column]): [string, Policy] => {
      if (REMOTE_WINS.includes(table) || column.unit === 'stage') return [name, 'remote'];
      return [name, column.kind === 'prose' ? 'text' : 'later'];
    }),
  );
}

export const DEFAULT_POLICIES: Policies = Object.fromEntries(
  SYNCED_TABLES.map((table) => [table, defaultsFor(table)]),
) as Record<SyncedTable, TablePolicies>;

/** @returns the default policies, with `own` over them. */
export function withPolicies(own: Partial<Record<SyncedTable, TablePolicies>>): Policies {
  return Object.fromEntries(
    SYNCED_TABLES.map((table) => [table, { ...DEFAULT_POLICIES[table], ...own[table] }]),
  ) as Record<SyncedTable, TablePolicies>;
}
