import type { Observable } from 'rxjs';
import {
  type ConvoyDatabase,
  type EntityOf,
  type Observed,
  observeCount,
  observeRecords,
  type Where,
} from '@/lib/watermelon';
import { keptObservable } from './keptObservable';
import { useDevice } from './useDevice';
import { useObservable } from './useObservable';

/**
 * Local records, live: changes by a sync or by the user appear without another call.
 * @param where columns with the value, or the list of values, they must have
 * @returns undefined until the local database has answered
 */
export function useQuery<Table extends keyof EntityOf>(
  table: Table,
  where: Where = {},
): Observed<EntityOf[Table]>[] | undefined {
  const { database } = useDevice();
  return useObservable(() => records(database, table, where), [database, table, JSON.stringify(where)]);
}

/** Small ones, which almost every screen asks for first: who is a member decides what may be done there, a workflow what comes next. */
const KEPT_TABLES: ReadonlySet<keyof EntityOf> = new Set(['workspaces', 'workspace_members', 'workflows']);

function records<Table extends keyof EntityOf>(
  database: ConvoyDatabase,
  table: Table,
  where: Where,
): Observable<Observed<EntityOf[Table]>[]> {
  const make = () => observeRecords(database, table, where);
  if (!KEPT_TABLES.has(table)) return make();
  // A list of one value is that value: what one screen asks for so is known to another.
  const wanted = Object.entries(where).map(([column, value]) => [
    column,
    Array.isArray(value) && value.length === 1 ? value[0] : value,
  ]);
  return keptObservable(database, `${table} ${JSON.stringify(Object.fromEntries(wanted))}`, make);
}

/** One local record, live. @returns undefined until known, null when there is none */
export function useRecord<Table extends keyof EntityOf>(
  table: Table,
  id: string,
): Observed<EntityOf[Table]> | null | undefined {
  const found = useQuery(table, { id });
  return found && (found[0] ?? null);
}

/** The number of matching local records, live. */
export function useCount(table: keyof EntityOf, where: Where): number | undefined {
  const { database } = useDevice();
  return useObservable(() => observeCount(database, table, where), [database, table, JSON.stringify(where)]);
}
