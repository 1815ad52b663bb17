/**
 * What an unsynced record remembers. WatermelonDB's `_status` and `_changed` are the truth of what
 * is dirty; `is_synced`, `sync_status` and `sync_base` follow them here and nowhere else.
 */

import { columnsOf, isSyncedTable, pushableColumns, type SyncedTable } from '@/domain/schema';
import type { Raw, RawValue } from './watermelondb';

/** One edited column: the value last in step with the server, and when it was edited. */
export interface EditedColumn {
  value: RawValue;
  /** Device clock, ms since the epoch. */
  editedAt: number;
  /** Server clock minus device clock as known when edited, ms. */
  offset: number;
  /** What the server has by now, where it was pulled under the edit: to go back to when the edit is refused. */
  server?: RawValue;
}

/** The revision of a record that the server has not confirmed since its scope got another history. */
export const UNCONFIRMED = -1;
/** The same, since this device came back from an absence longer than tombstones are kept. */
export const EXPIRED = -2;

/** The revision of a new record that was sent in a batch whose answer can no longer be had. */
export const IN_DOUBT = -3;

/** The revision that an edit of the record is made on: none while the server has not confirmed it. */
function baseRevision(raw: Raw): number {
  return Math.max(0, Number(raw.revision));
}

/** How a record that is marked as deleted came to be so. */
export interface LocalDeletion {
  /** The record whose deletion deleted this one (its own id when it is the one). */
  root: string;
  /** The scope revision the user had seen then. */
  seen: number;
  /** On the root: the id of the deletion here and on the server, to be restored by. */
  id?: string;
  /** On the root: device time corrected by the offset, ms. */
  at?: number;
  /** On the root: it was undone here while it was on its way to the server. */
  undone?: boolean;
}

/** The content of `sync_base`. */
export interface SyncBase {
  /** The record's revision its edits were made on; 0 for a record the server has not seen. */
  revision: number;
  /** Local transactions that touched the record; those of one transaction are pushed as a group. */
  groups: string[];
  columns: Record<string, EditedColumn>;
  /** The stamps as they were when last in step, to go back to when the edits are taken back. */
  stamps?: Pick<Raw, 'updated_at' | 'last_modified_by'>;
  /** The stamps the server has by now, where the record was pulled under the edits. */
  server?: SyncBase['stamps'];
  /** When a record that is new was created: device clock and offset, ms. */
  created?: { editedAt: number; offset: number };
  deletion?: LocalDeletion;
}

export interface EditClock {
  /** Device time, ms since the epoch. */
  now(): number;
  /** Server clock minus device clock, ms. */
  offset(): number;
}

/** What a model needs to know of the database it lives in. */
export interface EditContext {
  readonly clock: EditClock;
  /** @returns the revision of a scope up to which this device has seen everything. */
  seenRevision(scope: string): number;
  /** @returns an id that no record has. */
  newId(): string;
}

const pushable = new Map<string, readonly string[]>();

/** @returns the columns whose edits are tracked and pushed. */
export function trackedColumns(table: string): readonly string[] {
  let columns = pushable.get(table);
  if (!columns) {
    columns = isSyncedTable(table) ? pushableColumns(table as SyncedTable) : [];
    pushable.set(table, columns);
  }
  return columns;
}

/** @returns what the record remembers of its unsynced edits, or null when it is clean. */
export function readBase(raw: Raw): SyncBase | null {
  return typeof raw.sync_base === 'string' ? (JSON.parse(raw.sync_base) as SyncBase) : null;
}

export function writeBase(raw: Raw, base: SyncBase | null): void {
  raw.sync_base = base && JSON.stringify(base);
}

/** @returns what the column holds on the server, as far as is known here. */
export function serverValue(edit: EditedColumn | undefined): RawValue {
  return edit?.server === undefined ? (edit?.value ?? null) : edit.server;
}

export function stampsOf(raw: Raw): NonNullable<SyncBase['stamps']> {
  return { updated_at: raw.updated_at ?? 0, last_modified_by: raw.last_modified_by ?? null };
}

/** The one place where the visible columns take over WatermelonDB's own status. */
export function followStatus(raw: Raw): void {
  raw.is_synced = raw._status === 'synced';
  raw.sync_status = raw._status;
}

