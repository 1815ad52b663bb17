import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  CONTEXT_PARTS,
  DEFAULT_LIMITS,
  type FullLimits,
  MOST_BYTES,
  MOST_ITEMS,
} from '@/domain/contextLimits';
import type { ContextService } from '@/domain/contextService';
import type { Task } from '@/domain/entities';
import { PART_TABLES, SINGLE_TABLES, textBytes } from '@/domain/taskContext';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { CROWD, crowd, lonelyTask } from '../../support/crowdedTask';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
let device: TestDevice;
let remote: ContextService;
let task: Task;

beforeAll(async () => {
  world = await World.start();
  device = await world.device('owner');
  await settle(device);
  task = await lonelyTask(device.contextService);
  await settle(device);
  await crowd(world.stack.backend, task);
  await settle(device);
  remote = createRemoteContextService({ client: device.client });
});
afterAll(() => world?.close());
afterEach(() => vi.restoreAllMocks());

/** Reads the context. @returns it, and the rows and the bytes of text that left the storage for it */
async function measured(limits?: Parameters<ContextService['getTaskContext']>[1]) {
  const reading = vi.spyOn(device.database, 'readAll');
  const context = await device.contextService.getTaskContext(task.id, limits);
  const answers = await Promise.all(reading.mock.results.map(({ value }) => value as Promise<unknown[][][]>));
  const rows = answers.flat(2);
  const texts = rows.flat().filter((cell) => typeof cell === 'string');
  return { context, rows: rows.length, bytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) };
}

/** Rows hold ids and other short texts that no limit counts. */
const UNCOUNTED = 400;

const partLimits = fc.record({
  items: fc.integer({ min: 0, max: 400 }),
  bytes: fc.oneof(fc.nat(20_000), fc.nat(1_000_000)),
});
const anyLimits: fc.Arbitrary<FullLimits> = fc.record({
  subtasks: partLimits,
  dependencies: partLimits,
  activities: partLimits,
  patterns: partLimits,
  best_practices: partLimits,
  bytes: fc.oneof(fc.nat(30_000), fc.nat(1_000_000)),
});

describe('the context of a task with 12 MB around it', () => {
  it('reads as many rows and bytes as it may return, whatever there is', async () => {
    const { context, rows, bytes } = await measured();
    const { subtasks, activities, patterns, best_practices } = DEFAULT_LIMITS;
    const most = subtasks.items + activities.items + best_practices.items;
    expect(context?.left_out.patterns).toEqual({ all: CROWD.patterns, because: 'bytes' });
    expect(rows).toBeLessThan(most + Math.floor(patterns.bytes / CROWD.patternBytes) + 10);
    expect(bytes).toBeLessThan(patterns.bytes + 64 * 1024 + rows * UNCOUNTED);
  });

  it('reads no more than the whole may hold, though its lists may hold more', async () => {
    const whole = 150_000;
    const { context, rows, bytes } = await measured({ bytes: whole });
    expect(context?.patterns).toHaveLength(2);
    expect(bytes).toBeLessThan(whole + rows * UNCOUNTED);
  });

  it('reads nothing of a list of which nothing is asked for, and still counts it', async () => {
    const none = { items: 0 };
    const limits = { subtasks: none, activities: none, patterns: none, best_practices: none };
    const { context, rows } = await measured(limits);
    // The task, its milestone, project, workspace and workflow, and the counts: once to find lists beyond their limits.
    expect(rows).toBe(2 * 6);
    expect(context?.left_out.subtasks).toEqual({ all: CROWD.subtasks, because: 'items' });
  });

  it.each([{}, { bytes: 30_000 }])(
    'looks at no knowledge of other projects, with limits %o',
    async (limits) => {
      const reading = vi.spyOn(device.database, 'readAll');
      await device.contextService.getTaskContext(task.id, limits);
      const queries = reading.mock.calls.flatMap(([asked]) => asked);
      const explained = queries.map(({ sql, args }) => ({ sql: `explain query plan ${sql}`, args }));
      const steps = (await device.database.readAll(explained)).flat().map((row) => String(row.at(-1)));
      const lookUps = steps.filter((step) => /^(SEARCH|SCAN) (patterns|best_practices) /.test(step));
      expect(lookUps.length).toBeGreaterThan(0);
      expect(
        lookUps.filter((step) => !/\(workspace_id=\? AND project_id=\?\)|\(rowid=\?\)/.test(step)),
      ).toEqual([]);
    },
  );

  it('is the same from the device and from the server, within any limits', async () => {
    const property = fc.asyncProperty(anyLimits, async (limits) => {
      const here = await device.contextService.getTaskContext(task.id, limits);
      expect(here).toEqual(await remote.getTaskContext(task.id, limits));
    });
    await fc.assert(property, { numRuns: 25 });
  });

  it('observeTaskContext keeps to its limits, and fails with limits that are none', async () => {
    const watch = (items: number) =>
      new Promise((resolve) => {
        const subscription = device.contextService
          .observeTaskContext(task.id, { subtasks: { items } })
          .subscribe({ next: (context) => resolve(context?.subtasks.length), error: resolve });
        void Promise.resolve().then(() => setTimeout(() => subscription.unsubscribe(), 5_000));
      });
    expect(await watch(7)).toBe(7);
    expect(await watch(-7)).toMatchObject({ code: 'bad_value' });
  });
});

it('an earlier release, which knows no limits, is given the whole context (U19)', async () => {
  const { data, error } = await device.client.rpc('get_task_context', { task_id: task.id });
  expect(error).toBeNull();
  const { patterns, subtasks } = data as { patterns: unknown[]; subtasks: unknown[] };
  expect([patterns.length, subtasks.length]).toEqual([CROWD.patterns, CROWD.subtasks]);
});

describe('a context that the server completes', () => {
  it('is within its limits, and says of each list what is left out where it came from', async () => {
    const { milestone_id } = task;
    await device.database.write(async () => {
      const milestone = await device.database.records('milestones').find(milestone_id);
      await milestone.destroyPermanently();
    });
    const most = { items: MOST_ITEMS, bytes: MOST_BYTES };
    const bytes = 300_000;
    const limits = { subtasks: { items: 10 }, patterns: most, bytes };
    const read = () => device.contextService.getTaskContext(task.id, limits);
    await expect.poll(read).toMatchObject({ missing: [] });
    const context = await read();
    if (!context) throw new Error('The task is not there.');
    expect(context.milestone?.id).toBe(milestone_id);
    expect(context.patterns.length).toBeGreaterThan(2);
    expect(context.left_out).toMatchObject({
      subtasks: { all: CROWD.subtasks, because: 'items' },
      patterns: { all: CROWD.patterns, because: 'bytes' },
    });
    const singles = Object.entries(SINGLE_TABLES) as [keyof typeof SINGLE_TABLES, 'tasks'][];
    const sizes = [
      ...singles.map(([name, table]) => textBytes(table, context[name])),
      ...CONTEXT_PARTS.flatMap((part) =>
        (context[part] as object[]).map((item) => textBytes(PART_TABLES[part], item)),
      ),
    ];
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(bytes);
  });
});
