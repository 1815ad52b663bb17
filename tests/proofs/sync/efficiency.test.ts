import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { PushChange, PushRequest } from '@/core/protocol';
import { Quarantined } from '@/lib/watermelon';
import { expectConverged } from '../../support/inStep';
import { temporaryFolder } from '../../support/localDatabase';
import { manyTasks } from '../../support/manyTasks';
import { SEED } from '../../support/seed';
import { countStatements } from '../../support/statements';
import { devicesForFile, here, restartHere, there, world } from '../../support/twoDevices';
import { settle } from '../../support/world';

devicesForFile();

const newTask = async (title: string) => {
  const task = await here.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });
  await settle(here, there);
  return task;
};

/** Runs work, syncs. @returns the changes that were sent, and what the sync did */
async function sentBy(work: () => Promise<unknown>) {
  await work();
  const before = here.transport.requests.length;
  const result = await here.sync();
  expect(result.error).toBeNull();
  const made = here.transport.requests.slice(before);
  const changes = made.flatMap(({ direction, request }) =>
    direction === 'push' ? (request as PushRequest).changes : [],
  );
  return { changes, result, requests: made.map(({ direction }) => direction) };
}

const columnsOf = (changes: readonly PushChange[], table: string) =>
  changes
    .filter((change) => change.table === table)
    .map(({ op, values }) => [op, ...Object.keys(values ?? {}).sort()].join(' '));

