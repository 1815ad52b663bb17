/** The device's knowledge of itself and of its scopes: held in memory, and stored in the local database. */

import { v7 as uuidv7 } from 'uuid';
import { type Cursor, SCHEMA_VERSION } from '@/core/protocol';
import { SYNCED_TABLES } from '@/domain/schema';
import type { ScopeRole } from '@/domain/vocabulary';
import type { ConvoyDatabase } from '../../database';
import { type DeviceFacts, DeviceState, OutboxBatch, type PendingRefill, ScopeCursor } from '../../models';
import type { Model } from '../../models/watermelondb';
import type { Stood } from '../../observation/standing';
import { type IdMap, IdMappings } from '../idMapping';
import type { UnreadableRow } from '../records/readable';

const DEVICE = 'device';
/** Ids of the facts about unreadable rows begin with it. */
export const UNREADABLE = 'unreadable/';

/** A row of the server that this device could not store (P33). */
export interface Unreadable extends UnreadableRow {
  /** Device time, ms. */
  since: number;
}

/** Where this device stands in one scope. */
export interface ScopeState {
  cursor: Cursor;
  role: ScopeRole;
  /** Own revisions above the cursor. */
  skip: number[];
  /** The step of a resync, while one is under way (P13, P16). */
  resync?: 'marking' | 'paging' | 'sweeping';
  /** The refill of a newer schema version, while it is under way (P14). */
  refill?: PendingRefill;
}

/**
 * The facts of a database that has none. One without records is of this schema version, and nothing has to be written to say
 * so until there is something else to write (D51).
 */
async function newDevice(database: ConvoyDatabase): Promise<DeviceFacts> {
  const facts = { deviceId: uuidv7(), nextBatch: 1, clockOffset: 0, lastSyncedAt: null };
  const any = SYNCED_TABLES.map((table) => `exists (select 1 from "${table}")`).join(' or ');
  const [rows = []] = await database.readAll([{ sql: `select ${any}`, args: [] }]);
  return rows[0]?.[0] ? facts : { ...facts, schema: SCHEMA_VERSION };
}

/** @returns the revision up to which everything is here: the one before the cursor's, while that one is being paged. */
export function completeRevision(cursor: Cursor): number {
  return cursor.after === undefined ? cursor.revision : cursor.revision - 1;
}

/** While records are being marked, nothing that this device has seen counts as seen: it may be of another history. */
function seenRevision({ cursor, resync }: ScopeState): number {
  return resync === 'marking' ? 0 : completeRevision(cursor);
}

function stateOf(record: ScopeCursor): ScopeState {
  const { resync: isResynced, step, refill, ...paging } = record.paging ?? {};
  const cursor = { revision: record.revision, tag: record.tag, ...paging };
  const resync = isResynced ? (step ?? 'paging') : undefined;
  return { cursor, role: record.role, skip: record.skip, resync, refill };
}

/** @returns the workspaces of which nothing is to be shown, by their local ids. */
function hidden({ leaving = {} }: Pick<DeviceFacts, 'leaving'>, ids: IdMap): ReadonlySet<string> {
  const purged = Object.entries(leaving).filter(([, why]) => why !== 'recreated');
  return new Set(purged.map(([scope]) => ids.toLocal(scope)));
}

/** Noted under the local ids of the workspaces, which is what records name. */
function standingOf(
  scopes: ReadonlyMap<string, ScopeState>,
  facts: Pick<DeviceFacts, 'leaving'>,
  ids: IdMap,
): Stood {
  const seen = [...scopes].map(([id, state]) => [ids.toLocal(id), seenRevision(state)] as const);
  return { seen: new Map(seen), leaving: hidden(facts, ids) };
}

/** @returns what is stored of where this device stands; rejects where the storage fails */
export async function readStanding(database: ConvoyDatabase): Promise<Stood> {
  const ids = await IdMappings.load(database);
  const [cursors = [], states = []] = await database.fetchAll(ScopeCursor, DeviceState);
  const record = states.find(({ id }) => id === DEVICE);
  const scopes = new Map(cursors.map((cursor) => [cursor.id, stateOf(cursor)]));
  return standingOf(scopes, (record?.value as DeviceFacts | undefined) ?? {}, ids);
}

/** Changes are prepared here, and written by the caller with the batch they belong to. */
export class DeviceStore {
  readonly scopes = new Map<string, ScopeState>();
  /** Rows that could not be stored, by the ids of their facts (P33). */
  readonly unreadable = new Map<string, Unreadable>();
  /** Those that the server was asked for again since this device was opened. */
  readonly askedAgain: Set<string>;
  /** Requests of a push or pull that went well since this was loaded. */
  answersHeard = 0;
  /** How often the batch in flight has failed in a row since then. */
  failuresInARow = 0;
  /** That number when the server last gave up the change of a record, by remote id. */
  private readonly refusedAt = new Map<string, number>();
  private readonly cursorRecords = new Map<string, ScopeCursor>();
  private readonly unreadableRecords = new Map<string, DeviceState>();

  private constructor(
    private readonly database: ConvoyDatabase,
    private readonly ids: IdMap,
    public facts: DeviceFacts,
    private factsRecord: DeviceState | null,
    askedAgain: Set<string>,
  ) {
    this.askedAgain = askedAgain;
  }

