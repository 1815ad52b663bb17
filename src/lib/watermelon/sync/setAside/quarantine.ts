/** The quarantine: refused changes are reverted on their records, and kept to be retried or discarded (D7). */

import { v7 as uuidv7 } from 'uuid';
import { Quarantined, type WantedChange } from '../../models';
import { markClean, markEdited, readBase, serverValue, writeBase } from '../../models/tracking';
import type { Raw } from '../../models/watermelondb';
import type { ApplyContext } from '../records/applyContext';
import { restoreDeleted } from '../records/cascade';
import type { SyncedChange } from '../records/codec';
import { sameValue, toRaw } from '../records/codec';
import { changeOf, leftoversOf } from './leftovers';

export interface Refusal {
  /** The server's `RejectionCode`, `blocked`, `uncertain`, or the code of an error that refused the whole batch. */
  code: string;
  column: string | null;
  message: string;
  /** Changes refused together share it. */
  group: string;
}

/**
 * Reverts a refused change on its record, and keeps everything that is needed to retry it (rule D7).
 * @returns how many changes were set aside: activities that were cut off from the change go with it; none where the record is gone
 */
export async function quarantine(
  context: ApplyContext,
  change: SyncedChange,
  raw: Raw | null,
  refusal: Refusal,
): Promise<number> {
  if (!raw) return 0;
  const leftovers = await leftoversOf(context, change, raw);
  const wanted = await revert(context, change, raw);
  context.work.also(() =>
    context.database.of(Quarantined).prepareCreateFromDirtyRaw({
      id: uuidv7(),
      _status: 'synced',
      record_table: change.table,
      record_id: raw.id,
      workspace_id: raw.workspace_id,
      operation: change.op,
      change: JSON.stringify(wanted),
      code: refusal.code,
      column_name: refusal.column,
      message: refusal.message,
      group_id: refusal.group,
      occurred_at: context.now,
    }),
  );
  for (const left of leftovers) await quarantine(context, changeOf(context, left), left, refusal);
  return 1 + leftovers.length;
}

async function revert(context: ApplyContext, change: SyncedChange, raw: Raw): Promise<WantedChange> {
  const { table } = change;
  if (change.op === 'insert') {
    context.work.destroy(table, raw.id);
    return { values: raw, base: {} };
  }
  if (change.op === 'delete') {
    const { seen = 0 } = readBase(raw)?.deletion ?? {};
    await restoreDeleted(context.work, raw.id);
    const restored = (await context.work.get(table, raw.id)) ?? { ...raw };
    if (restored._status === 'deleted') markClean(restored);
    context.work.put(table, { ...restored, sync_error: 'delete refused' });
    return { values: {}, base: { seen } };
  }
  return revertColumns(context, change, raw, Object.keys(change.values ?? {}), 'change refused');
}

/** Reverts columns of a refused update to the values of the server. @returns their refused values, and the base of these */
export function revertColumns(
  context: ApplyContext,
  change: SyncedChange,
  raw: Raw,
  names: readonly string[],
  syncError: string | null,
): WantedChange {
  const { table } = change;
  const base = readBase(raw);
  const sent = toRaw(
    table,
    { ...change.values, id: change.id, workspace_id: change.workspace_id },
    context.ids,
  );
  const reverted: Raw = { ...raw };
  const left = { ...(base?.columns ?? {}) };
  const wanted: WantedChange = { values: {}, base: {} };
  for (const name of names) {
    const before = serverValue(base?.columns[name]);
    wanted.values[name] = sent[name] ?? null;
    wanted.base[name] = before;
    // A newer edit of the same column keeps its base and is pushed by itself.
    if (!sameValue(table, name, raw[name] ?? null, sent[name] ?? null)) continue;
    reverted[name] = before;
    delete left[name];
  }
  reverted.sync_error = syncError;
  if (Object.keys(left).length === 0) Object.assign(reverted, base?.server ?? base?.stamps);
  const rest = { ...base, revision: base?.revision ?? Number(raw.revision), columns: left };
  if (raw._status === 'deleted') writeBase(reverted, { ...rest, groups: base?.groups ?? [] });
  else markEdited(table, reverted, { ...rest, groups: [] });
  context.work.put(table, reverted);
  return wanted;
}
