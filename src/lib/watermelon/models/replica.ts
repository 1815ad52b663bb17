/** Applies writes that no change of this tab names to the records in memory: foreign ones, and rows of pages. */

import type { ForeignChange, Replica } from '@/core/storage';
import type { RecordCache } from './recordCache';
import { type Database, type Model, type Raw, sanitizedRaw } from './watermelondb';

/** A written record, as WatermelonDB names it to observers. */
export type Change<T extends Model = Model> = { record: T; type: 'created' | 'updated' | 'destroyed' };

/** The internals of WatermelonDB (0.28.0, pinned) that are used here. */
interface Internals {
  collections: {
    get(table: string): {
      schema: Parameters<typeof sanitizedRaw>[1];
      _cache: { map: RecordCache; delete(record: Model): void };
    };
  };
  _notify(changes: [string, Change[]][]): void;
}

/** @param onTables called with the tables of writes that no change names, once the records in memory are as they are stored */
export function replicaOf(database: Database, onTables: (tables: string[]) => void): Replica {
  const { collections } = database as unknown as Internals;
  const notify = (changes: [string, Change[]][]) => (database as unknown as Internals)._notify(changes);
  const has = (table: string) => Object.hasOwn(database.schema.tables, table);
  return {
    holds: (table, id) => collections.get(table)._cache.map.has(id),
    held: (table) => (has(table) ? collections.get(table)._cache.map.keys() : []),
    takeOver(foreign) {
      const changes = foreign
        .filter(({ table }) => has(table))
        .map((change): [string, Change[]] => [change.table, apply(collections.get(change.table), change)]);
      notify(changes);
      onTables(changes.map(([table]) => table));
    },
  };
}

/** Records that are not in memory stay out of it: what shows them reads them. */
function apply(
  { schema, _cache: cache }: ReturnType<Internals['collections']['get']>,
  { rows, gone }: ForeignChange,
): Change[] {
  const changes: Change[] = [];
  for (const row of rows) {
    const record = cache.map.get(row.id);
    if (!record) continue;
    (record as unknown as { _raw: Raw })._raw = sanitizedRaw(row as never, schema) as unknown as Raw;
    changes.push({ record, type: 'updated' });
  }
  for (const id of gone) {
    const record = cache.map.get(id);
    if (!record) continue;
    cache.delete(record);
    changes.push({ record, type: 'destroyed' });
  }
  return changes;
}
