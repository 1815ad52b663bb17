/**
 * The wire protocol between a device and the server, and the port through which the sync engine
 * speaks it. `docs/sync-spec.md` is the description in words; `supabase/migrations` the other end.
 */

import type { SyncError } from './errors';
import type { Result } from './result';

export const PROTOCOL_VERSION = 1;
/**
 * Version of the synced columns. Raised with every migration that adds a table or a column; which
 * versions a server serves is in its table `convoy.served_versions`.
 */
export const SCHEMA_VERSION = 1;

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
  /** While paging: the run began with nothing, so that no tombstone is missed. */
  whole?: boolean;
  /** The latest revision this device made itself above `revision`: it has to be of the same history too. */
  own?: { revision: number; tag: string };
}

/** Tables of a scope that are new to a device, or have new columns, on their way to it. */
export interface Refill {
  tables: string[];
  /** Where it stands in them; from 0. */
  revision: number;
  /** The last id sent at `revision`. */
  after?: string;
  /** Up to this revision the device had them without what is new. */
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
  /** What has to be sent once more, by scope. */
  refill?: Record<string, Refill>;
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
  /** The cursor named another history: the server ignored it and starts from the beginning. */
  reset?: boolean;
  /**
   * With `reset`: the device was away for longer than tombstones are kept. What it has and is not sent
   * has been deleted; without, the server may have lost it.
   */
  expired?: boolean;
}

export interface PullAnswer extends Page {
  user_id: string;
  server_time: string;
  /** All scopes the user may see, sorted by id. A scope that is missing has been lost. */
  scopes: Scope[];
  /** New cursors of the scopes that advanced. */
  cursors: Record<string, Cursor>;
  /** Where the refills of the request stand now. At its target one is complete, but for `after`. */
  refilled: Record<string, Pick<Refill, 'revision' | 'after'>>;
  /**
   * Scopes of the request that the user may not see, and of which the server does not know the cursor:
   * the server may have lost them, rather than the user the access.
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
   * null: whatever is there (insert always; a remote write that has no base).
   */
  base: number | null;
  /** Changes of one group are taken or refused together. Ascending from 0. */
  group: number;
  /**
   * insert: all columns that have a value. update: the changed columns. delete: `deletion_id`, under
   * which it can be restored, and `along_with`, the record whose deletion took this one along, if any.
   */
  values?: Record<string, Json>;
  /** When each column was edited, corrected by the clock offset known then. On insert under `created_at`. */
  edited_at?: Record<string, string>;
}

export interface PushRequest {
  protocol: number;
  schema: number;
  user_id: string;
  device_id: string;
  batch: number;
  cursors: Record<string, Pick<Cursor, 'revision' | 'tag' | 'own'>>;
  /** Own revisions since the cursor, by scope: a delete does not conflict with these. */
  skip: Record<string, number[]>;
  changes: PushChange[];
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
  | 'immutable'
  | 'nothing_to_restore'
  | 'group'
  | 'unexpected';

export type PushOutcome =
  | { outcome: 'applied'; revision: number }
  /** In, but others had changed other columns since the base: the row is among the effects. */
  | { outcome: 'merged'; revision: number }
  /** These columns had changed under it (with the time of the other edit); the others are in. */
  | { outcome: 'conflict'; revision: number; columns: Record<string, string | null> }
  /** The same thing exists under another id; its row is among the effects. */
  | { outcome: 'duplicate'; of: string }
  | { outcome: 'gone'; which: 'record' | 'parent' }
  /** Held back because of another change of this batch. */
  | { outcome: 'blocked'; by: string }
  | { outcome: 'rejected'; code: RejectionCode; column: string | null; message: string };

export interface PushAnswer {
  user_id: string;
  batch: number;
  server_time: string;
  /** One outcome for each change, in the order of the request. */
  outcomes: PushOutcome[];
  /** Every row this push touched beyond what the device sent: cascades, merged rows, defaults. */
  effects: Page;
  /** The revision this push made in each scope it touched. */
  revisions: Record<string, { revision: number; tag: string }>;
}

/** Bytes that travelled, for the sync log. */
export interface Traffic {
  sent: number;
  received: number;
}

/**
 * The port the sync engine talks to. A returned failure is an expected one (offline, expired
 * session, refused request); a throw is a bug and ends the sync with a typed `unexpected` error.
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
}
