/** Live lists of local records as plain objects, for screens. */

import { combineLatest, map, type Observable } from 'rxjs';
import type { EntityOf } from '@/domain/entities';
import type { ConvoyDatabase } from '../database';
import { matcherOf, Q, type Raw, type RawValue } from '../models/watermelondb';
import { observeRows } from '../observation/liveRows';
import { observeRead } from '../observation/observeRead';
import { entityReader } from './localStore';

export type { EntityOf };

/** `new`: the server does not have the record. `changed`: it has unsynced edits. */
export type RecordSync = 'new' | 'changed' | 'synced' | 'refused';
export type Observed<T> = T & { sync: RecordSync };

/** Columns and the value each must have, or a list of allowed values. */
export type Where = Readonly<Record<string, RawValue | readonly string[]>>;

/** Meets records that are not marked as deleted. */
export const LIVE = `"_status" <> 'deleted'`;

/** Read beside the columns of entities; `syncOf` goes by them. */
const BOOKKEEPING = ['remote_id', '_status', 'sync_error'];

export function queryOf(database: ConvoyDatabase, table: keyof EntityOf, where: Where) {
  const clauses = Object.entries(where).map(([column, wanted]) =>
    Array.isArray(wanted) ? Q.where(column, Q.oneOf(wanted)) : Q.where(column, wanted as RawValue),
  );
  return database.records(table).query(...clauses);
}

/**
 * The matching records now, and again whenever one appears, disappears or changes. An unchanged record
 * keeps its object. The order is not defined.
 */
export function observeRecords<Table extends keyof EntityOf>(
  database: ConvoyDatabase,
  table: Table,
  where: Where = {},
): Observable<Observed<EntityOf[Table]>[]> {
  return observeEntities<EntityOf[Table]>(database, table, where, []);
}

/** Tells the rows of a query to `take`, as `ObservedRows.read` does. */
export type ReadRows = (
  selected: { columns: string; conditions: Conditions },
  take: (rows: readonly (readonly RawValue[])[]) => boolean,
) => Promise<void>;

/** @param read how the matching rows are read; unless given, all at once */
export function observeEntities<T extends { workspace_id: string }>(
  database: ConvoyDatabase,
  table: keyof EntityOf,
  where: Where,
  without: readonly string[],
  read?: ReadRows,
): Observable<Observed<T>[]> {
  const { names, columns, shownAs } = observedReader<T>(table, without);
  const conditions = conditionsOf(where);
  const { sql, args } = conditions;
  const atOnce: ReadRows = async (_, take) => {
    const [rows = []] = await database.readAll([
      { sql: `select ${columns} from "${table}" where ${sql}`, args },
    ]);
    take(rows);
  };
  const rows = observeRows<Observed<T>>(database, {
    table,
    columns: names,
    read: (take) => (read ?? atOnce)({ columns, conditions }, take),
    matches: matcherOf(queryOf(database, table, where).description) as (raw: Raw) => boolean,
    shownAs,
  });
  return combineLatest([rows, database.standing.observeLeaving()]).pipe(
    map(([all, leaving]) =>
      leaving.size === 0 ? all : all.filter(({ workspace_id }) => !database.isLeaving(workspace_id)),
    ),
  );
}

/** @returns the columns of an observed entity, also as SQL has them, and what makes one of their values */
export function observedReader<T extends object>(table: keyof EntityOf, without: readonly string[] = []) {
  const reader = entityReader<T>(table, without);
  const names = [...reader.columns, ...BOOKKEEPING];
  return {
    names,
    columns: names.map((name) => `"${name}"`).join(),
    shownAs: (row: readonly RawValue[]): Observed<T> =>
      Object.assign(reader.toEntity(row), { sync: syncOf(row.slice(-BOOKKEEPING.length)) }),
  };
}

export interface Conditions {
  /** As `queryOf` has it, in SQL: records that are not marked as deleted, with these values. */
  sql: string;
  /** Records with these values, deleted or not. */
  values: string;
  /** As `values`, of records that are found by another condition. */
  unindexed: string;
  /** Of each. */
  args: (string | number | null)[];
}

export function conditionsOf(where: Where): Conditions {
  const all = Object.entries(where);
  const inSql = (sign: '' | '+') =>
    all.map(([column, wanted]) =>
      Array.isArray(wanted)
        ? `${sign}"${column}" in (select "value" from json_each(?))`
        : `${sign}"${column}" is ?`,
    );
  return {
    sql: [LIVE, ...inSql('')].join(' and '),
    values: ['true', ...inSql('')].join(' and '),
    unindexed: ['true', ...inSql('+')].join(' and '),
    args: all.map(([, wanted]) =>
      Array.isArray(wanted) ? JSON.stringify(wanted) : (wanted as string | number | null),
    ),
  };
}

/** The number of matching records, now and whenever it changes. */
export function observeCount(
  database: ConvoyDatabase,
  table: keyof EntityOf,
  where: Where = {},
): Observable<number> {
  const count = () => {
    const { leaving } = database.standing;
    const all = queryOf(database, table, where);
    const shown = leaving.size === 0 ? all : all.extend(Q.where('workspace_id', Q.notIn([...leaving])));
    return shown.fetchCount();
  };
  return observeRead(database, [table], count);
}

/** @param values those of `BOOKKEEPING` */
function syncOf([remoteId, status, error]: readonly RawValue[]): RecordSync {
  if (error) return 'refused';
  if (remoteId === null) return 'new';
  return status === 'synced' ? 'synced' : 'changed';
}
