/** The server's inbox over feeds that hold thousands of entries, or what no client of ours writes. */

import { expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import { storedTime } from '@/core/text';
import { type Inbox, type InboxFacts, inboxOf, MOST_IN_INBOX } from '@/domain/inbox';
import type { SqlConnection } from '@/server';
import { addressedIn, oddFeed, shownIn } from '../../support/oddEntries';
import { database, team, teamForEachTest } from '../../support/teamDatabase';
import { rowsRead } from '../../support/work';

teamForEachTest();

/** As the remote Context Service makes it of the answer. */
async function ask(connection: SqlConnection): Promise<Inbox> {
  const [row] = await connection.query<{ answer: InboxFacts }>('select public.get_inbox() as answer', []);
  const facts = row?.answer as InboxFacts;
  const timed = (list: InboxFacts['mentions']) =>
    list.map((one) => ({ ...one, since: storedTime(one.since) ?? '' }));
  return inboxOf(
    { ...facts, questions: timed(facts.questions), mentions: timed(facts.mentions) },
    team.owner.id,
  );
}

const inbox = () => database.as(team.owner.id, ask);

interface Written {
  id?: string;
  task_id?: string | null;
  activity_type?: string;
  actor_id?: string | null;
  created_at?: string;
  details: Json;
}

/** Writes entries past the rules of a push: those of earlier versions had fewer. */
async function write(entries: readonly Written[]): Promise<void> {
  const rows = entries.map((entry) => ({
    id: crypto.randomUUID(),
    task_id: team.task,
    activity_type: 'comment',
    actor_id: team.editor.id,
    created_at: '2026-01-05T10:00:00Z',
    ...entry,
  }));
  await database.transaction(async (connection) => {
    await connection.query('alter table public.activity_feed disable trigger c_entries', []);
    await connection.query(
      `insert into public.activity_feed (id, workspace_id, task_id, activity_type, actor_id, details, created_at)
       select r.id, $1::uuid, r.task_id, r.activity_type, r.actor_id, coalesce(r.details, 'null'), r.created_at
       from jsonb_to_recordset($2::jsonb)
         as r (id uuid, task_id uuid, activity_type text, actor_id uuid, details jsonb, created_at timestamptz)`,
      [team.workspace, JSON.stringify(rows)],
    );
    await connection.query('alter table public.activity_feed enable trigger c_entries', []);
  });
}

/** Comments of another member that mention the owner, one a second; and edits of each, in which they do so still. */
async function crowd(count: number): Promise<void> {
  const values = [team.workspace, team.task, team.editor.id, team.owner.id, count];
  await database.query(
    `insert into public.activity_feed (id, workspace_id, task_id, activity_type, actor_id, details, created_at)
     select case kind when 'comment' then md5($2 || n)::uuid else gen_random_uuid() end, $1::uuid, $2::uuid, kind, $3::uuid,
       jsonb_build_object('text', 'Look ' || n || '.', 'mentions', jsonb_build_array($4::text))
         || case kind when 'comment' then '{}' else jsonb_build_object('comment', upper(md5($2 || n)::uuid::text)) end,
       timestamptz '2026-01-05 10:00:00Z' + n * interval '1 second'
     from generate_series(1, $5::int) n, unnest(array['comment', 'comment_edited']) kind`,
    values,
  );
}

async function readsOf(count: number): Promise<{ found: Inbox; read: number }> {
  await crowd(count);
  return database.as(team.owner.id, async (connection) => {
    const before = await rowsRead(connection, 'public', 'activity_feed');
    const found = await ask(connection);
    return { found, read: (await rowsRead(connection, 'public', 'activity_feed')) - before };
  });
}

it('reads few rows for each mention on a crowded task, keeps the newest and says that it is cut (I4, I5)', async () => {
  const count = 1_500;
  const { found, read } = await readsOf(count);
  expect(found.mentions.map(({ text }) => text)).toEqual(
    Array.from({ length: MOST_IN_INBOX }, (_, n) => `Look ${count - MOST_IN_INBOX + n + 1}.`),
  );
  expect(found.is_cut).toBe(true);
  expect(read).toBeGreaterThan(count);
  // Where the feed is read for each entry, thousands of rows for each.
  expect(read).toBeLessThan(10 * count);
});

it('finds the mention behind many that were edited out (I4)', async () => {
  const ids = Array.from({ length: 2 * MOST_IN_INBOX }, () => crypto.randomUUID());
  const mentions = [team.owner.id];
  await write([
    { created_at: '2026-01-04T10:00:00Z', details: { text: 'Still there.', mentions } },
    ...ids.map((id) => ({ id, details: { text: 'Look.', mentions } })),
    ...ids.map((comment) => ({
      activity_type: 'comment_edited',
      created_at: '2026-01-06T10:00:00Z',
      details: { comment, text: 'Never mind.', mentions: [] },
    })),
  ]);
  const found = await inbox();
  expect(found.mentions.map(({ text }) => text)).toEqual(['Still there.']);
  expect(found.is_cut).toBe(false);
});

it('takes mentions in any number and form (I4)', async () => {
  const me = team.owner.id;
  // As many as fit in an entry.
  const many = Array.from({ length: 8_000 }, (_, n) => `nobody ${n}`);
  const forms: Json[] = [me, { 0: me }, [[me]], [{ id: me }], 7, null, [...many, me.toUpperCase()]];
  await write(forms.map((mentions, n) => ({ details: { text: `Form ${n}.`, mentions } })));
  expect((await inbox()).mentions.map(({ text }) => text)).toEqual(['Form 6.']);
});

it.each([1, 2, 3, 4])('with seed %i, has of a feed what the definition says (I3, I4)', async (seed) => {
  const { id: other } = team.viewer;
  const tasks = [team.task, crypto.randomUUID()];
  await database.query(
    `insert into public.tasks (id, workspace_id, milestone_id, title) values ($1::uuid, $2::uuid, $3::uuid, 'Other')`,
    [tasks[1] as string, team.workspace, team.milestone],
  );
  const users = [team.owner.id, team.editor.id, other] as const;
  const feed = oddFeed(team.workspace, tasks, users, { seed, length: 60 * seed * seed });
  // Every test has the same ids.
  await database.query('truncate public.activity_feed cascade');
  await write(feed.entries);
  const wanted = addressedIn(feed);
  expect(wanted.mentions.length).toBeGreaterThan(0);
  expect(shownIn(await inbox())).toEqual(wanted);
});
