/** The inbox over entries as no client of ours writes them, and over more tasks than it shows. */

import { expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import { type InboxFacts, MOST_IN_INBOX } from '@/domain/inbox';
import type { SyncUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

async function inbox(user: SyncUser): Promise<InboxFacts> {
  const [row] = await database.as(user.id, (connection) =>
    connection.query<{ answer: InboxFacts }>('select public.get_inbox() as answer'),
  );
  return row?.answer as InboxFacts;
}

it('is read whatever an entry that mentions the user names as its comment (I4)', async () => {
  const mentions = [team.owner.id];
  const odd: Json[] = ['An old form', 7, null, { a: 1 }, [], team.owner.id, team.task.toUpperCase()];
  const entries = odd.flatMap((comment) =>
    ['comment', 'question', 'answer'].map((activity_type) =>
      team.make.insert('activity_feed', {
        task_id: team.task,
        activity_type,
        details: { comment, text: 'Look.', mentions },
      }),
    ),
  );
  await team.editor.push(entries);
  const { mentions: found } = await inbox(team.owner);
  expect(found.map(({ text }) => text)).toEqual(entries.map(() => 'Look.'));
});

/** Rows of tasks that the statements of a transaction read, by index or not. */
const READ = `select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as read
  from pg_stat_xact_user_tables where relname in ('tasks', 'milestones')`;

it('reads about as many tasks as it shows, however many wait (I5)', async () => {
  const many = 3_000;
  await database.query(
    `insert into public.tasks (id, workspace_id, milestone_id, title, current_stage, status, assignee_id)
     select gen_random_uuid(), $1::uuid, $2::uuid, 'Waits ' || n, 'PLAN_REVIEW', 'in_progress', $3::uuid
     from generate_series(1, $4::int) n`,
    [team.workspace, team.milestone, team.owner.id, many],
  );
  await database.query('analyze public.tasks');
  const { found, read } = await database.as(team.owner.id, async (connection) => {
    const [row] = await connection.query<{ answer: InboxFacts }>('select public.get_inbox() as answer');
    const [counted] = await connection.query<{ read: number }>(READ);
    return { found: row?.answer, read: counted?.read ?? 0 };
  });
  expect(found?.reviews).toHaveLength(MOST_IN_INBOX);
  expect(found?.is_cut).toBe(true);
  expect(read).toBeLessThan(8 * MOST_IN_INBOX);
});
