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

export async function startSession(connection: SqlConnection, userId: string): Promise<Session> {
  const id = randomUUID();
  await connection.query('insert into local_stack.sessions (id, user_id) values ($1::uuid, $2::uuid)', [
    id,
    userId,
  ]);
  return { id, userId, counter: 0 };
}

/**
 * Exchanges a refresh token. The previous token yields the current one again: its answer may have been lost, or
 * two tabs refreshed at once. An older token has been copied, so the session ends.
 */
export async function rotateSession(
  connection: SqlConnection,
  token: RefreshToken,
): Promise<Result<Session, Refusal>> {
  const [row] = await connection.query<{ user_id: string; refresh_counter: number }>(
    'select user_id::text, refresh_counter from local_stack.sessions where id = $1::uuid for update',
    [token.sessionId],
  );
  if (!row) return fail({ code: 'refresh_token_not_found' });
  const session = { id: token.sessionId, userId: row.user_id };
  switch (row.refresh_counter - token.counter) {
    case 0:
      await connection.query(
        `update local_stack.sessions
         set refresh_counter = refresh_counter + 1, refreshed_at = now() where id = $1::uuid`,
        [session.id],
      );
      return ok({ ...session, counter: token.counter + 1 });
    case 1:
      return ok({ ...session, counter: row.refresh_counter });
    default:
      await endSession(connection, session.id);
      return fail({ code: 'refresh_token_already_used' });
  }
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
