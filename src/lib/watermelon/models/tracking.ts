/**
 * Tracks the unsynced edits of a record. WatermelonDB's `_status` and `_changed` are the truth of what is unsynced;
 * `is_synced`, `sync_status` and `sync_base` follow them here and nowhere else (D1, D2).
 */

import { columnsOf, isSyncedTable, pushableColumns, type SyncedTable } from '@/domain/schema';
import { baseToText, textToBase } from './sharedExpectations';
import type { Raw, RawValue } from './watermelondb';

/** One edited column: the value last in step with the server, and when it was edited. */
export interface EditedColumn {
  value: RawValue;
  /** Device clock, ms since the epoch. */
  editedAt: number;
  /** Server clock minus device clock as known when edited, ms. */
  offset: number;
  /** The server's value, where a newer one was pulled under the edit; a refused edit is reverted to it. */
  server?: RawValue;
  /** Id of the action that edited it last, and wrote other records too (D3). */
  group?: string;
  /** Values that columns have to have on the server for the edit to be taken: those last in step, by column (U45). */
  expected?: Record<string, RawValue>;
  /** The server has taken the value. It is sent once more, for activities that tell of it and did not fit beside it (D35). */
  repeats?: boolean;
}

/** Marks a record, in place of its revision, that the server has not sent since its scope got another history (P13). */
export const UNCONFIRMED = -1;
/** Marks a record that the server has not sent since the cursor of its scope expired (P16). */
export const EXPIRED = -2;

/** Marks a new record that was pushed in a batch whose answer was lost for good (U20). */
export const IN_DOUBT = -3;

/** @returns the revision that an edit of the record is made on; 0 while the record is marked. */
function baseRevision(raw: Raw): number {
  return Math.max(0, Number(raw.revision));
}

/** The unacknowledged deletion of a record. */
export interface LocalDeletion {
  /** Id of the record whose deletion took this one along; its own id on that record, the root. */
  root: string;
  /** The revision up to which this device had seen the scope when it deleted (U8). */
  seen: number;
  /** Id of the action that deleted it, and wrote other records too (D3). */
  group?: string;
  /** On the root: id of the deletion, here and on the server (U23). */
  id?: string;
  /** On the root: when, in device time corrected by the clock offset, ms. */
  at?: number;
  /** On the root: it was undone while in flight (D14). */
  undone?: boolean;
  /** The server's tombstone came while the deletion was in doubt: the record does not come back with the others. */
  gone?: boolean;
}

/** The content of `sync_base`. */
export interface SyncBase {
  /** The record's revision that the edits were made on; 0 for a record that the server does not have. */
  revision: number;
  /**
   * Of a new record, the first action that wrote it along with others (D3). Earlier versions kept the ids of all actions on
   * a record here; the last one stands for edits that name none.
   */
  groups: string[];
  columns: Record<string, EditedColumn>;
  /** Of a new record: the columns that its edits depend on, by edited column. They count once the server may have it (D15). */
  expecting?: Record<string, string[]>;
  /** The stamps when the record was last in step; reverting restores them. */
  stamps?: Pick<Raw, 'updated_at' | 'last_modified_by'>;
  /** The server's stamps, where a newer version was pulled under the edits. */
  server?: SyncBase['stamps'];
  /** Of a new record: when it was created, by the device clock, and the clock offset then, ms. */
  created?: { editedAt: number; offset: number };
  deletion?: LocalDeletion;
  /**
   * Values that were sent in a batch which was dropped before its answer was known, by column. Where the server has one of
   * them, it is this device's own, and no conflict.
   */
  sent?: Record<string, RawValue>;
  /** Its edits were refused together: each action goes by itself (D7). */
  apart?: boolean;
  /** Activities up to this edit time wait for a part of their own, since they did not fit beside the change they tell of (D35). */
  cut?: number;
}

/** The clock that edits are timed by. */
export interface EditClock {
  /** Device time, ms since the epoch. */
  now(): number;
  /** Server clock minus device clock, ms. */
  offset(): number;
}

/** The part of the database that edit tracking needs. */
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

/** @returns the base of the unsynced edits; null for a record in step. */
export function readBase(raw: Raw): SyncBase | null {
  return typeof raw.sync_base === 'string' ? textToBase<EditedColumn, SyncBase>(raw.sync_base) : null;
}

export function writeBase(raw: Raw, base: SyncBase | null): void {
  raw.sync_base = base && baseToText(base);
}

/** @returns the latest value of the column on the server that is known here. */
export function serverValue(edit: EditedColumn | undefined): RawValue {
  return edit?.server === undefined ? (edit?.value ?? null) : edit.server;
}

export function stampsOf(raw: Raw): NonNullable<SyncBase['stamps']> {
  return { updated_at: raw.updated_at ?? 0, last_modified_by: raw.last_modified_by ?? null };
}

