/** Who may listen to a topic: the policies on `realtime.messages` decide, asked as Supabase asks them. */

import { randomUUID } from 'node:crypto';
import { ok, type Result } from '@/core/result';
import type { Claims } from '../auth/tokens';
import type { SqlBackend, SqlFailure } from '../database/backend';

/** Ends the transaction without keeping anything of it. */
class Undo {
  constructor(readonly visible: boolean) {}
}

/**
 * Lays down a message of the topic, looks whether the user can see it, and takes it back.
 * @returns whether the user may; a policy that fails grants nothing and is reported.
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
      throw new Undo(rows.length > 0);
    });
    return failed;
  } catch (thrown) {
    if (thrown instanceof Undo) return ok(thrown.visible);
    throw thrown;
  }
}
