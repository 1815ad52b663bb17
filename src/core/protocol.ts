/**
 * The wire protocol between a device and the server, and the port through which the sync engine
 * speaks it. `docs/sync-spec.md` describes it in words; `supabase/migrations` implements the server.
 */

import type { SyncError } from './errors';
import type { Result } from './result';

export const PROTOCOL_VERSION = 7;
/**
 * Version of the synced columns. Raised with every migration that adds a table or a column; which
 * versions a server serves is in its table `convoy.served_versions`.
 */
export const SCHEMA_VERSION = 2;

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Where a device stands in one scope. `tag` tells one history of the scope from another. */
export interface Cursor {
  /** Everything up to this revision has been applied (all but `after`, while paging). */
  revision: number;
  tag: string;
  /** While paging: the frozen revision that this run of pages goes up to; `tag` is then its tag. */
  target?: number;
  /** While paging: the last id sent at `revision`. */
  after?: string;
  /** While paging: the run began at the start of the scope, so that no tombstone is missed. */
  whole?: boolean;
  /** The latest revision above `revision` that this device made; it must belong to the same history. */
  own?: { revision: number; tag: string };
}

/** A refill of one scope: tables that are new to a device, or have new columns (P14). */
export interface Refill {
  tables: string[];
  /** The revision up to which they have been sent; from 0. */
  revision: number;
  /** The last id sent at `revision`. */
  after?: string;
  /** The revision up to which the device has the rows without the new columns. */
  target: number;
}

export interface PullRequest {
  protocol: number;
  schema: number;
  /** The user this device believes it acts for. */
  user_id: string;
  cursors: Record<string, Cursor>;
  /** Revisions this device made itself and whose effects it already has, by scope. */
  skip: Record<string, number[]>;
  /** Refills in progress, by scope. */
  refill?: Record<string, Refill>;
  /** Rows behind the cursors that this device could not apply, and wants once more; at most 100 (P33). */
  wanted?: { table: string; id: string }[];
  /** Most rows in a page; the server caps it. */
  limit: number;
}

/** Rows of one table, one array for each column, all of the same length. */
export type Columns = { id: string[] } & Record<string, Json[]>;

/** Rows and tombstones, by table. Used by pages and by the effects of a push alike. */
export interface Page {
  rows: Record<string, Columns>;
  deleted: Record<string, string[]>;
}

export interface Scope {
  id: string;
  /** `reference` for the global scope. */
  role: string;
  head: number;
  tag: string;
  /** The cursor belongs to another history: the server ignored it and starts from the beginning. */
  reset?: boolean;
  /**
   * With `reset`: the cursor is older than the horizon. Records of the device that are not sent again were
   * deleted; without `expired` the server may have lost them.
   */
  expired?: boolean;
  /** Deletions or restores of many records are under way in it: steps are to be taken (U44). Absent from older servers. */
  unsettled?: boolean;
}

export interface PullAnswer extends Page {
  user_id: string;
  server_time: string;
  /** All scopes the user may see, sorted by id. A scope that is missing may no longer be seen. */
  scopes: Scope[];
  /** New cursors of the scopes that advanced. */
  cursors: Record<string, Cursor>;
  /** Progress of the refills of the request. One at its target without `after` is complete. */
  refilled: Record<string, Pick<Refill, 'revision' | 'after'>>;
  /**
   * Scopes of the request that the user may not see and whose cursor the server does not know: rather than
   * the user having lost access, the server may have lost the scope (P19).
   */
  forgotten: string[];
  more: boolean;
  /** Rows in all, on the first page of a run of several; null otherwise. */
  total: number | null;
}

export interface PushChange {
  table: string;
  op: 'insert' | 'update' | 'delete';
  id: string;
  workspace_id: string;
  /**
   * update: the record's revision it was made on. delete: the scope's cursor revision.
   * null: no base, so no conflict (inserts, and writes of the remote service).
   */
  base: number | null;
  /** Changes of one group are applied or refused together. Ascending from 0. */
  group: number;
  /**
   * insert: all columns that have a value. update: the changed columns. delete: `deletion_id`, under
   * which it can be restored, and `along_with`, the record whose deletion took this one along, if any.
   */
  values?: Record<string, Json>;
  /**
   * update: what columns of the row, changed ones or others, have to be; else nothing of the group is written (U45).
   * Absent: anything, and from clients of protocol 5 and before, whose servers would ignore it.
   */
  expected?: Record<string, Json>;
  /** When each column was edited, corrected by the clock offset known then. On insert under `created_at`. */
  edited_at?: Record<string, string>;
}

export interface PushRequest {
  protocol: number;
  schema: number;
  user_id: string;
  device_id: string;
  batch: number;
  /** A random UUID that names the batch when it is settled; absent from batches of protocol 3 and before. */
  key?: string;
  cursors: Record<string, Pick<Cursor, 'revision' | 'tag' | 'own'>>;
  /** Revisions since the cursor that this device made, by scope: a delete does not conflict with these. */
  skip: Record<string, number[]>;
  changes: PushChange[];
}

