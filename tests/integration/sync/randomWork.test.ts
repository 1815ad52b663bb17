import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '@/lib/watermelon';
import { SEED } from '../../support/seed';
import { deviceSnapshot, serverSnapshot } from '../../support/snapshot';
import { type SignedIn, type TestDevice, World } from '../../support/world';

/** Runs; the work of one run is a list of steps on three devices. */
const RUNS = Number(process.env.RANDOM_WORK_RUNS ?? 6);
const STEPS = 30;

let world: World;
let accounts: SignedIn[];
beforeAll(async () => {
  world = await World.start();
  accounts = [await world.signIn('owner'), await world.signIn('editor'), await world.signIn('owner')];
});
afterAll(() => world.close());

const step = fc.record({
  device: fc.nat(2),
  what: fc.constantFrom(
    'create',
    'create',
    'subtask',
    'title',
    'title',
    'text',
    'status',
    'stage',
    'move',
    'delete',
    'link',
    'unlink',
    'comment',
    'sync',
    'sync',
    'sync meanwhile',
    'lose push',
    'lose pull',
    'restart',
  ),
  pick: fc.nat(1000),
  other: fc.nat(1000),
});
type Step = { device: number; what: string; pick: number; other: number };

describe('random work on three devices', () => {
  it('P-CONVERGE P-NOLOSS all end up with what the server has, and nothing written is lost without a trace', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: STEPS, maxLength: STEPS }), (steps) => run(steps)),
      {
        numRuns: RUNS,
        endOnFailure: true,
        verbose: 1,
        ...(process.env.SEED ? { seed: Number(process.env.SEED) } : {}),
      },
    );
  });
});

async function run(steps: Step[]): Promise<void> {
  const devices: TestDevice[] = [];
  for (const account of accounts) devices.push(await world.device(account, { pageRows: 300 }));
  const [first] = devices as [TestDevice, TestDevice, TestDevice];
  await first.sync();
  const milestone = await first.contextService.createMilestone({ project_id: SEED.fieldApp, name: 'Random' });
  const second = await first.contextService.createMilestone({
    project_id: SEED.fieldApp,
    name: 'Random too',
  });
  for (const device of devices) await device.sync();
  const milestones = [milestone.id, second.id];
  /** The latest title given to each task, by any device. */
  const latest = new Map<string, string>();
  let count = 0;

  const work = async ({ device: index, what, pick, other }: Step): Promise<void> => {
    const device = devices[index] as TestDevice;
    const service = device.contextService;
    const tasks = (await Promise.all(milestones.map((id) => service.getTasks(id))))
      .flat()
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const task = tasks[pick % Math.max(tasks.length, 1)];
    const mate = tasks[other % Math.max(tasks.length, 1)];
    const milestone_id = milestones[pick % 2] as string;
    count += 1;
    const text = `d${index}-${count}`;
    if (what === 'create') await service.createTask({ milestone_id, title: text });
    else if (what === 'lose push') device.transport.loseNextResponse('push');
    else if (what === 'lose pull') device.transport.loseNextResponse('pull');
    else if (what === 'restart') devices[index] = await device.restart();
    else if (!task || !mate) return;
    else if (what === 'subtask')
      await service.createTask({ milestone_id, title: text, parent_task_id: task.id });
    else if (what === 'title') {
      await service.updateTask(task.id, { title: text });
      latest.set(task.id, text);
    } else if (what === 'text') await service.updateTask(task.id, { description: `one\ntwo ${text}\nthree` });
    else if (what === 'status') {
      await service.updateTask(task.id, { status: other % 2 ? 'blocked' : 'in_progress' });
    } else if (what === 'stage')
      await service.updateTaskStage(task.id, other % 2 ? 'IMPLEMENT' : 'PLAN_REVIEW');
    else if (what === 'move')
      await service.updateTask(task.id, { parent_task_id: other % 3 ? mate.id : null });
    else if (what === 'delete') await service.deleteTask(task.id);
    else if (what === 'link') await service.addTaskDependency(task.id, mate.id);
    else if (what === 'unlink') {
      const context = await service.getTaskContext(task.id);
      const [needed] = context?.dependencies ?? [];
      if (needed) await service.removeTaskDependency(task.id, needed.id);
    } else if (what === 'comment') await service.addTaskActivity(task.id, 'comment', { text });
  };

  let syncing: Promise<unknown> = Promise.resolve();
  for (const next of steps) {
    const device = devices[next.device] as TestDevice;
    if (next.what === 'sync') await device.sync();
    else if (next.what === 'sync meanwhile') {
      device.transport.delayNext('push', next.pick % 30).delayNext('pull', next.other % 30);
      syncing = device.sync();
    } else {
      await work(next).catch((error: { code?: string }) => {
        if (!['cycle', 'duplicate', 'not_found'].includes(error.code ?? '')) throw error;
      });
      await new Promise((resolve) => setTimeout(resolve, next.pick % 8));
    }
  }
  await syncing;

  for (let round = 0; round < 4; round += 1) for (const device of devices) await device.sync();
  for (const device of devices) {
    const result = await device.sync();
    expect(result).toMatchObject({ status: 'ok', pushed: 0, pulled: 0, error: null });
    expect(device.syncStatus.pending).toBe(0);
    expect(await deviceSnapshot(device.database)).toEqual(
      await serverSnapshot(world.stack.backend, device.userId),
    );
  }
  await expectNoLoss(devices[0] as Device, latest);
  for (const device of devices) await device.close();
}

/** The latest title of a task stands (the later edit wins), unless the task was deleted. */
async function expectNoLoss(device: Device, latest: ReadonlyMap<string, string>): Promise<void> {
  for (const [taskId, title] of latest) {
    const alive = await device.contextService.getLocalTask(taskId);
    if (alive) expect(alive.title).toBe(title);
  }
}
