/** Signs of life of users, from the feed on this device: one look-up in the index of authors for each. */

import type { Observable } from 'rxjs';
import type { ConvoyDatabase } from '../database';
import { observeRead } from '../observation/observeRead';

export interface UserActivity {
  user_id: string;
  /** The newest entry that the user wrote, ms since the epoch; null: none is on this device. */
  lastAt: number | null;
  /** Tasks that the user finished since the time that was asked for. */
  finished: number;
}

const SQL = `select u.value, max(a.created_at), count(distinct case
    when a.activity_type = 'task_updated' and a.created_at >= ? and json_valid(a.details)
      and json_extract(a.details, '$.changes.status[1]') = 'done' then a.task_id end)
  from json_each(?) u
  left join activity_feed a on a.actor_id = u.value and a._status <> 'deleted'
  group by u.value`;

/** @param since ms since the epoch */
export function observeActivity(
  database: ConvoyDatabase,
  userIds: readonly string[],
  since: number,
): Observable<UserActivity[]> {
  return observeRead(database, ['activity_feed'], async () => {
    const [rows = []] = await database.readAll([{ sql: SQL, args: [since, JSON.stringify(userIds)] }]);
    return rows.map(([user_id, lastAt, finished]) => ({
      user_id: String(user_id),
      lastAt: lastAt === null ? null : Number(lastAt),
      finished: Number(finished),
    }));
  });
}