/** Asks what became of a batch: its outcomes, or its number is made void, so that no late copy is applied (U2). */
export interface SettleRequest extends PushRequest {
  key: string;
  settle: true;
  changes: [];
}

/** The server has not taken the batch, and never will. */
export interface VoidAnswer {
  user_id: string;
  batch: number;
  server_time: string;
  void: true;
}

export type RejectionCode =
  | 'forbidden'
  | 'id_taken'
  | 'unknown_table'
  | 'unknown_column'
  | 'malformed'
  | 'invalid_value'
  | 'too_long'
  | 'missing_parent'
  | 'unique'
  | 'unknown_stage'
  | 'checkpoint'
  | 'cycle'
  | 'last_owner'
  /** People become members by accepting an invitation. */
  | 'needs_invitation'
  /** An activity of Convoy's own, without the change that it tells of. */
  | 'reserved_activity'
  /** A review names a request that is not the newest, or is settled. */
  | 'review_outdated'
  /** The task's text changed since the review was requested. */
  | 'text_changed'
  | 'immutable'
  | 'nothing_to_restore'
  | 'group'
  | 'unexpected';

export type PushOutcome =
  /** `key`: that of a new task or project, or the one that a project was given in place of the key it was sent with. */
  | { outcome: 'applied'; revision: number; key?: string }
  /** Applied; other devices had changed other columns since the base, so the row is among the effects. */
  | { outcome: 'merged'; revision: number }
  /**
   * These columns had changed since the base (with the time of the other edit); the remaining ones are applied.
   * `authors`: who made the changes in conflict, by changed column; null where that is not known. Absent from older servers.
   * `stale`: the columns that are not as the change expected; then `columns` are all that it sent, and none was written.
   */
  | {
      outcome: 'conflict';
      revision: number;
      columns: Record<string, string | null>;
      authors?: Record<string, string | null>;
      stale?: string[];
    }
  /** An equal record exists under another id; its row is among the effects. */
  | { outcome: 'duplicate'; of: string }
  | { outcome: 'gone'; which: 'record' | 'parent' }
  /**
   * Not applied, because another change of this batch was refused. `code`: not for that, but because the agent is paused in
   * this workspace; it is sent again once the pause is over.
   */
  | { outcome: 'blocked'; by: string; code?: 'paused' }
  | { outcome: 'rejected'; code: RejectionCode; column: string | null; message: string };

export interface PushAnswer {
  user_id: string;
  batch: number;
  server_time: string;
  /** One outcome for each change, in the order of the request. */
  outcomes: PushOutcome[];
  /** The rows that differ from what the device sent: cascades, merged rows, defaults (U14). */
  effects: Page;
  /** The revision this push made in each scope it touched. */
  revisions: Record<string, { revision: number; tag: string }>;
  /**
   * Ids of this user's deletions and restores that go on in steps: the effects name what was deleted or restored by then,
   * and pulls bring the rest (U44). Absent where there are none.
   */
  unfinished?: string[];
  /** With `unfinished`: ids of rows that were moved since the bases of the push's deletions. */
  moved?: string[];
}

/** Asks the server to take a step of the deletions and restores that are under way (U44). */
export interface StepRequest {
  protocol: number;
  schema: number;
  user_id: string;
}

export interface StepAnswer {
  user_id: string;
  server_time: string;
  /** Whether there is more to do. */
  left: boolean;
}

/** Measures of one exchange. */
export interface Traffic {
  /** Bytes. */
  sent: number;
  received: number;
  /** From the request to the end of the answer, ms. */
  ms: number;
}

/**
 * The port of the sync engine to the server. A returned failure is an expected one (offline, expired
 * session, refused request); a throw is a bug and ends the sync with `unexpected`.
 */
export interface SyncTransport {
  pull(
    request: PullRequest,
    signal: AbortSignal,
  ): Promise<Result<PullAnswer & { traffic: Traffic }, SyncError>>;
  push(
    request: PushRequest,
    signal: AbortSignal,
  ): Promise<Result<PushAnswer & { traffic: Traffic }, SyncError>>;
  /**
   * Asks what became of a batch that was sent.
   * @param request to settle it with
   * @param changes of the batch, how many
   */
  settle(
    request: SettleRequest,
    changes: number,
    signal: AbortSignal,
  ): Promise<Result<(PushAnswer | VoidAnswer) & { traffic: Traffic }, SyncError>>;
  step(
    request: StepRequest,
    signal: AbortSignal,
  ): Promise<Result<StepAnswer & { traffic: Traffic }, SyncError>>;
  /** A person asks for a sync: a wait for a new token, which the server asked for, is over for one attempt. */
  endWait?(): void;
}
