/** What every adapter of local storage is held to. Plain functions: they run in Node and in a browser page. */

import { type AppSchema, appSchema, Database, Model, tableSchema } from '@nozbe/watermelondb';
import type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import * as migrationsModule from '@nozbe/watermelondb/Schema/migrations/index.js';
import type { SharedStore } from '@/core/storage';

export type Adapter = DatabaseAdapter & SharedStore;

/** Opens databases of the storage under test. The same name is the same database; an open one may be opened again. */
export interface AdapterHost {
  open(options: { name: string; schema: AppSchema; migrations: SchemaMigrations }): Promise<Adapter>;
}

export interface AdapterCase {
  title: string;
  run(host: AdapterHost): Promise<void>;
}

export class Boat extends Model {
  static override table = 'boats';
  static override associations = {
    harbours: { type: 'belongs_to' as const, key: 'harbour_id' },
    voyages: { type: 'has_many' as const, foreignKey: 'boat_id' },
  };
}
export class Harbour extends Model {
  static override table = 'harbours';
  static override associations = {
    boats: { type: 'has_many' as const, foreignKey: 'harbour_id' },
    countries: { type: 'belongs_to' as const, key: 'country_id' },
  };
}
export class Country extends Model {
  static override table = 'countries';
  static override associations = {
    harbours: { type: 'has_many' as const, foreignKey: 'country_id' },
  };
}
export class Voyage extends Model {
  static override table = 'voyages';
  static override associations = { boats: { type: 'belongs_to' as const, key: 'boat_id' } };
}

export const TABLES = [
  tableSchema({
    name: 'boats',
    columns: [
      { name: 'name', type: 'string' },
      { name: 'note', type: 'string', isOptional: true },
      { name: 'harbour_id', type: 'string', isIndexed: true, isOptional: true },
      { name: 'length', type: 'number' },
      { name: 'draught', type: 'number', isOptional: true },
      { name: 'afloat', type: 'boolean' },
      { name: 'order', type: 'number', isOptional: true },
    ],
  }),
  tableSchema({
    name: 'harbours',
    columns: [
      { name: 'name', type: 'string' },
      { name: 'country_id', type: 'string', isOptional: true },
    ],
  }),
  tableSchema({ name: 'countries', columns: [{ name: 'name', type: 'string' }] }),
  tableSchema({
    name: 'voyages',
    columns: [
      { name: 'boat_id', type: 'string', isIndexed: true },
      { name: 'miles', type: 'number' },
    ],
  }),
];

export const SCHEMA: AppSchema = appSchema({ version: 1, tables: TABLES });
export const { schemaMigrations, addColumns, createTable, unsafeExecuteSql } = migrationsModule;
export const NO_MIGRATIONS: SchemaMigrations = schemaMigrations({ migrations: [] });

let opened = 0;
export function newName(): string {
  opened += 1;
  return `storage-${Date.now().toString(36)}-${opened}`;
}

export interface Opened {
  name: string;
  adapter: Adapter;
  database: Database;
}

/** Opens a database of the fixture's schema, a new one unless named. */
export async function open(host: AdapterHost, name = newName()): Promise<Opened> {
  const adapter = await host.open({ name, schema: SCHEMA, migrations: NO_MIGRATIONS });
  return { name, adapter, database: databaseOf(adapter) };
}

export function databaseOf(adapter: Adapter): Database {
  return new Database({ adapter, modelClasses: [Boat, Harbour, Country, Voyage] as never[] });
}

/** The adapter's callbacks as promises. */
export function call<T>(start: (done: (outcome: { value?: T; error?: Error }) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((outcome) => (outcome.error ? reject(outcome.error) : resolve(outcome.value as T)));
  });
}

type RowValue = string | number | boolean | null;
export type Row = { id: string } & Record<string, RowValue>;

const DEFAULTS: Record<string, Omit<Row, 'id'>> = {
  boats: { name: '', note: null, harbour_id: null, length: 0, draught: null, afloat: false, order: null },
  harbours: { name: '', country_id: null },
  countries: { name: '' },
  voyages: { boat_id: '', miles: 0 },
};

/** A row of a table with all its columns. */
export function row(table: string, values: Row): Row {
  return { _status: 'synced', _changed: '', ...DEFAULTS[table], ...values } as Row;
}

export function insert(adapter: Adapter, table: string, ...rows: Row[]): Promise<void> {
  return batch(
    adapter,
    rows.map((values) => ['create', table, row(table, values)]),
  );
}

export function batch(adapter: Adapter, operations: unknown[]): Promise<void> {
  return call((done) => adapter.batch(operations as never, done as never));
}

export function find(adapter: Adapter, table: string, id: string): Promise<Row | string | null> {
  return call((done) => adapter.find(table as never, id, done as never));
}

/** Keys in one order, so that the same record is the same text. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, inner) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Fails with both values in words. */
export function expectSame(actual: unknown, expected: unknown, what = ''): void {
  const [got, wanted] = [canonical(actual), canonical(expected)];
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`);
}

export async function expectFailure(work: Promise<unknown>, code?: string): Promise<void> {
  const failure = await work.then(
    () => null,
    (error: Error & { code?: string }) => error,
  );
  if (!failure) throw new Error('expected a failure');
  if (code !== undefined && failure.code !== code) {
    throw new Error(`expected a failure of code ${code}, got ${failure.code}: ${failure.message}`);
  }
}
