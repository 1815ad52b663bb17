/** Records that an earlier release left in IndexedDB are removed when they are safe elsewhere. */

import type { EarlierStorage } from '@/core/platform';
import { hasOpfs } from './hasOpfs';
import { hasLokiDatabase, readLokiDatabase, removeLokiDatabase } from './lokiDatabase';

/** Names of databases in this tab's memory that hold such records. What they hold is not safe before it is synced. */
const adopted = new Set<string>();

export const earlierStorage: EarlierStorage = {
  has: (name) => !adopted.has(name) && hasLokiDatabase(name),
  read: async (name, rules) => {
    if (adopted.has(name)) return null;
    return readLokiDatabase(name, rules, !(await hasOpfs()));
  },
  adopted: async (name) => {
    if (await hasOpfs()) await removeLokiDatabase(name);
    else adopted.add(name);
  },
  settle: async () => {
    if (adopted.size === 0) return;
    const { holdUnsynced } = await import('./memory');
    if (holdUnsynced()) return;
    for (const name of adopted) {
      await removeLokiDatabase(name);
      adopted.delete(name);
    }
  },
  remove: async (name) => {
    await removeLokiDatabase(name);
    adopted.delete(name);
  },
};
