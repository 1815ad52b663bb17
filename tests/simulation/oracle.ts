/**
 * What people were promised. Every acknowledged write carries a value that occurs nowhere else, so
 * that in the end one can ask where it is: on the server, replaced by somebody who saw it, or kept
 * where a person finds it. Nothing here looks at how the product does it.
 */

import { isReserved } from '@/domain/activities';
import { SYNCED_TABLES } from '@/domain/schema';
import type { StoredRow, WriteOperation } from './storage';

export interface Violation {
  rule: string;
  what: string;
}

export interface ColumnWrite {
  table: string;
  id: string;
  column: string;
  /** What to look for: occurs nowhere else. */
  value: string;
  /** The whole new content of the column. */
  wrote: string;
  /** The values that the writer saw. */
  saw: string;
}

/** One operation of one person on one device. */
export interface Operation {
  device: string;
  name: string;
  writes: ColumnWrite[];
  created: { table: string; id: string }[];
  deleted: { table: string; id: string }[];
  /** Records that it deleted may be live again. */
  mayBeBack: boolean;
  acknowledged: boolean;
}

/** Columns of the bookkeeping tables of a device in which a person finds what did not make it. */
export const KEPT_TABLES: readonly string[] = ['sync_conflicts', 'sync_quarantine', 'sync_archive'];
/** Entries that the product writes about other writes: a lost write does not count as found there. */
const DERIVED = new Set([
  'task_created',
  'task_updated',
  'task_deleted',
  'dependency_added',
  'dependency_removed',
]);

/** Tables whose records may turn out to be there already, under another id. */
const TWINS = new Set(['workspace_members', 'task_dependencies']);

/** Those of the next version too. */
const isSynced = (table: string) =>
  table === 'labels' || (SYNCED_TABLES as readonly string[]).includes(table);

/** Everything on the server, deleted rows included. */
export interface ServerContent {
  rows: Map<string, Record<string, unknown>[]>;
}

export class Oracle {
  readonly operations: Operation[] = [];
  readonly violations: Violation[] = [];
  /** Deleted rows, as the deleting user saw them. */
  private seenGone = '';
  /** The pairs of deleted links and memberships: another record may have said the same (U10). */
  private readonly twinsGone = new Set<string>();
  /** Purged tombstones, and writes that a person discarded. */
  private graveyard = '';
  private readonly excused = new Set<string>();
  /** Records whose refused deletion was discarded. */
  private readonly keptOnPurpose = new Set<string>();
  private readonly cameBack = new Set<unknown>();
  private readonly deletedComments = new Set<string>();

  violate(rule: string, what: string): void {
    this.violations.push({ rule, what });
  }

  begin(device: string, name: string): Operation {
    const operation: Operation = {
      device,
      name,
      writes: [],
      created: [],
      deleted: [],
      mayBeBack: false,
      acknowledged: false,
    };
    this.operations.push(operation);
    return operation;
  }

  /** A local transaction of the operation got to the disk. */
  note(operation: Operation, written: readonly WriteOperation[]): void {
    for (const [what, table, subject] of written) {
      if (!isSynced(table)) continue;
      if (what === 'create' && typeof subject === 'object' && subject._status === 'created') {
        // What Convoy tells of a change is no work of a person: it goes where the change comes to nothing (U30).
        if (isReserved(subject.activity_type)) continue;
        operation.created.push({ table, id: subject.id as string });
      } else if (what === 'update' && typeof subject === 'object' && subject._status === 'deleted') {
        this.seenGone += JSON.stringify(subject);
        if (TWINS.has(table)) this.twinsGone.add(saidBy(subject));
        const base = JSON.parse((subject.sync_base as string | null) ?? '{}') as {
          deletion?: { root: string };
        };
        if (base.deletion?.root === subject.id) operation.deleted.push({ table, id: subject.id as string });
      }
    }
  }

  /** A person discarded these values knowingly. */
  giveUp(content: unknown): void {
    this.graveyard += JSON.stringify(content);
  }

  /** A person deletes a comment: its text, and that of its edits on any device, may be nowhere in the end (F4). */
  giveUpComment(id: string, details: unknown): void {
    this.giveUp(details);
    this.deletedComments.add(id);
  }

  /** A person discarded a deletion: the record may stay, and its deletion need not be in any feed. */
  giveUpDeletion(id: string): void {
    this.keptOnPurpose.add(id);
    for (const operation of this.operations) {
      if (operation.deleted.some((one) => one.id === id)) operation.created = [];
    }
  }

  /** A restored deletion brought back the records that it had deleted first, even those deleted again since (U42). */
  giveBack(ids: readonly unknown[]): void {
    for (const id of ids) this.cameBack.add(id);
  }

