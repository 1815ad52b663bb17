/**
 * The shape of every request and answer, as devices and the server really make them, against the one that
 * was committed for this version of the protocol. A shape that changes needs a new PROTOCOL_VERSION, and
 * with it a file of its own; files of earlier versions stay as they are.
 */

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PROTOCOL_VERSION } from '@/core/protocol';
import { openDatabase, type TestDatabase } from '../support/database';
import { SEED } from '../support/seed';
import { createTeam, type SyncUser } from '../support/syncUser';
import { setStepRecords } from '../support/work';
import { World } from '../support/world';

const FILE = resolve(`tests/contract/wire/protocol-${PROTOCOL_VERSION}.txt`);
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/** Keys whose value is named by columns, and holds anything. */
const BY_COLUMN = ['values', 'edited_at', 'expected', 'columns', 'authors'];

/** Adds a line for each leaf of a value: where it is, and its type. */
function describe(lines: Set<string>, path: string, value: unknown): void {
  // Not sent.
  if (value === undefined) return;
  if (Array.isArray(value)) {
    if (value.length === 0) lines.add(`${path}[]`);
    for (const item of value) describe(lines, `${path}[]`, item);
  } else if (value !== null && typeof value === 'object') {
    const [key = ''] = path.split('.').slice(-1);
    const entries = Object.entries(value);
    // Whether a page has rows at all depends on what was pulled before.
    if (entries.length === 0 && key !== 'rows') lines.add(`${path}: {}`);
    for (const [name, nested] of entries) {
      if (key === 'rows') lines.add(`${path}.<table>.<column>[]`);
      else if (key === 'deleted') lines.add(`${path}.<table>[]`);
      else if (BY_COLUMN.includes(key)) lines.add(`${path}.<column>`);
      else describe(lines, `${path}.${UUID.test(name) ? '<id>' : name}`, nested);
    }
  } else lines.add(`${path}: ${value === null ? 'null' : typeof value}`);
}

let database: TestDatabase;
let world: World;
beforeAll(async () => {
  database = await openDatabase();
  world = await World.start();
});
afterAll(async () => {
  await world?.close();
  await database?.close();
});

async function describeRequests(lines: Set<string>): Promise<void> {
  let device = await world.device('owner', { pageRows: 20 });
  // A row that it cannot store is asked for again when it is opened the next time.
  device.transport.changePages(({ rows }) => rows.tasks?.title?.fill(7, 0, 1));
  await device.sync();
  const { requests } = device.transport;
  device = await device.restart();
  const { id } = await device.contextService.createTask({
    milestone_id: SEED.offlineMilestone,
    title: 'made',
  });
  await device.sync();
  await device.contextService.updateTask(id, { title: 'edited' }, { expected: { title: 'made' } });
  device.transport.next('push', { what: 'time_out' });
  await device.sync();
  await device.contextService.deleteTask(id);
  await device.sync();
  await world.stack.backend.transaction((connection) => setStepRecords(connection, 1));
  await device.contextService.deleteTask(SEED.busyTask);
  await device.sync();
  for (const { direction, request } of [...requests, ...device.transport.requests]) {
    const { changes, ...head } = request as typeof request & { changes?: { op: string }[] };
    describe(lines, `${direction} request`, head);
    for (const change of changes ?? []) describe(lines, `${direction} request.changes[${change.op}]`, change);
  }
}

async function describePulls(lines: Set<string>, { owner, viewer, workspace, make }: Team): Promise<void> {
  const tell = (answer: object) => describe(lines, 'pull answer', answer);
  const { pages, cursors } = await viewer.pullAll({}, { limit: 3 });
  for (const page of pages) tell(page);
  const refill = { tables: ['tasks' as const], revision: 0, target: cursors[workspace]?.revision ?? 0 };
  tell(await viewer.pull(cursors, { refill: { [workspace]: refill } }));
  tell(
    await viewer.pull(cursors, {
      refill: { [workspace]: { ...refill, tables: ['projects', 'tasks'] } },
      limit: 1,
    }),
  );
  const old = cursors[workspace] ?? { revision: 0, tag: '' };
  const [before] = await database.query<{ revision: number; tag: string }>(
    'select revision::int, tag from convoy.scope_revisions where scope_id = $1::uuid and revision = $2',
    [workspace, old.revision - 1],
  );
  tell(await viewer.pull({ ...cursors, [workspace]: { ...old, tag: 'other' } }));
  const task = make.insert('tasks', { title: 'deleted', milestone_id: make.workspace });
  await owner.push([make.delete('tasks', task.id, null)]);
  await database.query("update convoy.scope_revisions set created_at = created_at - interval '1 year'");
  await owner.push([make.insert('projects', { name: 'later' })]);
  await database.query('select convoy.purge()');
  tell(await viewer.pull({ ...cursors, [workspace]: before ?? old }));
}

