/** Reads whole small tables past WatermelonDB's queries, in one round trip. */

import type { StoredQuery } from '@/core/storage';
import { type Model, type ModelClass, type Raw, sanitizedRaw } from './watermelondb';

/** The records of several models, in the order of the models. */
export type RecordsOf<Models extends readonly ModelClass<Model>[]> = {
  [Index in keyof Models]: Models[Index]['prototype'][];
};

/** The internals of WatermelonDB (0.28.0, pinned) that are used here. */
interface Internals {
  collections: {
    get(table: string): {
      _cache: { get(id: string): Model | undefined; recordFromQueryResult(raw: Raw): Model };
      readonly schema: Parameters<typeof sanitizedRaw>[1] & { columnArray: { name: string }[] };
    };
  };
}

interface Readable {
  readAll(queries: readonly StoredQuery[]): Promise<(string | number | null)[][][]>;
}

/** @returns the records of each model, as of one moment; those in memory are the same instances. Rejects where the storage fails. */
export async function fetchWhole<Models extends readonly ModelClass<Model>[]>(
  database: Readable,
  models: Models,
): Promise<RecordsOf<Models>> {
  const internals = database as unknown as Internals;
  const collections = models.map(({ table }) => internals.collections.get(table as string));
  const columns = collections.map(({ schema }) => [
    'id',
    '_status',
    '_changed',
    ...schema.columnArray.map(({ name }) => name),
  ]);
  const found = await database.readAll(
    models.map(({ table }, n) => ({
      sql: `select ${columns[n]?.map((name) => `"${name}"`).join()} from "${table}" where "_status" <> 'deleted'`,
      args: [],
    })),
  );
  const records = collections.map(({ schema, _cache: cache }, n) =>
    (found[n] ?? []).map((row) => {
      const known = cache.get(row[0] as string);
      if (known) return known;
      const raw = Object.fromEntries((columns[n] ?? []).map((name, at) => [name, row[at] ?? null]));
      return cache.recordFromQueryResult(sanitizedRaw(raw as never, schema) as unknown as Raw);
    }),
  );
  return records as unknown as RecordsOf<Models>;
}
