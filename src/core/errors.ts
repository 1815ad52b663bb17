/** Every expected failure, as closed unions, and the reaction of the app to each. */

import type { Result } from './result';

export type TransportError =
  | { kind: 'transport'; code: 'offline'; message: string }
  | { kind: 'transport'; code: 'timeout'; message: string }
  | { kind: 'transport'; code: 'rate_limited'; message: string; retryAfterMs: number | null }
  | {
      kind: 'transport';
      code: 'http';
      message: string;
      status: number;
      sqlState: string | null;
      /** PostgREST's own code (`PGRST` and a number); absent where something in between answered. */
      restCode?: string;
      /** From `Retry-After`, if the server sent one. */
      retryAfterMs?: number;
    };

export type AuthError = {
  kind: 'auth';
  code:
    | 'expired'
    | 'signed_out'
    | 'wrong_user'
    | 'forbidden'
    | 'bad_credentials'
    /** Of a new account: its email address has one already. */
    | 'account_exists'
    /** The link that was mailed to the address has not been opened. */
    | 'unconfirmed';
  message: string;
};

export type ProtocolError = {
  kind: 'protocol';
  code:
    | 'client_too_old'
    | 'schema_mismatch'
    | 'malformed'
    | 'device_conflict'
    | 'history_changed'
    | 'too_large';
  message: string;
};

export type StorageError = {
  kind: 'storage';
  code:
    | 'quota'
    | 'corrupt'
    | 'newer_schema'
    | 'no_migration'
    /** A migration to the schema of this code failed; the database is unchanged. */
    | 'migration_failed'
    | 'locked'
    /** Another tab or process has written the records that this write was based on. */
    | 'overtaken'
    | 'unavailable'
    /** A part of the code that reads the database could not be loaded over the network. */
    | 'not_loaded'
    /** The file to import is not a database of this account. */
    | 'foreign_file'
    /** The user is signed out, but the session could not be removed from the storage. */
    | 'session_kept'
    /** An import would replace unsynced records. */
    | 'unsynced_work';
  message: string;
};

export type ValidationError = {
  kind: 'validation';
  /** The rule that was broken. */
  code:
    | 'required'
    | 'too_long'
    | 'bad_character'
    | 'bad_id'
    | 'bad_value'
    | 'unknown_stage'
    | 'unknown_field'
    | 'not_found'
    | 'cycle'
    | 'duplicate'
    /** Several records are called so. */
    | 'ambiguous';
  field: string;
  message: string;
  /** With `ambiguous`: the tasks that are called so. Names and titles are what members wrote. */
  candidates?: readonly {
    id: string;
    key: string | null;
    title: string;
    workspace_id: string;
    workspace_name: string;
  }[];
};

export type RejectedError = {
  kind: 'rejected';
  /** The server's rejection code (`RejectionCode`). */
  code: string;
  column: string | null;
  message: string;
};

export type StaleError = {
  kind: 'conflict';
  /** The record is not as the caller expected it. Nothing was written. */
  code: 'stale';
  /** Those that are not as expected. */
  columns: string[];
  /** Their present values, by column. */
  present: Readonly<Record<string, unknown>>;
  message: string;
};

export type ConflictError =
  | { kind: 'conflict'; code: 'conflict'; columns: string[]; message: string }
  | StaleError;

/** Neither the local database nor the server could answer. */
export type UnavailableError = {
  kind: 'unavailable';
  code: 'unavailable';
  message: string;
  causes: AppError[];
};

export type UnexpectedError = { kind: 'unexpected'; code: 'unexpected'; message: string };

/** Errors that end a sync. */
export type SyncError = TransportError | AuthError | ProtocolError | StorageError | UnexpectedError;

export type AppError = SyncError | ValidationError | RejectedError | ConflictError | UnavailableError;

/** The only error that promises of the Context Service reject with. Tell errors apart by `detail.kind` and `code`. */
export class ConvoyError extends Error {
  override readonly name = 'ConvoyError';
  readonly code: string;

  constructor(readonly detail: AppError) {
    super(detail.message);
    this.code = detail.code;
  }
}