describe('the changes that are sent', () => {
  it('an edit sends its column and its activity (D36)', async () => {
    const task = await newTask('before');
    const { changes } = await sentBy(() => here.contextService.updateTask(task.id, { title: 'after' }));
    expect(columnsOf(changes, 'tasks')).toEqual(['update title']);
    expect(columnsOf(changes, 'activity_feed')).toHaveLength(1);
    expect(changes).toHaveLength(2);
  });

  it('a stage move sends its unit, and a move in the tree its own (D36, U6)', async () => {
    const [task, parent] = [await newTask('moves'), await newTask('parent')];
    const stage = await sentBy(() => here.contextService.updateTaskStage(task.id, 'PLAN_REVIEW'));
    expect(columnsOf(stage.changes, 'tasks')).toEqual(['update completion_date current_stage status']);
    const move = await sentBy(() => here.contextService.updateTask(task.id, { parent_task_id: parent.id }));
    expect(columnsOf(move.changes, 'tasks')).toEqual(['update milestone_id parent_task_id']);
  });

  it('edits of one record become one change, and an edit that changes nothing sends nothing (D36)', async () => {
    const task = await newTask('twice');
    const { changes } = await sentBy(async () => {
      await here.contextService.updateTask(task.id, { title: 'once' });
      await here.contextService.updateTask(task.id, { title: 'again', priority: 'high' });
    });
    expect(columnsOf(changes, 'tasks')).toEqual(['update priority title']);
    const nothing = await sentBy(() => here.contextService.updateTask(task.id, { title: 'again' }));
    expect(columnsOf(nothing.changes, 'tasks')).toEqual([]);
  });

  it('a settled conflict and a retried change send their columns alone (D36)', async () => {
    const task = await newTask('contested');
    await there.contextService.updateTask(task.id, { title: 'theirs', description: 'theirs' });
    await there.sync();
    const { changes } = await sentBy(() =>
      here.contextService.updateTask(task.id, { title: 'mine', priority: 'urgent' }),
    );
    for (const columns of columnsOf(changes, 'tasks'))
      expect(['update priority title', 'update title']).toContain(columns);
    await expectConverged(world, here, there);

    const refused = await newTask('to be refused');
    const push = here.transport.push;
    here.transport.push = () =>
      Promise.resolve({
        ok: false,
        error: { kind: 'transport', code: 'http', status: 413, sqlState: null, message: 'too large' },
      });
    await here.contextService.updateTask(refused.id, { title: 'set aside' });
    await here.sync();
    here.transport.push = push;
    const [entry] = await here.database.of(Quarantined).query().fetch();
    const retried = await sentBy(() => here.retryQuarantined(entry?.id ?? ''));
    expect(columnsOf(retried.changes, 'tasks')).toEqual(['update title']);
    await expectConverged(world, here, there);
  });

  it('a device does not pull its own edits, cascades and merged rows (P7, U14)', async () => {
    const [parent, task] = [await newTask('cascade'), await newTask('merged')];
    await here.contextService.updateTask(task.id, { parent_task_id: parent.id });
    await settle(here, there);
    const edit = await sentBy(() => here.contextService.updateTask(parent.id, { title: 'edited' }));
    expect(edit).toMatchObject({ result: { pulled: 0 }, requests: ['push', 'pull'] });
    await settle(there);
    await there.contextService.updateTask(task.id, { priority: 'low' });
    await there.sync();
    // What is pulled is the other's revision alone, and of that not the row that came back merged.
    const merged = await sentBy(() => here.contextService.updateTask(task.id, { title: 'merged title' }));
    expect(merged.result.pulled).toBeLessThanOrEqual(2);
    const cascade = await sentBy(() => here.contextService.deleteTask(parent.id));
    expect(cascade.result.pulled).toBe(0);
    await expectConverged(world, here, there);
  });

  it('a device whose pull and process broke off after the push does not pull its own changes either (P7)', async () => {
    const task = await newTask('between');
    await here.contextService.updateTask(task.id, { title: 'pushed, not pulled' });
    here.transport.loseNextRequest('pull');
    expect((await here.sync()).pushed).toBe(2);
    await restartHere();
    expect(await here.sync()).toMatchObject({ error: null, pulled: 0, pushed: 0 });
    await expectConverged(world, here, there);
  });

  it('answers to pulls and pushes are compressed on the wire (D37)', async () => {
    const { client, userId } = await world.signIn('owner');
    const { data } = await client.auth.getSession();
    const call = async (name: string, request: object) => {
      const response = await fetch(`${world.stack.url}/rest/v1/rpc/${name}`, {
        method: 'POST',
        headers: {
          apikey: world.stack.anonKey,
          authorization: `Bearer ${data.session?.access_token}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({
          request: { protocol: 1, schema: 1, user_id: userId, skip: {}, cursors: {}, ...request },
        }),
      });
      const text = await response.text();
      return { encoding: response.headers.get('content-encoding'), text };
    };
    const pulled = await call('sync_pull', { limit: 500 });
    expect(pulled.encoding).toMatch(/^(br|gzip)$/);
    const changes = Array.from({ length: 50 }, (_, n) => ({
      table: 'projects',
      op: 'insert',
      id: crypto.randomUUID(),
      workspace_id: SEED.workspace,
      base: null,
      group: n,
      values: { name: `Compressed ${n}` },
      edited_at: {},
    }));
    const pushed = await call('sync_push', { device_id: crypto.randomUUID(), batch: 1, changes });
    expect(pushed.encoding).toMatch(/^(br|gzip)$/);
    expect(JSON.parse(pushed.text)).toMatchObject({ batch: 1 });
    await settle(here, there);
  });
});

describe('the cost of a sync', () => {
  it('a sync that finds nothing costs the same with 1,000 rows more and with 20,000 (D34)', async () => {
    const { path: folder, remove } = temporaryFolder();
    const device = await world.device('editor', { folder, pageRows: 5_000 });
    const costs: unknown[] = [];
    for (const rows of [1_000, 19_000]) {
      await manyTasks(world.stack.backend, rows, `Idle ${rows}`);
      await settle(device);
      const statements = countStatements();
      const result = await device.sync();
      // The storage tidies up by itself when nothing has been written for a while.
      const made = statements.stop().filter((text) => !text.startsWith('pragma'));
      expect(result).toMatchObject({ status: 'ok', pulled: 0, pushed: 0 });
      costs.push({ sent: result.sent, statements: made });
      // Every table that grows is searched by an index, never read through.
      const file = new Sqlite(join(folder, 'local.db'), { readonly: true });
      for (const sql of new Set(
        made.filter((text) => /"(tasks|activity_feed|projects|milestones)"/.test(text)),
      )) {
        const plan = file
          .prepare(`explain query plan ${sql}`)
          .all(...Array(sql.split('?').length - 1).fill('')) as { detail: string }[];
        expect(plan.map(({ detail }) => detail).join('; '), sql).toMatch(/^SEARCH .* USING .*INDEX/);
      }
      file.close();
    }
    expect(costs[1]).toEqual(costs[0]);
    await device.close();
    remove();
  });

  it('the statements of a push grow with the number of changes, and so do its batches (D35)', async () => {
    const device = await world.device('owner');
    await settle(device);
    const costs: { n: number; statements: number; batches: number }[] = [];
    for (const n of [1_000, 4_000]) {
      const tasks = device.database.get('tasks');
      await device.database.write(async () => {
        for (let made = 0; made < n; made += 500) {
          for (let task = made; task < made + 500; task += 1) {
            await tasks.create((record) => {
              Object.assign(record, {
                workspaceId: SEED.workspace,
                milestoneId: SEED.offlineMilestone,
                title: `Linear ${n} ${task}`,
                currentStage: 'PLAN',
                status: 'todo',
                priority: 'medium',
              });
            });
          }
        }
      });
      const statements = countStatements();
      const before = device.transport.count('push');
      expect(await device.sync()).toMatchObject({ status: 'ok', pushed: n });
      const made = statements.stop().length;
      costs.push({ n, statements: made, batches: device.transport.count('push') - before });
    }
    const [small, large] = costs as [(typeof costs)[0], (typeof costs)[0]];
    // Each change is written once when it is acknowledged; all else is by the batch.
    expect(large.statements / large.n).toBeLessThan((small.statements / small.n) * 1.05);
    expect(large.batches).toBeLessThanOrEqual(4 * small.batches);
    expect(device.syncStatus.pending).toBe(0);
  });
});
