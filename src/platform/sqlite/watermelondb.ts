/** WatermelonDB internals that the adapter uses (0.28.0, pinned): its SQL, so that queries mean the same everywhere. */

import type { AppSchema, TableSchema } from '@nozbe/watermelondb';
import * as encodeQueryModule from '@nozbe/watermelondb/adapters/sqlite/encodeQuery/index.js';
import * as encodeSchemaModule from '@nozbe/watermelondb/adapters/sqlite/encodeSchema/index.js';
import * as rawRecordModule from '@nozbe/watermelondb/RawRecord/index.js';
import * as stepsModule from '@nozbe/watermelondb/Schema/migrations/stepsForMigration.js';
import type { StoredRow } from '@/core/storage';
import type { SqlValue } from './handle';

/** The fields of a serialized `Query` that the adapter reads. */
export interface SerializedQuery {
  table: string;
  description: { sql?: { sql: string; values: SqlValue[] }; take?: number; skip?: number };
  associations: unknown[];
}

/** A named export of a CommonJS module: Node puts the whole module under `default`, bundlers do not. */
function named<T>(module: unknown, name: string): T {
  const whole = module as Record<string, unknown> & { default?: Record<string, unknown> };
  return (whole[name] ?? whole.default?.[name]) as T;
}
function defaultOf<T>(module: unknown): T {
  const { default: given } = module as { default: { default?: unknown } };
  return (given.default ?? given) as T;
}

export const encodeQuery: (query: SerializedQuery, countMode?: boolean) => [string, SqlValue[]] =
  defaultOf(encodeQueryModule);
const encodeWholeSchema: (schema: AppSchema) => string = named(encodeSchemaModule, 'encodeSchema');
const encodeSteps: (steps: unknown[]) => string = named(encodeSchemaModule, 'encodeMigrationSteps');
export const stepsForMigration: (range: {
  migrations: unknown;
  fromVersion: number;
  toVersion: number;
}) => unknown[] | null = named(stepsModule, 'stepsForMigration');
export const sanitizedRaw: (dirty: object, schema: TableSchema) => StoredRow = named(
  rawRecordModule,
  'sanitizedRaw',
);

export function encodeSchema(schema: AppSchema): string {
  return indexedAsUsed(encodeWholeSchema(schema), schema);
}

/** @param schema the schema after these steps */
export function encodeMigrationSteps(steps: unknown[], schema: AppSchema): string {
  return indexedAsUsed(encodeSteps(steps), schema);
}

interface IndexedColumn {
  isOptional?: boolean;
  indexedWith?: string[];
  indexedAs?: string;
  indexedWhere?: string;
}

/**
 * Makes indexes of optional references partial: most are null, and no query looks those up. `indexedWith` adds
 * the columns by which a query orders its records; `indexedAs` has the terms of the index where they are not columns alone, and
 * `indexedWhere` the condition under which the index has a record. All are plain data in the schema, which is sent to workers.
 */
function indexedAsUsed(sql: string, schema: AppSchema): string {
  const tables = schema.tables as Record<string, TableSchema>;
  const index = /(create index [^;]* on "(\w+)" )\("(\w+)"\);/g;
  return sql.replace(index, (_, create: string, table: string, name: string) => {
    const column: IndexedColumn = tables[table]?.columns[name] ?? {};
    const terms = column.indexedAs ?? [name, ...(column.indexedWith ?? [])].map((one) => `"${one}"`).join();
    const where = column.indexedWhere ?? (column.isOptional ? `"${name}" is not null` : null);
    return `${create}(${terms})${where === null ? '' : ` where ${where}`};`;
  });
}
