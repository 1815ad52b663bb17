/**
 * `npm run prove:gapfree`: does a pull ever skip a committed change? On PostgreSQL, 16 writers commit
 * out of order, with rollbacks, while devices pull and push. A naive timestamp cursor runs beside
 * them on the same rows: it has to miss some, or this proof could not fail.
 */

import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { Cursor, PushOutcome } from '@/core/protocol';
import { PROTOCOL_VERSION, SCHEMA_VERSION } from '@/core/protocol';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { rowsOf } from '@/lib/watermelon/sync/records/codec';
import { type DemoStack, startDemoStack } from '../../tests/support/demoStack';
import { startPostgres } from '../../tests/support/postgres';
import { SEED } from '../../tests/support/seed';
import { readOptions } from '../support/options';

const { values: flags } = readOptions({
  options: { json: { type: 'boolean', default: false }, seconds: { type: 'string', default: '20' } },
});
const SECONDS = Number(flags.seconds);
const WRITERS = 16;
const PULLERS = 4;
const PUSHERS = 3;
const ROLLED_BACK = 0.2;

const signal = new AbortController().signal;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Writers and pushers go on while this holds; pullers until the last of those has committed. */
let writing = true;
let committing = true;

/** Commits transactions of one to three rows, slowly, some of them rolled back. */
async function write(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const own: string[] = [];
  let committed = 0;
  while (writing) {
    const made: string[] = [];
    await client.query('begin');
    // now() is the start of the transaction: the time that a naive cursor compares is older than the commit.
    await client.query('select now(), pg_sleep($1)', [Math.random() * 0.02]);
    for (let row = 0; row <= Math.floor(Math.random() * 3); row += 1) {
      const known = own[Math.floor(Math.random() * own.length)];
      if (known && Math.random() < 0.5) {
        await client.query('update public.tasks set title = $2 where id = $1', [
          known,
          `edit ${Math.random()}`,
        ]);
      } else {
        const id = uuidv7();
        made.push(id);
        await client.query(
          'insert into public.tasks (id, workspace_id, milestone_id, title) values ($1, $2, $3, $4)',
          [id, SEED.workspace, SEED.offlineMilestone, 'written'],
        );
      }
    }
    if (Math.random() < 0.3) await client.query('select pg_sleep($1)', [Math.random() * 0.01]);
    if (Math.random() < ROLLED_BACK) await client.query('rollback');
    else {
      await client.query('commit');
      committed += 1;
      own.push(...made);
    }
  }
  await client.end();
  return committed;
}

/** Pulls pages until told to stop, then once more to the end. */
async function pull(demo: DemoStack) {
  const { client, userId } = await demo.signIn('editor');
  const transport = new SupabaseTransport(client);
  const cursors: Record<string, Cursor> = {};
  const received = new Map<string, number>();
  let duplicated = 0;
  for (let last = false; ; ) {
    const answered = await transport.pull(
      { protocol: PROTOCOL_VERSION, schema: SCHEMA_VERSION, user_id: userId, cursors, skip: {}, limit: 200 },
      signal,
    );
    if (!answered.ok) throw new Error(answered.error.message);
    Object.assign(cursors, answered.value.cursors);
    for (const row of answered.value.rows.tasks ? rowsOf(answered.value.rows.tasks) : []) {
      const [id, revision] = [row.id as string, row.revision as number];
      if ((received.get(id) ?? -1) >= revision) duplicated += 1;
      received.set(id, revision);
    }
    if (answered.value.more) continue;
    if (last) return { received, duplicated };
    last = !committing;
    await pause(5);
  }
}

/** The rows that a cursor over `updated_at` would have seen. */
async function pullNaively(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const received = new Map<string, number>();
  let cursor = '-infinity';
  for (let last = false; ; last = !committing) {
    const { rows } = await client.query<{ id: string; revision: string; at: string }>(
      `select id, revision, updated_at::text as at from public.tasks
       where workspace_id = $1 and updated_at > $2::timestamptz order by updated_at, id`,
      [SEED.workspace, cursor],
    );
    for (const { id, revision, at } of rows) {
      received.set(id, Number(revision));
      cursor = at;
    }
    if (last) break;
    await pause(5);
  }
  await client.end();
  return received;
}

