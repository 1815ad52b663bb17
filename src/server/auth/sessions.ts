/** Sessions, and the rotation of their refresh tokens. */

import { randomUUID } from 'node:crypto';
import { fail, ok, type Result } from '@/core/result';
import type { SqlConnection } from '../database/backend';
import type { Refusal } from './errors';
import type { RefreshToken } from './refreshTokens';

export interface Session {
  id: string;
  userId: string;
  /** Counter of the current refresh token. */
  counter: number;
}

/** Milliseconds after a refresh in which older tokens of the session may still be used: Supabase's default. */
const REUSE_INTERVAL_MS = 10_000;

/** @param now milliseconds since 1970 */
export async function startSession(connection: SqlConnection, userId: string, now: number): Promise<Session> {
  const id = randomUUID();
  await connection.query(
    `insert into local_stack.sessions (id, user_id, refreshed_at)
     values ($1::uuid, $2::uuid, to_timestamp($3::numeric / 1000))`,
    [id, userId, now],
  );
  return { id, userId, counter: 0 };
}

/**
 * Exchanges a refresh token, as Supabase Auth does. The previous token yields the current one again, whenever it comes:
 * its answer may have been lost. So does an older one within the reuse interval: several tabs may have refreshed at
 * once. Later, an older token has been copied, so the session ends.
 * @param now milliseconds since 1970
 */
export async function rotateSession(
  connection: SqlConnection,
  token: RefreshToken,
  now: number,
): Promise<Result<Session, Refusal>> {
  const [row] = await connection.query<{ user_id: string; refresh_counter: number; since: number }>(
    `select user_id::text, refresh_counter,
       ($2::numeric - extract(epoch from refreshed_at) * 1000)::float8 as since
     from local_stack.sessions where id = $1::uuid for update`,
    [token.sessionId, now],
  );
  if (!row) return fail({ code: 'refresh_token_not_found' });
  const behind = row.refresh_counter - token.counter;
  if (behind < 0) {
    return fail({ code: 'validation_failed', message: 'Invalid Refresh Token: Not Issued By This Server' });
  }
  if (behind > 1 && Math.abs(row.since) >= REUSE_INTERVAL_MS) {
    await endSession(connection, token.sessionId);
    return fail({ code: 'refresh_token_already_used' });
  }
  const counter = behind === 0 ? token.counter + 1 : row.refresh_counter;
  await connection.query(
    `update local_stack.sessions
     set refresh_counter = $2::integer, refreshed_at = to_timestamp($3::numeric / 1000) where id = $1::uuid`,
    [token.sessionId, counter, now],
  );
  return ok({ id: token.sessionId, userId: row.user_id, counter });
}

export async function sessionExists(connection: SqlConnection, id: string): Promise<boolean> {
  const rows = await connection.query('select 1 from local_stack.sessions where id = $1::uuid', [id]);
  return rows.length > 0;
}

export async function endSession(connection: SqlConnection, id: string): Promise<void> {
  await connection.query('delete from local_stack.sessions where id = $1::uuid', [id]);
}

/** Ends sessions that nobody has used for a year: their devices are asked to sign in. */
export async function endUnusedSessions(connection: SqlConnection): Promise<void> {
  await connection.query(`delete from local_stack.sessions where refreshed_at < now() - interval '1 year'`);
}

/** @param except id of a session that is kept */
export async function endSessionsOf(
  connection: SqlConnection,
  userId: string,
  except: string | null = null,
): Promise<void> {
  await connection.query(
    'delete from local_stack.sessions where user_id = $1::uuid and id is distinct from $2::uuid',
    [userId, except],
  );
}
