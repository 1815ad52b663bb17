/** The port to the local stack's database, and code shared by its two implementations. */

import pg from 'pg';
import type { Result } from '@/core/result';

/** An error of the database; `08006` when it could not be reached. */
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
  /** Settings for this transaction only, `role` included. */
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
   * Listens to notifications (NOTIFY) on a channel; they arrive when the sending transaction has committed.
   * @returns a function that stops listening. After `onLost` nothing arrives until the caller listens again.
   */
  listen(channel: string, listener: NotificationListener): Promise<Result<() => Promise<void>, SqlFailure>>;
  /** Waits for running transactions, then closes the database. */
  close(): Promise<void>;
}

export interface NotificationListener {
  onNotification: (payload: string) => void;
  /** The connection broke; notifications sent since then are lost. */
  onLost: () => void;
}

/** Carries an `SqlFailure` out of the work of a transaction. */
export class SqlError extends Error {
  override readonly name = 'SqlError';

  constructor(readonly failure: SqlFailure) {
    super(failure.message);
  }
}

/** @returns the script that begins a transaction with its settings, in one round trip */
export function openingScript({ readOnly, isolation, settings = {} }: TransactionOptions = {}): string {
  const begin = `begin${isolation ? ` isolation level ${isolation}` : ''}${readOnly ? ' read only' : ''};`;
  const calls = Object.entries(settings).map(
    ([name, value]) => `set_config(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)}, true)`,
  );
  return calls.length > 0 ? `${begin} select ${calls.join(', ')};` : begin;
}

/** @returns the failure in an error of either driver, whose classes carry the fields of PostgreSQL's error message; null for other errors */
export function failureOf(error: unknown): SqlFailure | null {
  if (error instanceof SqlError) return error.failure;
  if (!(error instanceof Error)) return null;
  const { code, detail, hint, severity } = error as Error & Record<string, unknown>;
  if (typeof code !== 'string' || typeof severity !== 'string') return null;
  return { sqlState: code, message: error.message, detail: textOf(detail), hint: textOf(hint) };
}

/** Throws where COMMIT rolled back: after a failed statement it does so without an error. */
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
