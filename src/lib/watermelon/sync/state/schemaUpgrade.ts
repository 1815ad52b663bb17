/**
 * After an upgrade that brought tables or columns: existing records get the defaults of new columns at once, and the
 * server's values by a refill with the next pulls. Only the tables concerned are sent again (P14).
 */

import { type PullAnswer, type PullRequest, type Refill, SCHEMA_VERSION } from '@/core/protocol';
import { columnsSince, type SyncedTable, tablesSince } from '@/domain/schema';
import type { ConvoyDatabase } from '../../database';
import type { ConvoyModel, PendingRefill } from '../../models';
import { Q } from '../../models/watermelondb';
import { IdMappings } from '../idMapping';
import { defaultOf } from '../records/codec';
import { IS_DELETED } from '../records/statements';
import { DeviceStore } from './deviceStore';

const RECORDS_PER_BATCH = 5_000;

/** Upgrades the records once after an upgrade of the code, and notes the refills. Broken off, it begins anew. */
export async function upgradeRecords(database: ConvoyDatabase, store: DeviceStore): Promise<void> {
  const { schema = 1 } = store.facts;
  if (schema >= SCHEMA_VERSION) return;
  for (const table of tablesSince(schema)) await fillDefaults(database, table, schema);
  await database.write(async () => {
    const scopes = [...store.scopes].map(([id, state]) => {
      const target = Math.max(state.cursor.revision, ...state.skip, state.refill?.target ?? 0);
      const since = Math.min(schema, state.refill?.since ?? schema);
      return store.prepareScope(id, { ...state, refill: { since, revision: 0, target } });
    });
    await database.batch([...scopes, store.prepareFacts({ schema: SCHEMA_VERSION })]);
  }, 'upgrade: refill');
}

/** As `upgradeRecords`, for a database without a sync engine. */
export async function upgradeDatabase(database: ConvoyDatabase): Promise<void> {
  await upgradeRecords(database, await DeviceStore.load(database, await IdMappings.load(database)));
}

/** Writes the defaults of new columns: WatermelonDB fills them with '' and 0, whatever the default is. */
async function fillDefaults(database: ConvoyDatabase, table: SyncedTable, schema: number): Promise<void> {
  const defaults = columnsSince(table, schema)
    .map(([name]) => [name, defaultOf(table, name)] as const)
    .filter(([, value]) => value !== null);
  if (defaults.length === 0) return;
  const fresh = Object.fromEntries(defaults);
  const collection = database.records(table);
  const fill = (records: readonly ConvoyModel[]) =>
    database.write(
      () => database.batch(records.map((record) => record.prepareReplace({ ...record.raw, ...fresh }))),
      'upgrade: defaults',
    );
  for (let done = 0; ; done += RECORDS_PER_BATCH) {
    const page = [Q.sortBy('id', Q.asc), Q.skip(done), Q.take(RECORDS_PER_BATCH)];
    const records = await collection.query(...page).fetch();
    if (records.length === 0) break;
    await fill(records);
  }
  // Deleted records too: their deletion may be undone or refused.
  const deleted = await database.fetchStored(table, IS_DELETED);
  if (deleted.length > 0) await fill(deleted);
}

/** @returns the refills for a pull request; nothing where none is under way. */
export function refillsOf(store: DeviceStore): Pick<PullRequest, 'refill'> {
  const pending = [...store.scopes].flatMap(([id, { refill }]): [string, Refill][] => {
    if (!refill) return [];
    const { since, ...position } = refill;
    return [[id, { tables: tablesSince(since), ...position }]];
  });
  return pending.length > 0 ? { refill: Object.fromEntries(pending) } : {};
}

/** @returns the refill after a page; undefined when it is complete. */
export function afterPage(
  refill: PendingRefill | undefined,
  position: PullAnswer['refilled'][string] | undefined,
): PendingRefill | undefined {
  if (!refill || !position) return refill;
  if (position.after === undefined && position.revision >= refill.target) return undefined;
  const { since, target } = refill;
  return { since, target, ...position };
}

/** @returns the refill with `revision` as its least target. */
export function upTo(refill: PendingRefill, revision: number): PendingRefill {
  return { ...refill, target: Math.max(refill.target, revision) };
}
