/**
 * Records in step that the server may have lost: of a workspace that is being recreated or archived, or resynced from
 * another history. Until it is known what becomes of them they count as unsynced, for nobody else may have them (D24).
 */

import type { StoredQuery } from '@/core/storage';
import { SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import type { ConvoyDatabase } from '../../database';
import { type DeviceFacts, DeviceState, ScopeCursor } from '../../models';
import { EXPIRED, UNCONFIRMED } from '../../models/tracking';
import { IdMappings } from '../idMapping';
import { IS_OWN } from './statements';

/** SQL that those of a scope meet. */
interface Unconfirmed {
  /** Local id of the workspace. */
  scope: string;
  condition: string;
  args: readonly string[];
}

/** @returns how many there are. */
export async function countUnconfirmed(database: ConvoyDatabase, userId: string): Promise<number> {
  const found = await database.readAll(
    await queriesOf(database, userId, (table) => `select count(*) from "${table}"`),
  );
  return found.reduce((sum, [row]) => sum + Number(row?.[0]), 0);
}

/** @returns each as it is stored, with its table. */
export async function fetchUnconfirmed(
  database: ConvoyDatabase,
  userId: string,
): Promise<({ table: string } & Record<string, string | number | null>)[]> {
  const columnsOf = (table: SyncedTable) => ['id', ...Object.keys(database.records(table).schema.columns)];
  const queries = await queriesOf(
    database,
    userId,
    (table) => `select '${table}', ${columnsOf(table).map((name) => `"${name}"`)} from "${table}"`,
  );
  const found = await database.readAll(queries);
  return found.flat().map(([table, ...values]) => ({
    ...Object.fromEntries(columnsOf(table as SyncedTable).map((name, n) => [name, values[n] ?? null])),
    table: String(table),
  }));
}

async function queriesOf(
  database: ConvoyDatabase,
  userId: string,
  select: (table: SyncedTable) => string,
): Promise<StoredQuery[]> {
  const scopes = await unconfirmedScopes(database, userId);
  return scopes.flatMap(({ scope, condition, args }) =>
    KEPT.map((table) => ({
      sql: `${select(table)} where "workspace_id" = ? and "_status" = 'synced' and ${condition}`,
      args: [scope, ...args],
    })),
  );
}

/** The server makes the others itself. */
const KEPT = SYNCED_TABLES.filter((table) => table !== 'deletions' && table !== 'workspace_members');

async function unconfirmedScopes(database: ConvoyDatabase, userId: string): Promise<Unconfirmed[]> {
  const [cursors = [], states = []] = await database.fetchAll(ScopeCursor, DeviceState);
  const facts = states.find(({ id }) => id === 'device')?.value as DeviceFacts | undefined;
  const ids = await IdMappings.load(database);
  const left = Object.entries(facts?.leaving ?? {}).flatMap(([id, why]): Unconfirmed[] => {
    if (why === 'access_lost') return [];
    const scope = ids.toLocal(id);
    return why === 'recreated'
      ? [{ scope, condition: 'true', args: [] }]
      : [{ scope, condition: IS_OWN, args: [userId, userId] }];
  });
  const resynced = cursors.flatMap(({ id, role, paging }): Unconfirmed[] => {
    if (!paging?.resync || role === 'reference') return [];
    // It is not known yet which of them are of another history.
    const isMarking = paging.step === 'marking';
    const condition = isMarking ? `"revision" <> ${EXPIRED}` : `"revision" = ${UNCONFIRMED}`;
    return [{ scope: ids.toLocal(id), condition, args: [] }];
  });
  return [...left, ...resynced];
}
