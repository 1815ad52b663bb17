/**
 * W11: how many pushes a second 16 writers get through, in one workspace and in 16, beside the same lock with plain
 * inserts (the limit), and beside inserts of the same tasks in the database (the remote subject): the workspace's clock
 * and the triggers, without a user's rights and the promises of a push.
 */

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROTOCOL_VERSION, SCHEMA_VERSION } from '@/core/protocol';
import { postgresBinaries } from '../../tests/support/postgres';
import { EMPTY, median } from '../measure';
import type { Bench } from './bench';

const WRITERS = 16;
/**
 * Of one measurement, s, and of what goes before it: the first pushes of a session make the plans that it keeps, which takes
 * as long as a hundred others, and the pools of servers keep their sessions.
 */
const [SECONDS, WARM_UP] = [4, 3];

/** A workspace for each writer, with a milestone to write in, and the plain table with a row to lock for each. */
async function prepare({ world, size }: Bench): Promise<string> {
  const marked = `Crowd ${randomUUID()}`;
  const { admin } = world;
  // As on Supabase, whose realtime service reads the table's log. The local stack's notification takes one lock of the
  // whole server when a transaction ends.
  await admin.query(`
    create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true)
    returns void language sql as
      'insert into realtime.messages (topic, extension, event, payload, private) values ($3, ''broadcast'', $2, $1, $4)'`);
  await admin.query(`
    create table if not exists bench_locks (n integer primary key, at bigint not null default 0);
    create table if not exists bench_rows (
      id uuid primary key default gen_random_uuid(), n integer not null, title text not null, at timestamptz default now());
    insert into bench_locks (n) select n from generate_series(0, ${WRITERS - 1}) n on conflict do nothing`);
  for (let n = 0; n < WRITERS; n += 1) {
    const [workspace, project] = [randomUUID(), randomUUID()];
    await admin.query(`insert into public.workspaces (id, workspace_id, name) values ($1, $1, $2)`, [
      workspace,
      marked,
    ]);
    await admin.query(
      `insert into public.workspace_members (id, workspace_id, user_id, role) values (gen_random_uuid(), $1, $2, 'owner')`,
      [workspace, size.userId],
    );
    await admin.query(`insert into public.projects (id, workspace_id, name) values ($1, $2, 'P')`, [
      project,
      workspace,
    ]);
    await admin.query(
      `insert into public.milestones (id, workspace_id, project_id, name) values (gen_random_uuid(), $1, $2, 'M')`,
      [workspace, project],
    );
  }
  await admin.query(
    `create table if not exists bench_crowd (n integer, marked text, workspace_id uuid, milestone_id uuid);
     delete from bench_crowd`,
  );
  await admin.query(
    `insert into bench_crowd select row_number() over (order by m.id) - 1, w.name, w.id, m.id
       from public.workspaces w join public.milestones m on m.workspace_id = w.id where w.name = $1`,
    [marked],
  );
  return marked;
}

const SUBJECTS = ['limit', 'convoy', 'remote'] as const;
type Subject = (typeof SUBJECTS)[number];

/** The transaction of one writer, as a script of pgbench. */
function scriptOf(subject: Subject, userId: string, changes: number, workspaces: number): string {
  const place = workspaces === 1 ? '0' : ':client_id';
  if (subject === 'limit') {
    return `begin;
update bench_locks set at = at + 1 where n = ${place};
insert into bench_rows (n, title) select n, 'a plain row' from generate_series(1, ${changes}) n;
commit;
`;
  }
  const claims = `set_config('request.jwt.claims', '{"sub": "${userId}", "role": "authenticated"}', true)`;
  if (subject === 'remote') {
    return `begin;
select ${claims};
insert into public.tasks (id, workspace_id, milestone_id, title)
  select gen_random_uuid(), c.workspace_id, c.milestone_id, 'a task of a crowd'
    from generate_series(1, ${changes}) n join public.bench_crowd c on c.n = ${place};
commit;
`;
  }
  return `\\set batch :batch + 1
begin;
select set_config('role', 'authenticated', true), ${claims};
select public.sync_push(jsonb_build_object(
  'protocol', ${PROTOCOL_VERSION}, 'schema', ${SCHEMA_VERSION}, 'user_id', '${userId}',
  'device_id', '${randomUUID().slice(0, 24)}' || lpad(:client_id::text, 12, '0'),
  'batch', :batch::bigint, 'key', gen_random_uuid(), 'cursors', '{}'::jsonb, 'skip', '{}'::jsonb,
  'changes', (select jsonb_agg(jsonb_build_object(
    'table', 'tasks', 'op', 'insert', 'id', gen_random_uuid(), 'workspace_id', c.workspace_id, 'base', null,
    'group', g, 'edited_at', '{}'::jsonb,
    'values', jsonb_build_object('milestone_id', c.milestone_id, 'title', 'a task of a crowd')))
    from generate_series(0, ${changes - 1}) g join public.bench_crowd c on c.n = ${place}))) ->> 'batch';
commit;
`;
}

/** @returns transactions a second, once the sessions have made their plans. Statements are prepared, as by PostgREST. */
async function run({ world }: Bench, script: string): Promise<number> {
  const file = join(world.newFolder(), 'crowd.sql');
  writeFileSync(file, script);
  const pgbench = join(postgresBinaries() ?? '', 'pgbench');
  const { stderr } = await promisify(execFile)(pgbench, [
    ...['-n', '-M', 'prepared', '-c', String(WRITERS), '-j', '2', '-D', 'batch=0'],
    // One report a second, of that second.
    ...['-T', String(WARM_UP + SECONDS), '-P', '1', '-f', file, world.databaseUrl],
  ]);
  const seconds = [...stderr.matchAll(/^progress: .* s, ([\d.]+) tps/gm)].map(([, tps]) => Number(tps));
  const counted = seconds.slice(WARM_UP);
  if (counted.length === 0) throw new Error(`pgbench said: ${stderr}`);
  return counted.reduce((sum, tps) => sum + tps, 0) / counted.length;
}

export async function crowdOfWriters(bench: Bench): Promise<void> {
  const { size, options, checks, results, world } = bench;
  await prepare(bench);
  await world.admin.query('grant select on bench_crowd to authenticated');
  for (const workspaces of [1, WRITERS]) {
    for (const changes of [1, 10]) {
      const taken = new Map<Subject, number[]>(SUBJECTS.map((subject) => [subject, []]));
      for (let repetition = 0; repetition < options.repetitions; repetition += 1) {
        for (const subject of SUBJECTS) {
          const script = scriptOf(subject, size.userId, changes, workspaces);
          taken.get(subject)?.push(await run(bench, script));
        }
      }
      const work = `W11 ${changes} by 16 in ${workspaces}`;
      const ms = (subject: Subject) => 1_000 / median(taken.get(subject) ?? []);
      checks.equal(`${work}: pushes went through`, Number.isFinite(ms('convoy')), true);
      for (const subject of SUBJECTS) {
        const ratio = ms(subject) / ms('limit');
        results.push({ ...EMPTY, work, size: size.name, subject, ms: ms(subject), ratio });
      }
    }
  }
  const made = await world.admin.query(
    `select count(*)::int as n from public.tasks where title = 'a task of a crowd'`,
  );
  checks.equal('W11: tasks were made', made.rows[0].n > 0, true);
}
