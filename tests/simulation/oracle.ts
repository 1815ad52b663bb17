/**
 * What people were promised. Every acknowledged write carries a value that occurs nowhere else, so
 * that in the end one can ask where it is: on the server, replaced by somebody who saw it, or kept
 * where a person finds it. Nothing here looks at how the product does it.
 */

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
  /** What the writer had before their eyes. */
  saw: string;
}

/** One operation of one person on one device. */
export interface Operation {
  device: string;
  name: string;
  writes: ColumnWrite[];
  created: { table: string; id: string }[];
  deleted: { table: string; id: string }[];
  /** What it deleted may be there again. */
  mayBeBack: boolean;
  acknowledged: boolean;
}

/** Columns of the bookkeeping tables of a device in which a person finds what did not make it. */
export const KEPT_TABLES: readonly string[] = ['sync_conflicts', 'sync_quarantine', 'sync_archive'];
/** Told by the product about other writes: no place where a lost write would be found. */
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
  /** Rows that somebody deleted, as they saw them. */
  private seenGone = '';
  /** Tombstones that were purged, and what was given up by a person. */
  private graveyard = '';
  private readonly excused = new Set<string>();
  /** Records whose refused deletion was discarded. */
  private readonly keptOnPurpose = new Set<string>();
  private readonly cameBack = new Set<unknown>();

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
        operation.created.push({ table, id: subject.id as string });
      } else if (what === 'update' && typeof subject === 'object' && subject._status === 'deleted') {
        this.seenGone += JSON.stringify(subject);
        const base = JSON.parse((subject.sync_base as string | null) ?? '{}') as {
          deletion?: { root: string };
        };
        if (base.deletion?.root === subject.id) operation.deleted.push({ table, id: subject.id as string });
      }
    }
  }

  /** Somebody gave these values up, knowingly. */
  giveUp(content: unknown): void {
    this.graveyard += JSON.stringify(content);
  }

  /** A person gave up a deletion: the record stays, and may; that it was deleted need not be told. */
  giveUpDeletion(id: string): void {
    this.keptOnPurpose.add(id);
    for (const operation of this.operations) {
      if (operation.deleted.some((one) => one.id === id)) operation.created = [];
    }
  }

  /** Somebody restored a deletion that these, perhaps deleted twice, had gone with first: they came back with it (U42). */
  giveBack(ids: readonly unknown[]): void {
    for (const id of ids) this.cameBack.add(id);
  }

  /** The server forgets tombstones: what is on them need not be found any more. */
  bury(content: ServerContent): void {
    for (const rows of content.rows.values()) {
      for (const row of rows) if (row.deleted_at !== null) this.graveyard += JSON.stringify(row);
    }
    this.excuseDeletions();
    // What was made twice stands under the other id; with that one's tombstone the mapping goes too (U10).
    const here = textOf(content);
    for (const { created } of this.operations) {
      for (const { table, id } of created) if (TWINS.has(table) && !here.includes(id)) this.excused.add(id);
    }
  }

  /** A backup was put back: what nobody has any more is lost, and nobody promised otherwise. */
  excuseLost(content: ServerContent, devices: readonly Map<string, StoredRow[]>[]): void {
    const kept = textOf(content) + devices.map((tables) => JSON.stringify([...tables])).join();
    for (const { writes, created } of this.operations) {
      for (const { value } of writes) if (!kept.includes(value)) this.excused.add(value);
      for (const { id } of created) if (!kept.includes(id)) this.excused.add(id);
    }
    this.excuseDeletions();
  }

  /** What was deleted may be back: by a backup, by a person, by a device that was away too long. */
  excuseDeletions(): void {
    for (const operation of this.operations) operation.mayBeBack = true;
  }

  /** To be asked when everything is quiet: where is everything that was acknowledged? */
  checkNothingLost(content: ServerContent, devices: ReadonlyMap<string, Map<string, StoredRow[]>>): void {
    // What stands on a tombstone is lost, unless whoever deleted it had seen it.
    // Devices of this version delete labels along with their task, and have none to see.
    const server = textOf(content, ({ deleted_at }, table) => deleted_at === null || table === 'labels');
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
        this.violate(
          'P-NOLOSS',
          `${table}/${id} ${column} = ${value}, written on ${device} (${name}), is nowhere`,
        );
      }
      const mapped = JSON.stringify(devices.get(device)?.get('sync_id_mappings') ?? []);
      for (const { table, id } of created) {
        if (isFound(id) || mapped.includes(id)) continue;
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