/** Sets `is_synced` and `sync_status` from WatermelonDB's own status. */
export function followStatus(raw: Raw): void {
  raw.is_synced = raw._status === 'synced';
  raw.sync_status = raw._status;
}

/** Marks a record as synced. */
export function markClean(raw: Raw): void {
  raw._status = 'synced';
  raw._changed = '';
  raw.sync_base = null;
  followStatus(raw);
}

/**
 * Marks a record as edited in the columns of `base`, and in the other columns of their units, which are pushed with
 * them as they are (rule U6). Without columns it is marked as synced.
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
  writeBase(raw, { ...base, columns, deletion: undefined, expecting: undefined });
  followStatus(raw);
}

/** Marks a record as new: the server does not have it, or no longer has it. */
export function markCreated(raw: Raw, base: SyncBase): void {
  raw._status = 'created';
  raw._changed = '';
  writeBase(raw, { ...base, deletion: undefined });
  followStatus(raw);
}

/** Writes the base of a record that was just created. */
export function trackCreate(raw: Raw, clock: EditClock): void {
  const created = { editedAt: clock.now(), offset: clock.offset() };
  writeBase(raw, { revision: 0, groups: [], columns: {}, created });
  followStatus(raw);
}

/**
 * Writes into the base which columns an update changed.
 * @returns false when no pushed column changed: the status and the stamps are then as before
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
  const edited = withUnits(table, changed);
  if (raw._status !== 'created') {
    for (const column of edited) {
      const known = base.columns[column] ?? { value: before[column] ?? null };
      base.columns[column] = {
        ...known,
        editedAt: clock.now(),
        offset: clock.offset(),
        repeats: undefined,
      };
    }
  }
  writeBase(raw, base);
  lastTracked.set(raw, { text: raw.sync_base, base, edited });
  followStatus(raw);
  return true;
}

/**
 * Makes the prepared update of a record depend on these columns of it: on the server they have to be as they were last in
 * step (U45). What is edited later on top of it depends on them too. Of a new record, which others have as soon as a batch has
 * brought it to the server, the names are kept: `expectedOfNew` gives the values.
 */
export function trackExpected(raw: Raw, names: readonly string[]): void {
  const known = lastTracked.get(raw);
  if (!known || known.text !== raw.sync_base) return;
  const { base, edited } = known;
  if (raw._status === 'created') {
    const all = edited.map((column) => [
      column,
      [...new Set([...(base.expecting?.[column] ?? []), ...names])],
    ]);
    base.expecting = { ...base.expecting, ...Object.fromEntries(all) };
    writeBase(raw, base);
    lastTracked.set(raw, { text: raw.sync_base, base, edited });
    return;
  }
  const inStep = names.map(
    (name) => [name, (base.columns[name] ?? { value: raw[name] ?? null }).value] as const,
  );
  for (const column of edited) {
    const edit = base.columns[column] as EditedColumn;
    base.columns[column] = { ...edit, expected: { ...Object.fromEntries(inStep), ...edit.expected } };
  }
  writeBase(raw, base);
  lastTracked.set(raw, { text: raw.sync_base, base, edited });
}

/**
 * @param base of a new record, as long as it is new
 * @param inserted the value that a column of it had when the server got it
 * @returns what the edit of the column depends on, now that the record is no longer new
 */
export function expectedOfNew(
  base: SyncBase | null,
  column: string,
  inserted: (name: string) => RawValue,
): Pick<EditedColumn, 'expected'> {
  const names = base?.expecting?.[column];
  return names ? { expected: Object.fromEntries(names.map((name) => [name, inserted(name)])) } : {};
}

/** @returns what edits of a record depend on, by column; of several edits, the earliest says so. */
export function expectedBy(columns: SyncBase['columns']): Record<string, RawValue> {
  const byAge = Object.values(columns).sort((a, b) => b.editedAt - a.editedAt);
  return Object.assign({}, ...byAge.map(({ expected }) => expected));
}

/**
 * @param taken the values that the server has taken of the record, by column
 * @returns the edits that are left, which depend on these values from now on
 */
export function dependingOn(
  columns: SyncBase['columns'],
  taken: Readonly<Record<string, RawValue>>,
): SyncBase['columns'] {
  return Object.fromEntries(
    Object.entries(columns).map(([column, edit]) => {
      if (!edit.expected) return [column, edit];
      const expected = Object.entries(edit.expected).map(([name, value]) => [
        name,
        name in taken ? (taken[name] ?? null) : value,
      ]);
      return [column, { ...edit, expected: Object.fromEntries(expected) }];
    }),
  );
}

