/** Applies foreign writes to the records in memory. */

import type { ForeignChange, Replica } from '@/core/storage';
import { type Database, type Model, type Raw, sanitizedRaw } from './watermelondb';

/** A written record, as WatermelonDB names it to observers. */
export type Change = { record: Model; type: 'created' | 'updated' | 'destroyed' };

/** The internals of WatermelonDB (0.28.0, pinned) that are used here. */
interface Internals {
  collections: {
    get(table: string): {
      schema: Parameters<typeof sanitizedRaw>[1];
      _subscribers: unknown[];
      _cache: {
        map: Map<string, Model>;
        delete(record: Model): void;
        recordInsantiator(raw: Raw): Model;
        add(record: Model): void;
      };
    };
  };
  _notify(changes: [string, Change[]][]): void;
}

/** @param onTables called with the tables of foreign writes, once their records are in memory */
export function replicaOf(database: Database, onTables: (tables: string[]) => void): Replica {
  const { collections } = database as unknown as Internals;
  const notify = (changes: [string, Change[]][]) => (database as unknown as Internals)._notify(changes);
  const has = (table: string) => Object.hasOwn(database.schema.tables, table);
  return {
    holds: (table, id) => collections.get(table)._cache.map.has(id),
    held: (table) => (has(table) ? collections.get(table)._cache.map.keys() : []),
    watches: (table) => has(table) && collections.get(table)._subscribers.length > 0,
    takeOver(foreign) {
      const changes = foreign
        .filter(({ table }) => has(table))
        .map((change): [string, Change[]] => [change.table, apply(collections.get(change.table), change)]);
      notify(changes);
      onTables(changes.map(([table]) => table));
    },
  };
}

function apply(
  { schema, _cache: cache }: ReturnType<Internals['collections']['get']>,
  { rows, gone }: ForeignChange,
): Change[] {
  const changes: Change[] = rows.map((row) => {
    const raw = sanitizedRaw(row as never, schema) as unknown as Raw;
    const known = cache.map.get(raw.id);
    if (known) {
      (known as unknown as { _raw: Raw })._raw = raw;
      return { record: known, type: 'updated' };
    }
    const record = cache.recordInsantiator(raw);
    cache.add(record);
    return { record, type: 'created' };
  });
  for (const id of gone) {
    const record = cache.map.get(id);
    if (!record) continue;
    cache.delete(record);
    changes.push({ record, type: 'destroyed' });
  }
  return changes;
}
