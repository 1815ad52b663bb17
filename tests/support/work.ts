/** Counts what the database does for a transaction, as PostgreSQL itself counts it: no test asserts elapsed time. */

import type { PushAnswer, PushChange } from '@/core/protocol';
import type { SqlConnection } from '@/server';
import type { TestDatabase } from './database';
import type { SyncUser } from './syncUser';

export interface Work {
  /** Rows read, and look-ups in indexes, of all tables. */
  reads: number;
  /** Calls by function, of the schema convoy. */
  calls: Record<string, number>;
}

/** Pushes, and counts what that takes. */
export function pushCounted(
  who: SyncUser,
  changes: PushChange[],
): Promise<{ answer: PushAnswer; work: Work }> {
  return who.database.transaction(async (connection) => {
    await connection.query("select set_config('track_functions', 'pl', true)", []);
    const claims = JSON.stringify({ role: 'authenticated', sub: who.id });
    await connection.query("select set_config('request.jwt.claims', $1, true)", [claims]);
    const before = await count(connection);
    const answer = await who.pushWithin(connection, changes);
    const after = await count(connection);
    const calls = Object.entries(after.calls).map(
      ([name, n]) => [name, n - (before.calls[name] ?? 0)] as const,
    );
    return { answer, work: { reads: after.reads - before.reads, calls: Object.fromEntries(calls) } };
  });
}

/**
 * Sets how long a push goes on trying changes, and how many records it writes as one chunk, for tests of what happens
 * then or must not.
 * @param time as `4 seconds`
 */
export async function setPushLimits(database: TestDatabase, time: string, records = 2_000): Promise<void> {
  await database.query(
    `create or replace function convoy.push_time() returns interval language sql immutable return interval '${time}'`,
  );
  await database.query(
    `create or replace function convoy.chunk_records() returns integer language sql immutable return ${records}`,
  );
}

/** Sets how many records a step of a deletion writes, and a deletion at once, for tests with few records (U44). */
export async function setStepRecords(
  database: { query(text: string, values: []): Promise<unknown> },
  records: number,
): Promise<void> {
  await database.query(
    `create or replace function convoy.step_records() returns integer language sql immutable return ${records}`,
    [],
  );
}

/**
 * How many rows of a table have been read, by all that the connection did lately: PostgreSQL hands its counts on once
 * a second at most, so only the difference of two of these tells of the work between them.
 */
export async function rowsRead(connection: SqlConnection, schema: string, table: string): Promise<number> {
  const [row] = await connection.query<{ read: number }>(
    `select (seq_tup_read + coalesce(idx_tup_fetch, 0))::integer as read
     from pg_stat_xact_all_tables where schemaname = $1 and relname = $2`,
    [schema, table],
  );
  return row?.read ?? Number.NaN;
}

async function count(connection: SqlConnection): Promise<Work> {
  const [read] = await connection.query<{ reads: number }>(
    `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0) + coalesce(idx_scan, 0))::integer as reads
     from pg_stat_xact_all_tables where schemaname in ('public', 'convoy')`,
    [],
  );
  const functions = await connection.query<{ name: string; calls: number }>(
    `select funcname as name, sum(calls)::integer as calls
     from pg_stat_xact_user_functions where schemaname = 'convoy' group by funcname`,
    [],
  );
  return {
    reads: read?.reads ?? Number.NaN,
    calls: Object.fromEntries(functions.map(({ name, calls }) => [name, calls])),
  };
}
