/** WatermelonDB's `DatabaseAdapter` over SQLite; a `StorePort` reaches the store. */

import type { AppSchema } from '@nozbe/watermelondb';
import type { DatabaseAdapter } from '@nozbe/watermelondb/adapters/type';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import type { StorageError } from '@/core/errors';
import {
  type ForeignChange,
  filledRow,
  type Replica,
  type SalvageReport,
  type SharedStore,
  type StorageWarning,
  type StoredQuery,
  type StoredRow,
} from '@/core/storage';
import { type BatchOperation, encodeBatch, tableOf } from './encodeBatch';
import { foreignChangeOf, type WantedRecords } from './foreignChanges';
import type { Selected, SqlValue } from './handle';
import { parameterised } from './parameters';
import type { Done, Outcome, StorePort } from './port';
import { DROP_SALVAGE_REPORT } from './salvageReport';
import { asObjects } from './store';
import { encodeQuery, type SerializedQuery, sanitizedRaw } from './watermelondb';

type Stored = StoredRow | string;

export interface SqliteAdapterOptions {
  name: string;
  schema: AppSchema;
  migrations: SchemaMigrations;
  port: StorePort;
  /** Default: true. */
  isDurable?: boolean;
  warning?: StorageWarning | null;
}

export class SqliteAdapter implements SharedStore {
  /** WatermelonDB reads it. */
  static readonly adapterType = 'sqlite';
  readonly schema: AppSchema;
  readonly migrations: SchemaMigrations;
  readonly dbName: string;
  readonly isDurable: boolean;
  readonly warning: StorageWarning | null;
  private readonly port: StorePort;
  private replica: Replica | null = null;

  constructor({ name, schema, migrations, port, isDurable = true, warning = null }: SqliteAdapterOptions) {
    this.dbName = name;
    this.schema = schema;
    this.migrations = migrations;
    this.port = port;
    this.isDurable = isDurable;
    this.warning = warning;
  }

  find(table: string, id: string, done: Done<Stored | null>): void {
    const { name } = tableOf(this.schema, table);
    this.port.select(
      `select * from "${name}" where "id" = ? limit 1`,
      [id],
      mapped(done, (found) => this.shown(table, found)[0] ?? null),
    );
  }

  query(query: SerializedQuery, done: Done<Stored[]>): void {
    this.read(
      query,
      encodeQuery(query),
      mapped(done, (found) => this.shown(query.table, found)),
    );
  }

  queryIds(query: SerializedQuery, done: Done<string[]>): void {
    const [sql, args] = encodeQuery(query);
    const columns = /^select (distinct )?"(\w+)"\.\* from/;
    const ids = query.description.sql ? sql : sql.replace(columns, 'select $1"$2"."id" from');
    this.read(
      query,
      [ids, args],
      mapped(done, (found) => idsOf(found)),
    );
  }

  unsafeQueryRaw(query: SerializedQuery, done: Done<unknown[]>): void {
    this.read(query, encodeQuery(query), mapped(done, asObjects));
  }

  count(query: SerializedQuery, done: Done<number>): void {
    this.read(
      query,
      encodeQuery(query, true),
      mapped(done, ({ columns, rows }) => Number(rows[0]?.[columns.indexOf('count')] ?? 0)),
    );
  }

  batch(operations: BatchOperation[], done: Done<void>): void {
    this.port.batch(encodeBatch(operations, this.schema), (outcome) => {
      if ('value' in outcome) {
        this.takeOverFilled(operations);
        this.takeOverRun(operations, done);
      } else done(outcome);
    });
  }

  /**
   * Statements bypass models as well: what became of their records is read, as far as the replica has to know. Where that
   * fails it lets go of them, and they are read anew by whatever shows them: the batch is stored all the same (D41).
   */
  private takeOverRun(operations: readonly BatchOperation[], done: Done<void>): void {
    const { replica } = this;
    const wanted = replica ? recordsOfStatements(operations, replica) : [];
    if (!replica || wanted.length === 0) {
      done({ value: undefined });
      return;
    }
    const queries = wanted.map(({ table, ids }) => ({
      sql: `select * from "${table}" where "id" in (select "value" from json_each(?))`,
      args: [JSON.stringify(ids)],
    }));
    this.port.selectAll(queries, (outcome) => {
      const found = 'value' in outcome ? outcome.value.map(asObjects) : [];
      replica.takeOver(wanted.map((records, n) => foreignChangeOf(records, found[n] ?? [])));
      done({ value: undefined });
    });
  }

  /** Filled rows bypass models: the replica takes over those that it holds, like foreign writes. */
  private takeOverFilled(operations: readonly BatchOperation[]): void {
    const { replica } = this;
    if (!replica) return;
    const changes = operations.flatMap((operation): ForeignChange[] => {
      if (operation[0] !== 'fill') return [];
      const [, table, filled] = operation;
      const known = (row: SqlValue[]) => replica.holds(table, String(row[0]));
      return [{ table, rows: filled.rows.filter(known).map((row) => filledRow(filled, row)), gone: [] }];
    });
    if (changes.length > 0) replica.takeOver(changes);
  }

  getDeletedRecords(table: string, done: Done<string[]>): void {
    const { name } = tableOf(this.schema, table);
    this.port.select(`select "id" from "${name}" where "_status" = 'deleted'`, [], mapped(done, idsOf));
  }