/** Appends marks to a shared text, each to the text read before. @returns the marks that the server accepted */
async function append(demo: DemoStack, url: string, taskId: string): Promise<string[]> {
  const { client, userId } = await demo.signIn('owner');
  const transport = new SupabaseTransport(client);
  const reader = new pg.Client({ connectionString: url });
  await reader.connect();
  const device = uuidv7();
  const taken: string[] = [];
  for (let batch = 1; writing; batch += 1) {
    const { rows } = await reader.query<{ text: string; revision: string }>(
      `select coalesce(description, '') as text, revision from public.tasks where id = $1`,
      [taskId],
    );
    const mark = `${device.slice(-6)}:${batch};`;
    await pause(Math.random() * 10);
    const answered = await transport.push(
      {
        protocol: PROTOCOL_VERSION,
        schema: SCHEMA_VERSION,
        user_id: userId,
        device_id: device,
        batch,
        cursors: {},
        skip: {},
        changes: [
          {
            table: 'tasks',
            op: 'update',
            id: taskId,
            workspace_id: SEED.workspace,
            base: Number(rows[0]?.revision),
            group: 0,
            values: { description: `${rows[0]?.text}${mark}` },
          },
        ],
      },
      signal,
    );
    if (!answered.ok) throw new Error(answered.error.message);
    const [outcome] = answered.value.outcomes as [PushOutcome];
    if (outcome.outcome === 'applied' || outcome.outcome === 'merged') taken.push(mark);
    else if (outcome.outcome !== 'conflict') throw new Error(`unexpected outcome ${outcome.outcome}`);
  }
  await reader.end();
  return taken;
}

const postgres = await startPostgres();
try {
  const url = await postgres.createDatabase();
  const demo = await startDemoStack({ kind: 'postgres', url });
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  const shared = uuidv7();
  await admin.query(
    'insert into public.tasks (id, workspace_id, milestone_id, title) values ($1, $2, $3, $4)',
    [shared, SEED.workspace, SEED.offlineMilestone, 'shared'],
  );
  if (!flags.json)
    console.log(`${WRITERS} writers, ${PULLERS} pulling and ${PUSHERS} pushing devices, ${SECONDS} s ...`);

  setTimeout(() => {
    writing = false;
  }, SECONDS * 1000);
  const changing = Promise.all([
    Promise.all(Array.from({ length: WRITERS }, () => write(url))),
    Promise.all(Array.from({ length: PUSHERS }, () => append(demo, url, shared))),
  ]).finally(() => {
    committing = false;
  });
  const [[writers, marks], pullers, naive] = await Promise.all([
    changing,
    Promise.all(Array.from({ length: PULLERS }, () => pull(demo))),
    pullNaively(url),
  ]);
  const { rows } = await admin.query<{ id: string; revision: string; text: string | null }>(
    'select id, revision, description as text from public.tasks where workspace_id = $1 and deleted_at is null',
    [SEED.workspace],
  );
  const missing = (received: Map<string, number>) =>
    rows.filter(({ id, revision }) => received.get(id) !== Number(revision)).length;
  const text = rows.find(({ id }) => id === shared)?.text ?? '';
  const result = {
    committed: writers.reduce((sum, count) => sum + count, 0) + marks.flat().length,
    missed: Math.max(...pullers.map(({ received }) => missing(received))),
    duplicated: pullers.reduce((sum, { duplicated }) => sum + duplicated, 0),
    overwritten: marks.flat().filter((mark) => !text.includes(mark)).length,
    naiveMissed: missing(naive),
  };
  await admin.end();
  await demo.stack.close();
  if (flags.json) console.log(JSON.stringify(result));
  else console.table([result]);
  const holds = result.missed + result.duplicated + result.overwritten === 0 && result.naiveMissed > 0;
  process.exitCode = holds ? 0 : 1;
} finally {
  await postgres.stop();
}
