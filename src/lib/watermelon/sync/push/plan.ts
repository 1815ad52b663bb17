/**
 * The plan of a push: the unsynced records in the order in which they are sent. It is made once and sent batch after
 * batch, so that the work grows with the number of changes and not with its square (D35).
 */

import { toldBy } from '@/domain/activities';
import type { SyncedTable } from '@/domain/schema';
import type { ConvoyModel, DeviceFacts } from '../../models';
import { writeBase } from '../../models/tracking';
import type { Model } from '../../models/watermelondb';
import { charactersOf, type SyncedChange } from '../records/codec';
import { fetchUnsynced, rootOf, toUnsynced, type UnsyncedRecord } from '../records/unsynced';
import { GROUP_BOUNDS } from '../state/groupBounds';
import { pausedScopes } from '../state/pausedScopes';
import type { SyncContext } from '../state/syncContext';
import { deletionsOf, toChange } from './changes';
import { inPushOrder, talesOf, withColumns } from './groups';
import { lateLast, stillLate } from './lateChanges';
import { titled } from './untitled';

/** A record of the plan. While it is as it was, the groups and the order of the plan hold. */
interface Planned {
  table: SyncedTable;
  record: ConvoyModel;
  /** The edited columns that are sent; null: all of it. */
  columns: readonly string[] | null;
  /** Its state when the plan was made, as `stateOf` tells it. */
  state: string;
  /** Of a deleted record: id of the deletion that it can be restored by. */
  deletionId: string | null;
  /** Of a task with more activities than fit beside it: the stage that it is sent to. */
  stage: string | undefined;
  /** Whether its group depends on the answer to an earlier one, so that no batch holds both. */
  isDependent: boolean;
}

export class PushPlan {
  /** null: the plan is made with the next batch. */
  private groups: Planned[][] | null = null;
  private at = 0;
  /** Place of the first group that is sent alone: the server did not answer one like it in time (U43). */
  private aloneFrom = Number.POSITIVE_INFINITY;

  constructor(
    private readonly sync: SyncContext,
    private readonly bounds = GROUP_BOUNDS,
  ) {}

  /**
   * To be called inside `database.write`.
   * @param limit most changes, about: a group is never parted
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
    const records = new Set<string>();
    let [number, characters] = [0, 0];
    for (; this.groups && this.at < this.groups.length; this.at += 1) {
      const isAlone = this.at >= this.aloneFrom;
      if (isAlone && (!withLate || taken.length > 0)) break;
      const group = this.groups[this.at] as Planned[];
      const items = group.map((planned) => this.asItStands(planned));
      const whole = items.filter((item) => item !== null);
      if (whole.length < items.length) {
        this.groups = null;
        break;
      }
      // The parts of a record follow each other: each is based on what became of the one before.
      if (whole.some(({ raw }) => records.has(raw.id))) break;
      const changes = whole.map((item, n) => toChange(item, number, ids, group[n]?.deletionId ?? null));
      const size = changes.reduce((sum, change) => sum + charactersOf(change), 0);
      const isFull = taken.length + changes.length > limit || characters + size > pace.batchCharacters;
      if (taken.length > 0 && (isFull || group[0]?.isDependent)) break;
      for (const change of changes) taken.push(change);
      for (const { raw } of whole) records.add(raw.id);
      number += 1;
      characters += size;
    }
    return taken;
  }

  /** @returns what is planned to be sent of a record, as it is now; null where the plan no longer holds. */
  private asItStands({ table, record, columns, state, stage }: Planned): UnsyncedRecord | null {
    const item = toUnsynced(table, record);
    const part = columns ? withColumns(item, columns) : item;
    if (stateOf(part) !== state) return null;
    return stage === undefined ? part : { ...part, raw: { ...part.raw, current_stage: stage } };
  }

  private async make(): Promise<{ prepared: (Model | null)[]; late: DeviceFacts['late'] }> {
    const { database, ids } = this.sync;
    const { unsynced: all, neverPushed } = await fetchUnsynced(database);
    const paused = all.length > 0 ? await pausedScopes(database, this.sync.userId) : new Set<string>();
    // A paused user may leave.
    const isHeld = ({ table, raw }: UnsyncedRecord) =>
      table !== 'workspace_members' && paused.has(raw.workspace_id as string);
    const unsynced = all.filter((item) => !isHeld(item));
    const deletionOf = deletionsOf(unsynced);
    const { groups: inOrder, untold, cut, dependent } = inPushOrder(unsynced, this.bounds);
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
    const marked = new Map(
      unsynced.flatMap((item) => {
        const raw = titled(item);
        return raw ? [[item.record, raw] as const] : [];
      }),
    );
    for (const [{ table, record }, { until }] of cut) {
      const raw = marked.get(record) ?? { ...record.raw };
      writeBase(raw, { ...toUnsynced(table, record).base, cut: until });
      marked.set(record, raw);
    }
    const changed = [...marked].map(([record, raw]) => record.prepareReplace(raw));
    this.groups = groups.map((group) => {
      const isDependent = dependent.has(group);
      return group.map((item) => {
        const { table, record, raw, base } = item;
        const columns = raw._status === 'updated' ? Object.keys(base.columns) : null;
        const state = stateOf(cut.has(item) ? toUnsynced(table, record) : item);
        const [stage, deletionId] = [cut.get(item)?.stage, deletionOf(item)];
        return { table, record, columns, state, stage, deletionId, isDependent };
      });
    });
    const told = unsynced.filter((item) => !isUntold.has(item));
    // Activities of records whose deletion can be undone come back with them.
    const roots = talesOfNew(neverPushed.undoable);
    const left = untold.map((item) => {
      const root = roots.get(toldBy(item.raw) ?? '');
      return root === undefined
        ? item.record.prepareDestroyPermanently()
        : item.record.prepareMarkAsDeleted(root);
    });
    const removed = [...neverPushed.over.map(({ record }) => record.prepareDestroyPermanently()), ...left];
    const minted = told.map(({ table, raw }) => ids.mint(table, raw.id));
    return { prepared: [...changed, ...minted, ...removed], late };
  }
}

/** @returns what the making of records tells that are deleted here, and the record whose deletion took them along. */
function talesOfNew(deleted: readonly UnsyncedRecord[]): Map<string, string> {
  return new Map(
    deleted.flatMap((item) =>
      talesOf({ ...item, raw: { ...item.raw, _status: 'created' } }).map(
        (tale) => [tale, rootOf(item)] as const,
      ),
    ),
  );
}

/**
 * @returns what must not change under a plan: of edits, which action made them last and when; of new and deleted records,
 *   everything
 */
function stateOf({ raw, base }: UnsyncedRecord): string {
  if (raw._status !== 'updated') return JSON.stringify([raw._status, raw.sync_base ?? null, raw.updated_at]);
  return JSON.stringify(
    Object.entries(base.columns).map(([name, { editedAt, group }]) => [name, editedAt, group]),
  );
}
