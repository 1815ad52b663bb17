/** The inbox of a device over feeds that hold thousands of entries, or what no client of ours writes. */

import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import { MOST_IN_INBOX } from '@/domain/inbox';
import type { ConvoyDatabase } from '@/lib/watermelon';
import { readInbox } from '@/lib/watermelon/context/inbox';
import type { LocalFirst } from '@/lib/watermelon/context/localFirst';
import { LocalStore } from '@/lib/watermelon/context/localStore';
import { openLocalDatabase, temporaryFolder } from '../../support/localDatabase';
import { addressedIn, oddFeed, shownIn } from '../../support/oddEntries';

const USER = '01a22895-27f8-734e-969e-5b8fbac9aea3';
const OTHERS = ['01a22895-27f8-734e-969e-5b8fbac9aea4', '01a22895-27f8-734e-969e-5b8fbac9aea5'] as const;
const MANY = 20_000;
const STORED = `"_changed", "_status", "sync_status", "is_synced", "revision", "workspace_id"`;
const AS_SYNCED = `'', 'synced', '', 1, 1, 'w'`;

let folder: ReturnType<typeof temporaryFolder>;
let database: ConvoyDatabase;
let file: InstanceType<typeof Sqlite>;

beforeEach(async () => {
  folder = temporaryFolder();
  database = await openLocalDatabase(folder.path);
  file = new Sqlite(join(folder.path, 'local.db'));
  for (const id of ['t', 'u']) {
    file.exec(`insert into tasks (id, milestone_id, title, current_stage, status, priority, sort_order, created_at, updated_at, ${STORED})
      values ('${id}', 'm', 'Crowded', 'PLAN', 'todo', 'medium', 0, 1, 1, ${AS_SYNCED})`);
  }
});
afterEach(async () => {
  file.close();
  await database.close();
  folder.remove();
});

interface Written {
  id: string;
  task?: string;
  type?: string;
  actor?: string | null;
  at: number;
  details: Json;
}

function write(entries: readonly Written[]): void {
  const insert = file.prepare(`insert into activity_feed
    (id, task_id, activity_type, details, actor_id, created_at, updated_at, ${STORED}) values (?, ?, ?, ?, ?, ?, 1, ${AS_SYNCED})`);
  file.transaction(() => {
    for (const { id, task = 't', type = 'comment', actor = OTHERS[0], at, details } of entries) {
      insert.run(id, task, type, JSON.stringify(details), actor, at);
    }
  })();
}

const read = () =>
  readInbox({ store: new LocalStore(database, undefined as never), userId: USER } as LocalFirst);
const mention = (n: number): Written => ({
  id: `a${String(n).padStart(6, '0')}`,
  at: 1e12 + n,
  details: { text: `Look ${n}.`, mentions: [USER] },
});

// Where the user's words are looked up for each mention among all of the task, this takes minutes.
it('keeps the newest of many thousand mentions on a task, and says that it is cut (I4, I5)', async () => {
  write(Array.from({ length: MANY }, (_, n) => mention(n)));
  const { mentions, is_cut } = await read();
  const newest = Array.from({ length: MOST_IN_INBOX }, (_, n) => `Look ${MANY - MOST_IN_INBOX + n}.`);
  expect({ found: mentions.map(({ text }) => text), is_cut }).toEqual({ found: newest, is_cut: true });
  write([{ id: 'own', actor: USER, at: 1e12 + MANY, details: { text: 'I see.' } }]);
  expect(await read()).toMatchObject({ mentions: [], is_cut: false });
});

it('looks up what is about an entry, and own words, by an index that has nothing else (I5)', async () => {
  const plans: string[] = [];
  const readAll = database.readAll.bind(database);
  database.readAll = (queries) => {
    for (const { sql, args } of queries) {
      const plan = file.prepare(`explain query plan ${sql}`).all(...args) as { detail: string }[];
      plans.push(...plan.map(({ detail }) => detail));
    }
    return readAll(queries);
  };
  write([mention(1)]);
  await read();
  const lookUps = plans.filter((line) => /^SEARCH (edit|gone|own|a) /.test(line));
  expect(lookUps.length).toBeGreaterThan(0);
  const isNarrow = (line: string) => /<expr>=\?|actor_id=\? AND task_id=\?/.test(line);
  // The requests of a task are all read: `a` of the reviews.
  const isOfReviews = (line: string) => line.endsWith('(task_id=? AND activity_type=?)');
  expect(lookUps.filter((line) => !isNarrow(line) && !isOfReviews(line))).toEqual([]);
  expect(plans.filter((line) => /^SCAN (q|c|n|edit|gone|own|t) ?$/.test(line))).toEqual([]);
});

it('finds the mention behind many that were edited out (I4)', async () => {
  write([{ ...mention(0), details: { text: 'Still there.', mentions: [USER] } }]);
  write(Array.from({ length: 2 * MOST_IN_INBOX }, (_, n) => mention(n + 1)));
  write(
    Array.from({ length: 2 * MOST_IN_INBOX }, (_, n) => ({
      id: `e${n}`,
      type: 'comment_edited',
      at: 1e12 + MANY + n,
      details: { comment: mention(n + 1).id, text: 'Never mind.', mentions: [] },
    })),
  );
  const { mentions, is_cut } = await read();
  expect({ found: mentions.map(({ text }) => text), is_cut }).toEqual({
    found: ['Still there.'],
    is_cut: false,
  });
});

it('takes mentions in any number and form (I4)', async () => {
  const crowd = Array.from({ length: 100_000 }, (_, n) => `nobody ${n}`);
  const forms: Json[] = [
    USER,
    { 0: USER },
    [[USER]],
    [{ id: USER }],
    7,
    null,
    [...crowd, USER.toUpperCase()],
  ];
  write(forms.map((mentions, n) => ({ id: `a${n}`, at: n, details: { text: `Form ${n}.`, mentions } })));
  const { mentions } = await read();
  expect(mentions.map(({ text }) => text)).toEqual(['Form 6.']);
});

it.each([1, 2, 3, 4, 5, 6])('with seed %i, has of a feed what the definition says (I3, I4)', async (seed) => {
  const feed = oddFeed('w', ['t', 'u'], [USER, ...OTHERS], { seed, length: 60 * seed * seed });
  write(
    feed.entries.map(({ id, task_id, activity_type, actor_id, created_at, details }) => ({
      id,
      task: String(task_id),
      type: activity_type,
      actor: actor_id,
      at: Date.parse(created_at),
      details,
    })),
  );
  const wanted = addressedIn(feed);
  expect(wanted.mentions.length).toBeGreaterThan(0);
  expect(shownIn(await read())).toEqual(wanted);
});
