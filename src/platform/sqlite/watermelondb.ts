/** What the adapter takes of WatermelonDB's inside (0.28.0, pinned): its SQL, so that queries mean the same everywhere. */

import type { AppSchema, TableSchema } from '@nozbe/watermelondb';
import * as encodeQueryModule from '@nozbe/watermelondb/adapters/sqlite/encodeQuery/index.js';
import * as encodeSchemaModule from '@nozbe/watermelondb/adapters/sqlite/encodeSchema/index.js';
import * as rawRecordModule from '@nozbe/watermelondb/RawRecord/index.js';
import * as stepsModule from '@nozbe/watermelondb/Schema/migrations/stepsForMigration.js';
import type { StoredRow } from '@/core/storage';
import type { SqlValue } from './handle';

/** Of a `Query`, what the adapter looks at. */
export interface SerializedQuery {
  table: string;
  description: { sql?: { sql: string; values: SqlValue[] }; take?: number; skip?: number };
  associations: unknown[];
}

/** CommonJS: Node hands out the whole module as its default, bundlers the export. */
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
export const encodeSchema: (schema: AppSchema) => string = named(encodeSchemaModule, 'encodeSchema');
export const encodeDropIndices: (schema: AppSchema) => string = named(
  encodeSchemaModule,
  'encodeDropIndices',
);
export const encodeCreateIndices: (schema: AppSchema) => string = named(
  encodeSchemaModule,
  'encodeCreateIndices',
);
export const encodeMigrationSteps: (steps: unknown[]) => string = named(
  encodeSchemaModule,
  'encodeMigrationSteps',
);
export const stepsForMigration: (range: {
  migrations: unknown;
  fromVersion: number;
  toVersion: number;
}) => unknown[] | null = named(stepsModule, 'stepsForMigration');
export const sanitizedRaw: (dirty: object, schema: TableSchema) => StoredRow = named(
  rawRecordModule,
  'sanitizedRaw',
);