  destroyDeletedRecords(table: string, ids: string[], done: Done<void>): void {
    this.batch(
      ids.map((id) => ['destroyPermanently', table, id]),
      done,
    );
  }

  unsafeExecute(work: { sqls: [string, SqlValue[]][] } | { sqlString: string }, done: Done<void>): void {
    if ('sqlString' in work) {
      this.port.exec(work.sqlString, done);
      return;
    }
    const statements = work.sqls.map(([sql, args]) => ({ sql, argLists: [args.map(plain)] }));
    this.port.batch({ statements, written: {}, request: null }, done);
  }

  /** Destroys everything. Convoy never calls it; WatermelonDB's interface requires it. */
  unsafeResetDatabase(done: Done<void>): void {
    this.port.reset(done);
  }

  getLocal(key: string, done: Done<string | undefined>): void {
    this.port.select(
      'select "value" from "local_storage" where "key" = ?',
      [key],
      mapped(done, ({ rows }) => (rows[0] ? String(rows[0][0]) : undefined)),
    );
  }

  setLocal(key: string, value: string, done: Done<void>): void {
    this.local('insert or replace into "local_storage" ("key", "value") values (?, ?)', [key, value], done);
  }

  removeLocal(key: string, done: Done<void>): void {
    this.local('delete from "local_storage" where "key" = ?', [key], done);
  }

  unsafeLoadFromSync(_id: number, done: Done<never>): void {
    done({ error: new Error('unsafeLoadFromSync is not supported: the sync engine applies pages.') });
  }

  provideSyncJson(_id: number, _json: string, done: Done<never>): void {
    done({ error: new Error('provideSyncJson is not supported: the sync engine applies pages.') });
  }

  attach(replica: Replica): void {
    this.replica = replica;
    this.port.attach(replica);
  }

  whileSoleWriter<T>(work: () => Promise<T>): Promise<T> {
    return this.port.whileSoleWriter(work);
  }

  catchUp(): Promise<void> {
    return this.port.catchUp();
  }

  readAll(queries: readonly StoredQuery[]): Promise<SqlValue[][][]> {
    return new Promise((resolve, reject) => {
      this.port.selectAll(queries, (outcome) => {
        if ('error' in outcome) reject(outcome.error);
        else resolve(outcome.value.map(({ rows }) => rows));
      });
    });
  }

  onTrouble(listener: (error: StorageError | null) => void): void {
    this.port.onTrouble(listener);
  }

  exportFile(owner: string): Promise<Uint8Array> {
    return promised((done) => this.port.exportTo(owner, done));
  }

  importFile(bytes: Uint8Array, owner: string): Promise<void> {
    return promised((done) => this.port.importFrom(bytes, owner, done));
  }

  get salvaged(): SalvageReport | null {
    return this.port.salvaged;
  }

  forgetSalvaged(): Promise<void> {
    return promised((done) => this.port.exec(DROP_SALVAGE_REPORT, done));
  }

  close(): Promise<void> {
    return this.port.close();
  }

  private read(query: SerializedQuery, [sql, args]: [string, SqlValue[]], done: Done<Selected>): void {
    tableOf(this.schema, query.table);
    const [text, values] = query.description.sql ? [sql, args.map(plain)] : parameterised(sql, args);
    this.port.select(text, values, done);
  }

  private local(sql: string, args: SqlValue[], done: Done<void>): void {
    this.port.batch({ statements: [{ sql, argLists: [args] }], written: {}, request: null }, done);
  }

  /** WatermelonDB expects an id for a record that is in memory, and the raw record for any other. */
  private shown(table: string, { columns, rows }: Selected): Stored[] {
    const schema = tableOf(this.schema, table);
    const idAt = columns.indexOf('id');
    return rows.map((row) => {
      const id = String(row[idAt]);
      if (this.replica?.holds(table, id)) return id;
      const dirty: Record<string, SqlValue> = {};
      for (let index = 0; index < columns.length; index += 1) {
        dirty[columns[index] as string] = row[index] as SqlValue;
      }
      return sanitizedRaw(dirty, schema);
    });
  }
}

/** @returns the records of each table with statements that a replica has to know of, which may be none */
function recordsOfStatements(operations: readonly BatchOperation[], replica: Replica): WantedRecords[] {
  const byTable = new Map<string, string[]>();
  for (const [type, table, statement] of operations) {
    if (type !== 'run') continue;
    const ids = byTable.get(table) ?? [];
    byTable.set(table, ids);
    for (const id of statement.ids) if (replica.holds(table, id)) ids.push(id);
  }
  return [...byTable].map(([table, ids]) => ({ table, ids }));
}

/** The adapter, typed as in WatermelonDB's declarations. */
export function asDatabaseAdapter(adapter: SqliteAdapter): DatabaseAdapter & SharedStore {
  return adapter as unknown as DatabaseAdapter & SharedStore;
}

function mapped<T, U>(done: Done<U>, map: (value: T) => U): Done<T> {
  return (outcome: Outcome<T>) => {
    if ('error' in outcome) done(outcome);
    else done({ value: map(outcome.value) });
  };
}

function promised<T>(work: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    work((outcome) => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value)));
  });
}

function idsOf({ columns, rows }: Selected): string[] {
  const at = columns.indexOf('id');
  return rows.map((row) => String(row[at]));
}

function plain(value: unknown): SqlValue {
  if (typeof value === 'boolean') return Number(value);
  return value === undefined ? null : (value as SqlValue);
}
