/** Workspaces in which the user of this device is an agent that a person has paused: the server takes nothing of it there (A7). */

import type { ConvoyDatabase } from '../../database';

/** @returns their local ids. */
export async function pausedScopes(database: ConvoyDatabase, userId: string): Promise<ReadonlySet<string>> {
  const [found = []] = await database.readAll([
    {
      sql: `select "workspace_id" from "workspace_members"
        where "user_id" = ? and "paused_at" is not null and "_status" <> 'deleted'`,
      args: [userId],
    },
  ]);
  return new Set(found.map(([id]) => String(id)));
}
