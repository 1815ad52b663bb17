/** Rows of the local database as the inbox reads them, by lists of ids. */

import type { Task } from '@/domain/entities';
import { type LocalStore, rowToEntity, selectEntities } from './localStore';

/** The values of a list in JSON, which is the next parameter of the query. */
export const among = (column: string) => `"${column}" in (select "value" from json_each(?))`;

export async function rowsWhere<T>(
  store: LocalStore,
  table: Parameters<typeof selectEntities>[0],
  where: string,
  args: string[],
): Promise<T[]> {
  const [rows = []] = await store.database.readAll([{ sql: selectEntities(table, where), args }]);
  return rows.map((row) => rowToEntity<T>(table, row));
}

export const readTasks = (store: LocalStore, ids: readonly string[]) =>
  rowsWhere<Task>(store, 'tasks', among('id'), [JSON.stringify(ids)]);