  /** The server purges tombstones: their values need not be found any more. */
  bury(content: ServerContent): void {
    for (const rows of content.rows.values()) {
      for (const row of rows) if (row.deleted_at !== null) this.graveyard += JSON.stringify(row);
    }
    this.excuseDeletions();
    // A duplicate stands under the other id; when its tombstone is purged, so is the mapping (U10).
    const here = textOf(content);
    for (const { created } of this.operations) {
      for (const { table, id } of created) if (TWINS.has(table) && !here.includes(id)) this.excused.add(id);
    }
  }

  /** A backup was put back: writes that no device holds any more are lost, and no promise covers them. */
  excuseLost(content: ServerContent, devices: readonly Map<string, StoredRow[]>[]): void {
    const kept = textOf(content) + devices.map((tables) => JSON.stringify([...tables])).join();
    for (const { writes, created } of this.operations) {
      for (const { value } of writes) if (!kept.includes(value)) this.excused.add(value);
      for (const { id } of created) if (!kept.includes(id)) this.excused.add(id);
    }
    this.excuseDeletions();
  }

  /** Deleted records may be back: by a backup, a person, or a device that was away too long. */
  excuseDeletions(): void {
    for (const operation of this.operations) operation.mayBeBack = true;
  }

  /** Asked after the last sync: finds every acknowledged write. */
  checkNothingLost(content: ServerContent, devices: ReadonlyMap<string, Map<string, StoredRow[]>>): void {
    // What stands on a tombstone is lost, unless whoever deleted it had seen it.
    // Devices of this version delete labels along with their task, and have none to see.
    const server = textOf(content, ({ deleted_at }, table) => deleted_at === null || table === 'labels');
    const onTombstones = textOf(content);
    const kept = [...devices.values()].map(keptText).join();
    const places = [server, kept, this.seenGone, this.graveyard];
    const isFound = (value: string) =>
      this.excused.has(value) || places.some((place) => place.includes(value));
    const allWrites = this.operations.flatMap(({ writes }) => writes);
    const isReplaced = (value: string) =>
      allWrites.some(({ saw, wrote }) => saw.includes(value) && !wrote.includes(value));
    for (const { device, name, writes, created, deleted, mayBeBack, acknowledged } of this.operations) {
      if (!acknowledged) continue;
      for (const { table, id, column, value } of writes) {
        if (isFound(value) || isReplaced(value)) continue;
        if (table === 'activity_feed' && this.deletedComments.has(id)) continue;
        // Whoever deletes what a row stands in, that no device can show, has been told of it, and can restore it.
        if (name === 'unreadable row' && onTombstones.includes(value)) continue;
        this.violate(
          'P-NOLOSS',
          `${table}/${id} ${column} = ${value}, written on ${device} (${name}), is nowhere`,
        );
      }
      const mapped = JSON.stringify(devices.get(device)?.get('sync_id_mappings') ?? []);
      for (const { table, id } of created) {
        if (isFound(id) || mapped.includes(id)) continue;
        const row = TWINS.has(table) && content.rows.get(table)?.find((one) => one.id === id);
        if (row && this.twinsGone.has(saidBy(row))) continue;
        this.violate('P-NOLOSS', `${table}/${id}, created on ${device} (${name}), is nowhere`);
      }
      for (const { table, id } of mayBeBack ? [] : deleted) {
        const row = content.rows.get(table)?.find((one) => one.id === id);
        if (!row || row.deleted_at !== null || kept.includes(id) || this.keptOnPurpose.has(id)) continue;
        if (this.cameBack.has(id)) continue;
        this.violate('P-NOLOSS', `${table}/${id}, deleted on ${device} (${name}), is still there`);
      }
    }
  }
}

/** The pair that a link or a membership ties. */
function saidBy(row: Record<string, unknown>): string {
  const { task_id, depends_on_task_id, workspace_id, user_id } = row;
  return JSON.stringify([task_id ?? workspace_id, depends_on_task_id ?? user_id]);
}

function textOf(
  content: ServerContent,
  counts: (row: Record<string, unknown>, table: string) => boolean = () => true,
): string {
  return [...content.rows]
    .map(([table, all]) => {
      const rows = all.filter((row) => counts(row, table));
      if (table !== 'activity_feed') return JSON.stringify(rows);
      return JSON.stringify(
        rows.map((row) => (DERIVED.has(row.activity_type as string) ? { ...row, details: null } : row)),
      );
    })
    .join();
}

function keptText(tables: Map<string, StoredRow[]>): string {
  return KEPT_TABLES.map((table) => JSON.stringify(tables.get(table) ?? [])).join();
}
