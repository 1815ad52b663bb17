/** The port to the database behind the local stack, and what its two implementations share. */

import pg from 'pg';
import type { Result } from '@/core/result';

/** An error the database answered with; `08006` when it could not be reached at all. */
export interface SqlFailure {
  sqlState: string;
  message: string;
  detail: string | null;
  hint: string | null;
}

export interface SqlConnection {
  /** One statement. Cast results to text, json or numbers in SQL: the drivers parse other types differently. */
  query<Row>(text: string, values?: readonly (string | number | boolean | null)[]): Promise<Row[]>;
  /** A script of several statements. */
  execute(script: string): Promise<void>;
}

export interface TransactionOptions {
  readOnly?: boolean;
  isolation?: 'read committed' | 'repeatable read' | 'serializable';
  /** Settings for this transaction alone, `role` included. */
  settings?: Record<string, string>;
}

export interface SqlBackend {
  readonly kind: 'pglite' | 'postgres';
  /**
   * Runs `work` in one transaction of its own and commits it.
   * An error of the database, at commit too, rolls back and is returned; anything else that `work`
   * throws rolls back and is thrown on.
   */
  transaction<T>(
    work: (connection: SqlConnection) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<Result<T, SqlFailure>>;
  /**
   * Hears what NOTIFY sends on a channel, as soon as the transaction that sent it has committed.
   * @returns how to stop; after `onLost`, nothing is heard any more and it is for the caller to listen again.
   */
  listen(channel: string, listener: NotificationListener): Promise<Result<() => Promise<void>, SqlFailure>>;
  /** Waits for what is running, then lets go of the database. */
  close(): Promise<void>;
}

export interface NotificationListener {
  onNotification: (payload: string) => void;
  /** The connection broke; what was sent since is not delivered. */
  onLost: () => void;
}

/** How a failing statement leaves the work of a transaction. */
export class SqlError extends Error {
  override readonly name = 'SqlError';

  constructor(readonly failure: SqlFailure) {
    super(failure.message);
  }
}

/** @returns the script that opens a transaction: one round trip whatever the settings. */
export function openingScript({ readOnly, isolation, settings = {} }: TransactionOptions = {}): string {
  const begin = `begin${isolation ? ` isolation level ${isolation}` : ''}${readOnly ? ' read only' : ''};`;
  const calls = Object.entries(settings).map(
    ([name, value]) => `set_config(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)}, true)`,
  );
  return calls.length > 0 ? `${begin} select ${calls.join(', ')};` : begin;
}

/** Both drivers' error classes carry the fields of the protocol's error message. */
export function failureOf(error: unknown): SqlFailure | null {
  if (error instanceof SqlError) return error.failure;
  if (!(error instanceof Error)) return null;
  const { code, detail, hint, severity } = error as Error & Record<string, unknown>;
  if (typeof code !== 'string' || typeof severity !== 'string') return null;
  return { sqlState: code, message: error.message, detail: textOf(detail), hint: textOf(hint) };
}

/** COMMIT of a transaction in which a statement failed rolls back and reports no error. */
export function assertCommitted(command: string | undefined): void {
  if (command === 'COMMIT') return;
  throw new SqlError({
    sqlState: '25P02',
    message: 'The transaction was rolled back because one of its statements had failed.',
    detail: null,
    hint: null,
  });
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