  /** @param askedAgain of the store that this one replaces */
  static async load(
    database: ConvoyDatabase,
    ids: IdMap,
    askedAgain = new Set<string>(),
  ): Promise<DeviceStore> {
    const { asOf } = database.standing;
    const [cursors = [], states = []] = await database.fetchAll(ScopeCursor, DeviceState);
    const record = states.find(({ id }) => id === DEVICE) ?? null;
    const facts = record ? (record.value as DeviceFacts) : await newDevice(database);
    const store = new DeviceStore(database, ids, facts, record, askedAgain);
    for (const state of states) {
      if (!state.id.startsWith(UNREADABLE)) continue;
      store.unreadable.set(state.id, state.value as Unreadable);
      store.unreadableRecords.set(state.id, state);
    }
    for (const record of cursors) {
      store.cursorRecords.set(record.id, record);
      store.scopes.set(record.id, stateOf(record));
    }
    database.standing.replace(standingOf(store.scopes, facts, ids), asOf);
    return store;
  }

  /** Whether the facts of this device are in its database. */
  get isStored(): boolean {
    return this.factsRecord !== null;
  }

  /**
   * Whether a pull has to come before the next push: while a scope is resynced or refilled, edits would be compared
   * with a history, or in columns, that this device has never seen (P17); and while one is left, what is still here of it
   * is not to be pushed (P12, P19).
   */
  get mustPullFirst(): boolean {
    const isUnderWay = ({ resync, refill }: ScopeState) => resync !== undefined || refill !== undefined;
    return this.leaving.length > 0 || [...this.scopes.values()].some(isUnderWay);
  }

  /** Remote ids of the workspaces that are lost, while records of them are still to be purged or recreated, and why. */
  get leaving(): [scope: string, why: NonNullable<DeviceFacts['leaving']>[string]][] {
    return Object.entries(this.facts.leaving ?? {});
  }

  /** @returns whether a request went well since the server gave up any of these changes before: it is not just busy. */
  hasHeardSinceRefusal(changes: readonly { id: string }[]): boolean {
    // The request that settled this batch is one of them.
    return changes.every(({ id }) => {
      const at = this.refusedAt.get(id) ?? (this.facts.late?.[id]?.refused ? 0 : -1);
      return this.answersHeard > at + 1;
    });
  }

  noteRefusal(changes: readonly { id: string }[]): void {
    for (const { id } of changes) this.refusedAt.set(id, this.answersHeard);
  }

  /** @returns the batch in flight, or null. */
  async outbox(): Promise<OutboxBatch | null> {
    const [batches = []] = await this.database.fetchAll(OutboxBatch);
    return batches[0] ?? null;
  }

  prepareFacts(changes: Partial<DeviceFacts>): Model {
    this.facts = { ...this.facts, ...changes };
    if ('leaving' in changes) this.database.standing.noteLeaving(hidden(this.facts, this.ids));
    const value = this.facts;
    if (this.factsRecord) {
      return this.factsRecord.prepareUpdate((record) => {
        record.value = value;
      });
    }
    this.factsRecord = this.database.of(DeviceState).prepareCreateFromDirtyRaw({
      id: DEVICE,
      _status: 'synced',
      value: JSON.stringify(value),
    });
    return this.factsRecord;
  }

  prepareScope(id: string, state: ScopeState): Model {
    this.scopes.set(id, state);
    this.noteSeen(id, seenRevision(state));
    const { revision, tag, ...rest } = state.cursor;
    const { resync, refill } = state;
    const isUnderWay =
      rest.target !== undefined || rest.own !== undefined || resync !== undefined || refill !== undefined;
    const step = resync === 'paging' ? undefined : resync;
    const paging = isUnderWay ? { ...rest, ...(resync && { resync: true, step }), refill } : null;
    const known = this.cursorRecords.get(id);
    if (known) {
      return known.prepareUpdate((record) => {
        record.revision = revision;
        record.tag = tag;
        record.paging = paging;
        record.role = state.role;
        record.skip = state.skip;
      });
    }
    const created = this.database.of(ScopeCursor).prepareCreateFromDirtyRaw({
      id,
      _status: 'synced',
      revision,
      tag,
      paging: paging && JSON.stringify(paging),
      role: state.role,
      skip: JSON.stringify(state.skip),
    });
    this.cursorRecords.set(id, created);
    return created;
  }

  prepareForgetScope(id: string): Model | null {
    this.scopes.delete(id);
    this.noteSeen(id, 0);
    const record = this.cursorRecords.get(id);
    this.cursorRecords.delete(id);
    return record ? record.prepareDestroyPermanently() : null;
  }

  prepareUnreadable(row: Unreadable): Model {
    const id = `${UNREADABLE}${row.table}/${row.id}`;
    const known = this.unreadableRecords.get(id);
    const value = { ...row, since: this.unreadable.get(id)?.since ?? row.since };
    this.unreadable.set(id, value);
    if (known) {
      return known.prepareUpdate((record) => {
        record.value = value;
      });
    }
    const made = this.database
      .of(DeviceState)
      .prepareCreateFromDirtyRaw({ id, _status: 'synced', value: JSON.stringify(value) });
    this.unreadableRecords.set(id, made);
    return made;
  }

  prepareReadable(table: string, rowId: string): Model | null {
    const id = `${UNREADABLE}${table}/${rowId}`;
    const record = this.unreadableRecords.get(id);
    this.unreadable.delete(id);
    this.unreadableRecords.delete(id);
    return record ? record.prepareDestroyPermanently() : null;
  }

  /** Noted under the local id of the workspace, which is what records name. */
  private noteSeen(scope: string, revision: number): void {
    this.database.standing.noteSeen(this.ids.toLocal(scope), revision);
  }
}