/** @returns the columns with the others of their units, since units merge as one (rule U6). */
function withUnits(table: string, changed: readonly string[]): readonly string[] {
  const columns = columnsOf(table as SyncedTable);
  const units = new Set<string>(changed.map((column) => columns[column]?.unit).flatMap((unit) => unit ?? []));
  if (units.size === 0) return changed;
  const whole = trackedColumns(table).filter((column) => units.has(columns[column]?.unit ?? ''));
  return [...new Set([...changed, ...whole])];
}

/** @returns whether a resync is under way in which the server has not sent the record yet (P13, P16). */
export function isMarked({ revision }: Raw): boolean {
  return revision === UNCONFIRMED || revision === EXPIRED;
}

/**
 * Writes the deletion into the base of a record that was just marked as deleted.
 * @param root id of the record whose deletion takes this one along; its own id on that record
 * @param isUnseen whether a record that the deletion takes along is marked: nothing of the scope counts as seen then
 */
export function trackDelete(raw: Raw, root: string, context: EditContext, isUnseen = isMarked(raw)): void {
  const base = readBase(raw) ?? { revision: baseRevision(raw), groups: [], columns: {} };
  const { clock } = context;
  const seen = isUnseen ? 0 : context.seenRevision(raw.workspace_id as string);
  const named = root === raw.id ? { id: context.newId(), at: clock.now() + clock.offset() } : {};
  writeBase(raw, { ...base, deletion: { root, seen, ...named } });
  followStatus(raw);
}

/**
 * Puts the prepared edit of a record into the group of an action. What the record has of earlier actions goes along where
 * this one builds on it; of other records those actions keep what they wrote. So a group never grows beyond its action.
 */
export function joinGroup(table: string, raw: Raw, group: string): void {
  const known = lastTracked.get(raw);
  const isKnown = known?.text === raw.sync_base;
  const base = isKnown ? known?.base : readBase(raw);
  if (!base) return;
  if (raw._status === 'created') {
    // Pushed as it is by then, with the first action that wrote it along with others.
    if (base.groups.length === 0) writeBase(raw, { ...base, groups: [group] });
  } else if (base.deletion) writeBase(raw, { ...base, deletion: { ...base.deletion, group } });
  else {
    const edited = (isKnown && known?.edited) || Object.keys(base.columns);
    // It builds on what it expects as well: where that is refused, it was never so on the server (D15).
    const relied = reliedOn(base, edited).map((edit) => edit.group ?? '');
    const judged = judgedTogether(table, edited).flatMap((name) => base.columns[name]?.group ?? []);
    const earlier = [...judged, ...relied];
    const columns = Object.entries(base.columns).map(([name, edit]) => {
      const joins = edited.includes(name) || earlier.includes(edit.group ?? '');
      return [name, joins ? { ...edit, group } : edit] as const;
    });
    writeBase(raw, { ...base, columns: Object.fromEntries(columns) });
  }
}

/** @returns the unsynced edits of the record that those of these columns expect. */
function reliedOn({ columns }: SyncBase, edited: readonly string[]): EditedColumn[] {
  const names = new Set(edited.flatMap((name) => Object.keys(columns[name]?.expected ?? {})));
  return [...names].flatMap((name) => columns[name] ?? []);
}

/** @returns whether the prepared edit of a record expects what an action has written that wrote other records too. */
export function expectsAction(raw: Raw): boolean {
  const known = lastTracked.get(raw);
  if (!known || known.text !== raw.sync_base) return false;
  return reliedOn(known.base, known.edited).some(({ group }) => group !== undefined);
}

/** @returns the columns, with those that the server judges them by: a stage is one of a workflow (R5). */
function judgedTogether(table: string, columns: readonly string[]): readonly string[] {
  const both = ['workflow_id', 'current_stage'];
  return table === 'tasks' && columns.some((name) => both.includes(name)) ? [...columns, ...both] : columns;
}

/** The base last written to a record, so that a batch of many records need not parse it again; and what was edited. */
const lastTracked = new WeakMap<
  Raw,
  { text: RawValue | undefined; base: SyncBase; edited: readonly string[] }
>();

/** @returns the group of a record that is new or deleted, or of an edited column of it; null: it is one of its own. */
export function groupOf(raw: Raw, base: SyncBase, column?: string): string | null {
  if (raw._status === 'created') return base.groups[0] ?? null;
  const named = column === undefined ? base.deletion?.group : base.columns[column]?.group;
  return named ?? base.groups.at(-1) ?? null;
}

/** @returns the groups of all unsynced edits of a record. */
export function groupsOf({ groups, columns, deletion }: SyncBase): string[] {
  const named = [...Object.values(columns).map(({ group }) => group), deletion?.group];
  return [...new Set([...groups, ...named.flatMap((group) => group ?? [])])];
}