/** Makes a record clean: nothing of it is waiting to be pushed. */
export function markClean(raw: Raw): void {
  raw._status = 'synced';
  raw._changed = '';
  raw.sync_base = null;
  followStatus(raw);
}

/**
 * Makes a record dirty in the columns of `base` (none left: clean), and in those that merge with them:
 * where one column of a unit waits to be pushed, the others go with it, as they are (rule U6).
 */
export function markEdited(table: string, raw: Raw, base: SyncBase): void {
  const edited = Object.keys(base.columns);
  if (edited.length === 0) {
    markClean(raw);
    return;
  }
  const columns = { ...base.columns };
  for (const name of edited) {
    for (const mate of withUnits(table, [name])) {
      columns[mate] ??= {
        ...(base.columns[name] as EditedColumn),
        value: raw[mate] ?? null,
        server: undefined,
      };
    }
  }
  raw._status = 'updated';
  raw._changed = Object.keys(columns).join(',');
  writeBase(raw, { ...base, columns, deletion: undefined });
  followStatus(raw);
}

/** Makes a record one that the server has never seen (again). */
export function markCreated(raw: Raw, base: SyncBase): void {
  raw._status = 'created';
  raw._changed = '';
  writeBase(raw, { ...base, deletion: undefined });
  followStatus(raw);
}

export function trackCreate(raw: Raw, clock: EditClock): void {
  const created = { editedAt: clock.now(), offset: clock.offset() };
  writeBase(raw, { revision: 0, groups: [], columns: {}, created });
  followStatus(raw);
}

/**
 * Records which columns an update changed.
 * @returns false when no column that is pushed changed: the record is then left as it was.
 */
export function trackUpdate(table: string, raw: Raw, before: Raw, clock: EditClock): boolean {
  const changed = trackedColumns(table).filter((column) => raw[column] !== before[column]);
  if (changed.length === 0) {
    raw._status = before._status;
    raw._changed = before._changed;
    raw.updated_at = before.updated_at ?? 0;
    raw.last_modified_by = before.last_modified_by ?? null;
    return false;
  }
  const base = readBase(before) ?? {
    revision: baseRevision(before),
    groups: [],
    columns: {},
    stamps: stampsOf(before),
  };
  if (raw._status !== 'created') {
    for (const column of withUnits(table, changed)) {
      const known = base.columns[column] ?? { value: before[column] ?? null };
      base.columns[column] = { ...known, editedAt: clock.now(), offset: clock.offset() };
    }
  }
  writeBase(raw, base);
  lastTracked.set(raw, { text: raw.sync_base, base });
  followStatus(raw);
  return true;
}

/** Columns of a unit are edited together, so that they merge as one (rule U6). */
function withUnits(table: string, changed: readonly string[]): readonly string[] {
  const columns = columnsOf(table as SyncedTable);
  const units = new Set<string>(changed.map((column) => columns[column]?.unit).flatMap((unit) => unit ?? []));
  if (units.size === 0) return changed;
  const whole = trackedColumns(table).filter((column) => units.has(columns[column]?.unit ?? ''));
  return [...new Set([...changed, ...whole])];
}

/**
 * @param root id of the record whose deletion takes this one along (its own id when it is the one)
 */
export function trackDelete(raw: Raw, root: string, context: EditContext): void {
  const base = readBase(raw) ?? { revision: baseRevision(raw), groups: [], columns: {} };
  const { clock } = context;
  const seen = context.seenRevision(raw.workspace_id as string);
  const named = root === raw.id ? { id: context.newId(), at: clock.now() + clock.offset() } : {};
  writeBase(raw, { ...base, deletion: { root, seen, ...named } });
  followStatus(raw);
}

/** Notes that the record changed in one transaction with others. */
export function joinGroup(raw: Raw, group: string): void {
  const known = lastTracked.get(raw);
  const base = known && known.text === raw.sync_base ? known.base : readBase(raw);
  if (base && !base.groups.includes(group)) writeBase(raw, { ...base, groups: [...base.groups, group] });
}

/** What was just written into `sync_base`: a batch of many need not read it back from text. */
const lastTracked = new WeakMap<Raw, { text: RawValue | undefined; base: SyncBase }>();
