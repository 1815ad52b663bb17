/** The inbox of a device whose feed somebody has filled with mentions. */

import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it } from 'vitest';
import { MOST_IN_INBOX } from '@/domain/inbox';
import { readInbox } from '@/lib/watermelon/context/inbox';
import type { LocalFirst } from '@/lib/watermelon/context/localFirst';
import { LocalStore } from '@/lib/watermelon/context/localStore';
import { openLocalDatabase, temporaryFolder } from '../../support/localDatabase';

const USER = '01a22895-27f8-734e-969e-5b8fbac9aea3';
const MENTIONS = 20_000;

// Where the user's words are looked up for each mention, this takes minutes.
it('reads a task that mentions the user many thousand times in a step for each (I4, I5)', async () => {
  const folder = temporaryFolder();
  const database = await openLocalDatabase(folder.path);
  const file = new Sqlite(join(folder.path, 'local.db'));
  const row = `"_changed", "_status", "sync_status", "is_synced", "revision", "workspace_id"`;
  const values = `'', 'synced', '', 1, 1, 'w'`;
  file.exec(`insert into tasks (id, milestone_id, title, current_stage, status, priority, sort_order, created_at, updated_at, ${row})
    values ('t', 'm', 'Crowded', 'PLAN', 'todo', 'medium', 0, 1, 1, ${values})`);
  const insert = file.prepare(`insert into activity_feed
    (id, task_id, activity_type, details, actor_id, created_at, updated_at, ${row})
    values (?, 't', 'comment', ?, ?, ?, 1, ${values})`);
  const write = (n: number, actor: string, mentions: string[]) =>
    insert.run(`a${n}`, JSON.stringify({ text: `Look ${n}.`, mentions }), actor, 1e12 + n);
  file.transaction(() => {
    for (let n = 0; n < MENTIONS; n += 1) write(n, 'somebody', [USER]);
  })();
  const read = () =>
    readInbox({ store: new LocalStore(database, undefined as never), userId: USER } as LocalFirst);
  const { mentions, is_cut } = await read();
  expect({ found: mentions.length, is_cut }).toEqual({ found: MOST_IN_INBOX, is_cut: true });
  write(MENTIONS, USER, []);
  expect(await read()).toMatchObject({ mentions: [], is_cut: false });
  file.close();
  await database.close();
  folder.remove();
});
