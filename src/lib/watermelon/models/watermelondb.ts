/**
 * Everything that the data layer uses of WatermelonDB, in one place: its hand-written types drift from its runtime, and
 * its deep modules are CommonJS that Node and bundlers unwrap differently.
 */

import { appSchema, Database, Model, Q, tableSchema } from '@nozbe/watermelondb';
import * as decorators from '@nozbe/watermelondb/decorators/index.js';
import * as rawRecordModule from '@nozbe/watermelondb/RawRecord/index.js';
import * as migrationsModule from '@nozbe/watermelondb/Schema/migrations/index.js';
import * as randomIdModule from '@nozbe/watermelondb/utils/common/randomId/index.js';

export type { AppSchema, Collection, Query, Relation } from '@nozbe/watermelondb';
export type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
export type { WriterInterface } from '@nozbe/watermelondb/Database/WorkQueue';
export { appSchema, Database, Model, Q, tableSchema };

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
