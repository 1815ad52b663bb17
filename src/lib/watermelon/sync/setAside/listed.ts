/** What is set aside on a device, in the order and the groups in which people decide about it. */

import type { ConvoyDatabase } from '../../database';
import { Archived, Conflict, Quarantined } from '../../models';
import { isConsequence } from './ledger';

export interface SetAside {
  conflicts: Conflict[];
  /** In groups that are retried and discarded together. */
  refused: Quarantined[][];
  /** In groups that were archived together. */
  archived: Archived[][];
}

/** @returns all that is set aside, each list with the newest first */
export async function readSetAside(database: ConvoyDatabase): Promise<SetAside> {
  const [conflicts, refused, archived] = await Promise.all([
    database.of(Conflict).query().fetch(),
    database.of(Quarantined).query().fetch(),
    database.of(Archived).query().fetch(),
  ]);
  return {
    conflicts: listConflicts(conflicts),
    refused: groupRefused(refused),
    archived: groupArchived(archived),
  };
}

/**
 * @returns the entries of the ledger that mean something to a person, those to be decided first, then the newest: without edits
 *   lost to the user's own deletions, and without what was lost along with another entry
 */
export function listConflicts(entries: readonly Conflict[]): Conflict[] {
  const told = byTime(entries.filter((entry) => entry.kind !== 'deleted' && !isConsequence(entry)));
  return [...told.filter(isOpen), ...told.filter((entry) => !isOpen(entry))];
}

const isOpen = ({ state }: Conflict): boolean => state === 'open';

/** @returns refused changes, newest first, in the groups that are retried and discarded together */
export function groupRefused(entries: readonly Quarantined[]): Quarantined[][] {
  return grouped(byTime(entries), ({ groupId }) => groupId);
}

/** @returns the change of a group that was refused for a reason of its own; the others were refused with it */
export function culpritOf(group: readonly Quarantined[]): Quarantined | undefined {
  return group.find(({ code }) => code !== 'group' && code !== 'blocked') ?? group[0];
}

/** @returns the archive, newest first, in groups of changes that were archived together */
export function groupArchived(entries: readonly Archived[]): Archived[][] {
  return grouped(
    byTime(entries),
    ({ workspaceId, reason, occurredAt }) => `${workspaceId} ${reason} ${occurredAt.getTime()}`,
  );
}

function byTime<T extends { occurredAt: Date }>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => b.occurredAt.getTime() - a.occurredAt.getTime());
}

function grouped<T>(entries: readonly T[], keyOf: (entry: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const entry of entries) groups.set(keyOf(entry), [...(groups.get(keyOf(entry)) ?? []), entry]);
  return [...groups.values()];
}
