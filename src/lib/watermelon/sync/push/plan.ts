/**
 * The plan of a push: the unsynced records in the order in which they are sent. It is made once and sent batch after
 * batch, so that the work grows with the number of changes and not with its square (D35).
 */

import type { SyncedTable } from '@/domain/schema';
import type { ConvoyModel, DeviceFacts } from '../../models';
import type { Model, Raw } from '../../models/watermelondb';
import { charactersOf, type SyncedChange } from '../records/codec';
import { fetchUnsynced, toUnsynced } from '../records/unsynced';
import type { SyncContext } from '../state/syncContext';
import { deletionsOf, inPushOrder, toChange, withoutUntold } from './changes';
import { lateLast, stillLate } from './lateChanges';

/** A record of the plan. While it is as it was `before`, the groups and the order of the plan hold. */
interface Planned {
  table: SyncedTable;
  record: ConvoyModel;
  before: Pick<Raw, '_status' | 'sync_base' | 'updated_at'>;
  /** Of a deleted record: id of the deletion that it can be restored by. */
  deletionId: string | null;
}

export class PushPlan {
  /** null: the plan is made with the next batch. */
  private groups: Planned[][] | null = null;
  private at = 0;
  /** Place of the first group that is sent alone: the server did not answer one like it in time (U43). */
  private aloneFrom = Number.POSITIVE_INFINITY;

  constructor(private readonly sync: SyncContext) {}

  /**
   * To be called inside `database.write`.
   * @param limit most changes, about: groups are never cut
   * @param again whether to make the plan anew when it is over or no longer holds
   * @param withLate whether late changes go too
   * @returns the next changes, if any, records to be written with them, and which changes are still late
   */
  async nextBatch(
    limit: number,
    again: boolean,
    withLate: boolean,
  ): Promise<{ changes: SyncedChange[]; prepared: (Model | null)[]; late: DeviceFacts['late'] }> {
    const changes = this.take(limit, withLate);
    if (changes.length > 0 || !again) return { changes, prepared: [], late: this.sync.store.facts.late };
    const { prepared, late } = await this.make();
    return { changes: this.take(limit, withLate), prepared, late };
  }

  /** @returns the next changes, from the records as they are now; none where the plan is over or no longer holds. */
  private take(limit: number, withLate: boolean): SyncedChange[] {
    const { ids, pace } = this.sync;
    const taken: SyncedChange[] = [];
    let [number, characters] = [0, 0];
    for (; this.groups && this.at < this.groups.length; this.at += 1) {
      const isAlone = this.at >= this.aloneFrom;
      if (isAlone && (!withLate || taken.length > 0)) break;
      const group = this.groups[this.at] as Planned[];
      if (!group.every(isAsPlanned)) {
        this.groups = null;
        break;
      }
      const changes = group.map(({ table, record, deletionId }) =>
        toChange(toUnsynced(table, record), number, ids, deletionId),
      );
      const size = changes.reduce((sum, change) => sum + charactersOf(change), 0);
      const isFull = taken.length + changes.length > limit || characters + size > pace.batchCharacters;
      if (taken.length > 0 && isFull) break;
      for (const change of changes) taken.push(change);
      number += 1;
      characters += size;
    }
    return taken;
  }

  private async make(): Promise<{ prepared: (Model | null)[]; late: DeviceFacts['late'] }> {
    const { database, ids } = this.sync;
    const { unsynced, neverPushed } = await fetchUnsynced(database);
    const deletionOf = deletionsOf(unsynced);
    const { groups: inOrder, untold } = withoutUntold(inPushOrder(unsynced));
    const { store } = this.sync;
    const late =
      store.facts.late &&
      stillLate(store.facts.late, new Set(unsynced.map(({ raw }) => ids.toRemote(raw.id))));
    const { groups, aloneFrom } = late
      ? lateLast(inOrder, (id) => late[ids.toRemote(id)]?.tries ?? 0)
      : { groups: inOrder, aloneFrom: inOrder.length };
    this.aloneFrom = aloneFrom;
    const isUntold = new Set(untold);
    this.at = 0;
    this.groups = groups.map((group) =>
      group.map((item) => {
        const { _status, sync_base = null, updated_at = null } = item.raw;
        const before = { _status, sync_base, updated_at };
        return { table: item.table, record: item.record, before, deletionId: deletionOf(item) };
      }),
    );
    const told = unsynced.filter((item) => !isUntold.has(item));
    const removed = [...neverPushed, ...untold.map(({ table, raw }) => ({ table, id: raw.id }))].map(
      async ({ table, id }) => (await database.get(table).find(id)).prepareDestroyPermanently(),
    );
    const minted = told.map(({ table, raw }) => ids.mint(table, raw.id));
    return { prepared: [...minted, ...(await Promise.all(removed))], late };
  }
}

function isAsPlanned({ record: { raw }, before }: Planned): boolean {
  return (
    raw._status === before._status &&
    (raw.sync_base ?? null) === before.sync_base &&
    (raw.updated_at ?? null) === before.updated_at
  );
}