type Team = Awaited<ReturnType<typeof createTeam>>;

async function describePushes(lines: Set<string>, team: Team): Promise<void> {
  const { owner, editor, viewer, make, milestone, task, revision } = team;
  const tell = async (who: SyncUser, ...changes: Parameters<SyncUser['push']>[0]) => {
    const { outcomes, ...head } = await who.push(changes);
    describe(lines, 'push answer', head);
    for (const outcome of outcomes) describe(lines, `push answer.outcomes[${outcome.outcome}]`, outcome);
  };
  const other = make.insert('tasks', { title: 'other', milestone_id: milestone });
  const link = () => make.insert('task_dependencies', { task_id: task, depends_on_task_id: other.id });
  await tell(owner, other, link());
  await tell(editor, link());
  await tell(owner, make.update('tasks', task, revision, { title: 'one' }));
  await tell(editor, make.update('tasks', task, revision, { title: 'two', priority: 'high' }));
  await tell(
    editor,
    make.update('tasks', task, revision, { priority: 'low' }),
    make.update('tasks', other.id, revision, { status: 'done' }),
  );
  await tell(editor, make.update('tasks', task, null, { title: 'three' }, { expected: { title: 'two' } }));
  await tell(editor, make.update('projects', team.project, revision, { name: 'renamed' }));
  await tell(owner, make.update('projects', team.project, revision, { description: 'merged' }));
  const refused = make.insert('milestones', { name: 'm', project_id: team.project, status: 'no such' });
  await tell(owner, refused, make.insert('tasks', { title: 'waits', milestone_id: refused.id }));
  await tell(viewer, make.update('tasks', task, null, { title: 'not mine' }));
  await database.query('update public.workspace_members set paused_at = now() where user_id = $1::uuid', [
    team.agent.id,
  ]);
  await tell(team.agent, make.insert('tasks', { title: 'paused', milestone_id: milestone }));
  await tell(owner, make.delete('tasks', other.id, null));
  await tell(editor, make.update('tasks', other.id, null, { title: 'gone' }));
  const settlement = { key: randomUUID(), settle: true };
  describe(lines, 'settle answer[void]', await owner.pushRaw([], settlement));
}

/** Deletions that go on in steps. To be called last: it changes the size of a step. */
async function describeSteps(lines: Set<string>, team: Team): Promise<void> {
  const { owner, editor, make, milestone, project } = team;
  const task = make.insert('tasks', { title: 'moved', milestone_id: milestone });
  const other = make.insert('milestones', { name: 'other', project_id: project });
  const kept = make.insert('tasks', { title: 'deleted', milestone_id: milestone });
  const { revisions } = await owner.push([task, kept, other]);
  await editor.push([make.update('tasks', task.id, null, { milestone_id: other.id })]);
  await setStepRecords(database, 1);
  const base = revisions[team.workspace]?.revision ?? null;
  const { outcomes: _, ...answer } = await owner.push([make.delete('milestones', milestone, base)]);
  describe(lines, 'push answer', answer);
  describe(lines, 'pull answer', await editor.pull());
  describe(lines, 'step answer', await owner.stepRaw());
}

async function describeErrors(lines: Set<string>, { owner, viewer, workspace }: Team): Promise<void> {
  const tell = (answer: unknown) => {
    const { error } = answer as { error: { code: string } };
    describe(lines, `error[${error.code}]`, error);
  };
  tell(await owner.pullRaw({ protocol: 0 }));
  tell(await owner.pullRaw({ schema: 1_000 }));
  tell(await owner.pullRaw({ user_id: viewer.id }));
  tell(await owner.pullRaw({ limit: 0 }));
  tell(await owner.pushRaw([], { cursors: { [workspace]: { revision: 1, tag: 'other' } } }));
  tell(await owner.pushRaw(Array.from({ length: 10_001 }, () => ({}))));
  tell(await owner.pushRaw([{}], { batch: 1 }));
  const [row] = await database.as(null, (connection) =>
    connection.query<{ may: boolean }>(
      "select has_function_privilege('public.sync_pull(jsonb)', 'execute') as may",
    ),
  );
  lines.add(`anonymous calls: ${row?.may}`);
}

it('requests and answers have the shape of this version of the protocol (P2, U16)', async () => {
  const lines = new Set<string>();
  await describeRequests(lines);
  const team = await createTeam(database);
  await describePushes(lines, team);
  await describePulls(lines, team);
  await describeErrors(lines, team);
  await describeSteps(lines, await createTeam(database));
  const shape = `${[...lines].sort().join('\n')}\n`;
  const committed = existsSync(FILE) ? readFileSync(FILE, 'utf8').replaceAll('\r\n', '\n') : '';
  expect(shape, `The wire format changed: raise PROTOCOL_VERSION and commit its shape as ${FILE}`).toBe(
    committed,
  );
});
