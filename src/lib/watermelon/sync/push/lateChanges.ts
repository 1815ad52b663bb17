/**
 * Changes that the server does not answer in time though they are sent alone: the others go first, and one that the
 * server itself gives up again and again is refused (U43).
 */

import type { DeviceFacts } from '../../models';
import type { LateChange } from '../../models/local/deviceState';
import type { SyncedChange } from '../records/codec';
import type { UnsyncedRecord } from '../records/unsynced';
import { namedBy } from './order';

/** Times that the server itself has to give up a change, each with other requests that went well in between. */
export const MOST_REFUSALS = 3;

type Late = NonNullable<DeviceFacts['late']>;

/** @returns the facts with one more try of these changes, and how often the server itself has given one of them up. */
export function afterTry(
  late: Late | undefined,
  changes: readonly SyncedChange[],
  isRefusal: boolean,
): { late: Late; refused: number } {
  const next: Late = { ...late };
  for (const { id } of changes) {
    const { tries = 0, refused = 0 }: Partial<LateChange> = late?.[id] ?? {};
    next[id] = { tries: tries + 1, refused: refused + (isRefusal ? 1 : 0) };
  }
  const refused = changes.reduce((most, { id }) => Math.max(most, next[id]?.refused ?? 0), 0);
  return { late: next, refused };
}

/** @returns those of the late changes that are still unsynced; undefined: none. */
export function stillLate(late: Late, unsynced: ReadonlySet<string>): Late | undefined {
  const left = Object.entries(late).filter(([id]) => unsynced.has(id));
  return left.length > 0 ? Object.fromEntries(left) : undefined;
}

/**
 * Puts groups with late changes behind the others, with the groups that need what is in them; those that were tried the
 * least come first.
 * @param groups a group after those that it needs
 * @param triesOf by local id of a record; 0: it is not late
 * @returns the groups, still each after those that it needs, and the place of the first one that is sent alone
 */
export function lateLast(
  groups: readonly UnsyncedRecord[][],
  triesOf: (localId: string) => number,
): { groups: UnsyncedRecord[][]; aloneFrom: number } {
  const ranks = new Map<string, number>();
  const ranked = groups.map((group) => {
    const own = group.map(({ raw }) => triesOf(raw.id));
    const needed = group.flatMap(namedBy).map((id) => ranks.get(id) ?? 0);
    const rank = [...own, ...needed].reduce((most, one) => Math.max(most, one), 0);
    // Changes to a record that is there already do not need its late change.
    if (rank > 0) for (const { raw } of group) if (raw._status === 'created') ranks.set(raw.id, rank);
    return { group, rank };
  });
  // Sorting is stable: groups of one rank stay in the order in which they need each other.
  ranked.sort((a, b) => a.rank - b.rank);
  const first = ranked.findIndex(({ rank }) => rank > 0);
  return { groups: ranked.map(({ group }) => group), aloneFrom: first === -1 ? groups.length : first };
}
