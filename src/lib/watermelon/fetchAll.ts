/** Small tables as a whole, without WatermelonDB's queries: what a device reads whenever it is opened. */

import type { ConvoyDatabase } from './database';
import { type Model, type Raw, sanitizedRaw } from './models/watermelondb';

/** What this needs of WatermelonDB's internals (0.28.0, pinned). */
interface Internals {
  collections: {
    get(table: string): {
      schema: Parameters<typeof sanitizedRaw>[1] & { columnArray: { name: string }[] };
      _cache: { map: Map<string, Model>; recordFromQueryResult(raw: Raw): Model };
    };
  };
}

/** @returns the records of each table; where the storage answers queries, as of one moment and in one round trip. */
export async function fetchAll(database: ConvoyDatabase, tables: readonly unknown[]): Promise<Model[][]> {
  if (!database.hasRows) {
    return Promise.all(
      tables.map((table) =>
        database
          .get(table as never)
          .query()
          .fetch(),
      ),
    );
  }
  const collections = tables.map((table) =>
    (database as unknown as Internals).collections.get(table as string),
  );
  const columns = collections.map(({ schema }) => [
    'id',
    '_status',
    '_changed',
    ...schema.columnArray.map(({ name }) => name),
  ]);
  const found = await database.readAll(
    tables.map((table, n) => ({
      sql: `select ${columns[n]?.map((name) => `"${name}"`).join()} from "${table}" where "_status" <> 'deleted'`,
      args: [],
    })),
  );
  return collections.map(({ schema, _cache: cache }, n) =>
    (found[n] ?? []).map((row) => {
      const known = cache.map.get(row[0] as string);
      if (known) return known;
      const raw = Object.fromEntries((columns[n] ?? []).map((name, at) => [name, row[at] ?? null]));
      return cache.recordFromQueryResult(sanitizedRaw(raw as never, schema) as unknown as Raw);
    }),
  );
}
