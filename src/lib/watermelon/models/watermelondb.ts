/**
 * Everything that the data layer uses of WatermelonDB, in one place: its hand-written types drift from its runtime, and
 * its deep modules are CommonJS that Node and bundlers unwrap differently.
 */

import { appSchema, Database, Model, Q, Query, tableSchema } from '@nozbe/watermelondb';
import * as decorators from '@nozbe/watermelondb/decorators/index.js';
import * as matcherModule from '@nozbe/watermelondb/observation/encodeMatcher/index.js';
import * as rawRecordModule from '@nozbe/watermelondb/RawRecord/index.js';
import * as migrationsModule from '@nozbe/watermelondb/Schema/migrations/index.js';
import * as randomIdModule from '@nozbe/watermelondb/utils/common/randomId/index.js';

export type { AppSchema, Collection, Relation } from '@nozbe/watermelondb';
export type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
export type { WriterInterface } from '@nozbe/watermelondb/Database/WorkQueue';
export { appSchema, Database, Model, Q, Query, tableSchema };

export const { children, date, field, json, relation, text } = decorators;
export const { sanitizedRaw } = rawRecordModule;
export const { schemaMigrations, createTable, addColumns, unsafeExecuteSql } = migrationsModule;
export type { MigrationStep, SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';

/** Replaces WatermelonDB's 16-character id generator for every record created from now on. */
export const setIdGenerator: (generator: () => string) => void = randomIdModule.setGenerator;

/** WatermelonDB stores booleans in plain fields; this name says that the column holds one. */
export const bool = field;

/** The class of a model: WatermelonDB's own type allows no class with properties of its own. */
export interface ModelClass<T extends Model> {
  readonly table: unknown;
  readonly prototype: T;
}

/** The value of a column of a stored record. */
export type RawValue = string | number | boolean | null;

/** A stored record: WatermelonDB's own three columns and the columns of the table. */
export type Raw = {
  id: string;
  _status: 'synced' | 'created' | 'updated' | 'deleted';
  _changed: string;
  [column: string]: RawValue;
};

/** The parts of a query's description that decide whether records in memory can be matched with it. */
interface Description {
  where: Clause[];
  joinTables: unknown[];
  nestedJoinTables: unknown[];
  sortBy: unknown[];
  take?: unknown;
  skip?: unknown;
  lokiTransform?: unknown;
  sql?: unknown;
}
type Clause = { type: string; conditions?: Clause[] };

/** Node puts a CommonJS module's exports under `default`, bundlers do not. */
const { default: encodeMatcher } = matcherModule as unknown as { default: unknown };
const matcherFor = ((encodeMatcher as { default?: unknown }).default ?? encodeMatcher) as (
  description: Description,
) => (raw: Raw) => boolean;

/** @returns whether a record matches a query; null for queries that only SQL answers */
export function matcherOf(description: Description): ((raw: Raw) => boolean) | null {
  const { where, joinTables, nestedJoinTables, sortBy, take, skip, lokiTransform, sql } = description;
  const isPlain = joinTables.length + nestedJoinTables.length + sortBy.length === 0;
  if (!isPlain || take || skip || lokiTransform || sql || where.some(needsSql)) return null;
  return matcherFor(description);
}

function needsSql({ type, conditions = [] }: Clause): boolean {
  return !['where', 'and', 'or'].includes(type) || conditions.some(needsSql);
}
