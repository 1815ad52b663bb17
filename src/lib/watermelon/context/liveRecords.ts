/** Live lists of local records as plain objects, for screens. */

import { map, type Observable } from 'rxjs';
import type { EntityOf, Task } from '@/domain/entities';
import { columnsOf } from '@/domain/schema';
import type { ConvoyDatabase } from '../database';
import type { ConvoyModel } from '../models';
import { Q, type Raw, type RawValue } from '../models/watermelondb';
import { toEntity } from './localStore';

export type { EntityOf };

/** `new`: the server does not have the record. `changed`: it has unsynced edits. */
export type RecordSync = 'new' | 'changed' | 'synced' | 'refused';
export type Observed<T> = T & { sync: RecordSync };

/** Columns and the value each must have, or a list of allowed values. */
export type Where = Readonly<Record<string, RawValue | readonly string[]>>;

const BOOKKEEPING = ['updated_at', 'last_modified_by', 'remote_id', 'sync_status', 'sync_error'];

function queryOf(database: ConvoyDatabase, table: keyof EntityOf, where: Where) {
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
  const columns = [...Object.keys(columnsOf(table)), ...BOOKKEEPING];
  const known = new Map<string, { raw: Raw; entity: Observed<EntityOf[Table]> }>();
  const snapshot = ({ raw }: ConvoyModel) => {
    const before = known.get(raw.id);
    if (before && columns.every((column) => before.raw[column] === raw[column])) return before.entity;
    const entity = { ...toEntity<EntityOf[Table]>(table, raw), sync: syncOf(raw) };
    known.set(raw.id, { raw: { ...raw }, entity });
    return entity;
  };
  return queryOf(database, table, where)
    .observeWithColumns(columns as never[])
    .pipe(map((records) => records.map(snapshot)));
}

/** The number of matching records, now and whenever it changes. */
export function observeCount(
  database: ConvoyDatabase,
  table: keyof EntityOf,
  where: Where = {},
): Observable<number> {
  // Not throttled: a count beside a list must not lag behind it.
  return queryOf(database, table, where).observeCount(false);
}

function syncOf(raw: Raw): RecordSync {
  if (raw.sync_error) return 'refused';
  if (raw.remote_id === null) return 'new';
  return raw._status === 'synced' ? 'synced' : 'changed';
}

/** @returns at most `limit` tasks whose title contains the text, ignoring case; any tasks for ''. */
export async function findTasks(
  database: ConvoyDatabase,
  text: string,
  where: Where,
  limit: number,
): Promise<Task[]> {
  const words = text.trim();
  const matching = words === '' ? [] : [Q.where('title', Q.like(`%${Q.sanitizeLikeString(words)}%`))];
  const found = await queryOf(database, 'tasks', where)
    .extend(...matching, Q.take(limit))
    .fetch();
  return found.map(({ raw }) => toEntity<Task>('tasks', raw));
}