/** @returns the value; throws the failure as a `ConvoyError`. */
export function orThrow<T>(result: Result<T, AppError>): T {
  if (result.ok) return result.value;
  throw new ConvoyError(result.error);
}

/** @returns the detail of a ConvoyError; anything else that was thrown is a bug, and `unexpected`. */
export function detailOf(thrown: unknown): AppError {
  if (thrown instanceof ConvoyError) return thrown.detail;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { kind: 'unexpected', code: 'unexpected', message };
}

/**
 * @returns whether the request ended for its time limit: that of this device, of the server, or of something in between.
 * The server may have carried it out all the same.
 */
export function isTimeout(error: SyncError): boolean {
  if (error.kind !== 'transport') return false;
  if (error.code !== 'http') return error.code === 'timeout';
  return error.status === 408 || error.status === 504 || isStatementTimeout(error);
}

/** @returns whether the size of the request alone is at fault: by the server's own word, or by the limit of something in between. */
export function isTooLarge(error: SyncError): boolean {
  if (error.kind === 'protocol') return error.code === 'too_large';
  return (
    error.kind === 'transport' && error.code === 'http' && error.status === 413 && error.sqlState === null
  );
}

/** @returns whether the server itself gave up the statement for its time limit: nothing of it was kept. */
export function isStatementTimeout(error: SyncError): boolean {
  return error.kind === 'transport' && error.code === 'http' && error.sqlState === '57014';
}

/**
 * @returns whether a pull may go well though a push ended so: the failure says something of that request, and nothing of
 * the network, the session or the versions of both sides.
 */
export function leavesPulls(error: SyncError): boolean {
  switch (error.kind) {
    case 'transport':
      // A server that asks for a wait means every request.
      if (error.code !== 'http') return error.code === 'timeout';
      return error.retryAfterMs === undefined && error.status !== 401;
    case 'auth':
      return error.code === 'forbidden';
    case 'protocol':
      return error.code === 'malformed';
    case 'storage':
    case 'unexpected':
      return false;
  }
}

export type Reaction = 'retry' | 'wait' | 'sign_in' | 'quarantine' | 'new_device' | 'split' | 'stop';

/** SQLSTATEs of passing trouble: deadlock, lock timeout, statement timeout, too many connections, shutdown. */
const TRANSIENT_SQL_STATES = new Set(['40P01', '55P03', '57014', '53300', '57P01', '57P03']);

/**
 * Decides, for the whole app, how to react to an error.
 * @returns `retry` with backoff; `wait` for the network; `sign_in`: ask the user to; `quarantine` the
 * change; `new_device`: take a new device id; `split`: halve the batch; `stop` and show the error.
 */
export function reactionTo(error: AppError): Reaction {
  switch (error.kind) {
    case 'transport':
      switch (error.code) {
        case 'offline':
          return 'wait';
        case 'timeout':
        case 'rate_limited':
          return 'retry';
        case 'http':
          if (error.sqlState !== null && TRANSIENT_SQL_STATES.has(error.sqlState)) return 'retry';
          // A proxy may limit the size of requests; what else it refuses says nothing about the changes, and passes.
          if (error.status === 413) return 'split';
          if (error.sqlState === null && error.restCode === undefined) return 'retry';
          if (error.status === 400 || error.status === 422) return 'split';
          return error.status >= 500 || error.status === 408 ? 'retry' : 'stop';
      }
      break;
    case 'auth':
      return error.code === 'forbidden' ? 'stop' : 'sign_in';
    case 'protocol':
      switch (error.code) {
        case 'device_conflict':
          return 'new_device';
        case 'too_large':
          return 'split';
        case 'history_changed':
          return 'retry';
        // The request as a whole is malformed; the server refuses a malformed change by itself.
        case 'malformed':
        case 'client_too_old':
        case 'schema_mismatch':
          return 'stop';
      }
      break;
    case 'rejected':
    case 'conflict':
      return 'quarantine';
    case 'storage':
      return error.code === 'overtaken' ? 'retry' : 'stop';
    case 'validation':
    case 'unavailable':
    case 'unexpected':
      return 'stop';
  }
}
