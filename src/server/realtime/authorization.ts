/** Checks who may listen to a topic, as Supabase does: by the policies on `realtime.messages`. */

import { randomUUID } from 'node:crypto';
import { ok, type Result } from '@/core/result';
import type { Claims } from '../auth/tokens';
import type { SqlBackend, SqlFailure } from '../database/backend';

/** Thrown to roll the transaction back; carries the result out of it. */
class Rollback {
  constructor(readonly visible: boolean) {}
}

/**
 * Inserts a message of the topic, checks whether the user can select it, and rolls back.
 * @returns whether the user may listen; a policy that fails is returned as the failure
 */
export async function mayListen(
  backend: SqlBackend,
  topic: string,
  claims: Claims,
): Promise<Result<boolean, SqlFailure>> {
  try {
    const failed = await backend.transaction(async (connection): Promise<never> => {
      const id = randomUUID();
      await connection.query(
        `insert into realtime.messages (id, topic, extension, private) values ($1::uuid, $2, 'broadcast', true)`,
        [id, topic],
      );
      await connection.query(
        `select set_config('role', $1, true), set_config('realtime.topic', $2, true),
           set_config('request.jwt.claims', $3, true)`,
        [claims.role, topic, JSON.stringify(claims)],
      );
      const rows = await connection.query('select 1 from realtime.messages where id = $1::uuid', [id]);
      throw new Rollback(rows.length > 0);
    });
    return failed;
  } catch (thrown) {
    if (thrown instanceof Rollback) return ok(thrown.visible);
    throw thrown;
  }
}
