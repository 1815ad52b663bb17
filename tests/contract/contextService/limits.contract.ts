import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import {
  CONTEXT_PARTS,
  type ContextLimits,
  type ContextPart,
  DEFAULT_LIMITS,
  type FullLimits,
  MOST_BYTES,
  MOST_ITEMS,
} from '@/domain/contextLimits';
import type { BestPractice, Pattern, Task, TaskContext } from '@/domain/entities';
import { PART_TABLES, SINGLE_TABLES, textBytes } from '@/domain/taskContext';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { CROWD, crowd, lonelyTask } from '../../support/crowdedTask';
import { SEED } from '../../support/seed';
import { expectError, type Section, UNKNOWN_ID, validation } from './world';

const MOST = { items: MOST_ITEMS, bytes: MOST_BYTES };
const UNLIMITED: FullLimits = {
  subtasks: MOST,
  dependencies: MOST,
  activities: MOST,
  patterns: MOST,
  best_practices: MOST,
  bytes: MOST_BYTES,
};

/** The items of a part in the stated order, and what each takes. */
function inOrder(whole: TaskContext, part: ContextPart): { id: string; bytes: number }[] {
  const rank = (item: Task | Pattern | BestPractice) => {
    if ('sort_order' in item) return ['done', 'cancelled'].indexOf(item.status) < 0 ? 0 : 1;
    if (item.workspace_id === GLOBAL_SCOPE_ID) return 2;
    return item.project_id === null ? 1 : 0;
  };
  const items =
    part === 'activities'
      ? whole.activities
      : [0, 1, 2].flatMap((wanted) => whole[part].filter((item) => rank(item) === wanted));
  return items.map((item) => ({ id: item.id, bytes: textBytes(PART_TABLES[part], item) }));
}

/** What a context within limits has of the whole one: ids by part, and what is left out. */
function expected(whole: TaskContext, limits: FullLimits) {
  const singles = Object.entries(SINGLE_TABLES) as [keyof typeof SINGLE_TABLES, 'tasks'][];
  let used = singles.reduce((sum, [name, table]) => sum + textBytes(table, whole[name]), 0);
  let isFull = false;
  const left_out: TaskContext['left_out'] = {};
  const ids: Partial<Record<ContextPart, Set<string>>> = {};
  for (const part of CONTEXT_PARTS) {
    const order = inOrder(whole, part);
    const kept = new Set<string>();
    let bytes = 0;
    for (const item of order) {
      const isOver = bytes + item.bytes > limits[part].bytes;
      if (kept.size === limits[part].items || isOver) break;
      isFull ||= used + item.bytes > limits.bytes;
      if (isFull) break;
      kept.add(item.id);
      bytes += item.bytes;
      used += item.bytes;
    }
    ids[part] = kept;
    if (kept.size < order.length) {
      const because = kept.size === limits[part].items ? 'items' : 'bytes';
      left_out[part] = { all: order.length, because };
    }
  }
  return { ids, left_out };
}

function expectWithin(context: TaskContext, whole: TaskContext, limits: FullLimits): void {
  const { ids, left_out } = expected(whole, limits);
  const lists = CONTEXT_PARTS.map((part) => [
    part,
    (whole[part] as { id: string }[]).filter(({ id }) => ids[part]?.has(id)),
  ]);
  expect(context).toEqual({ ...whole, ...Object.fromEntries(lists), left_out });
}

const partLimits = fc.record({ items: fc.nat(14), bytes: fc.nat(3_000) });
const anyLimits: fc.Arbitrary<FullLimits> = fc.record({
  subtasks: partLimits,
  dependencies: partLimits,
  activities: partLimits,
  patterns: partLimits,
  best_practices: partLimits,
  bytes: fc.oneof(fc.integer({ min: 0, max: 12_000 }), fc.constant(MOST_BYTES)),
});

export const limitsContract: Section = (world) => {
  it('leaves nothing out of the context of the usual task', async () => {
    const { owner, task } = world();
    const context = await owner.getTaskContext((await task()).id);
    expect(context?.left_out).toEqual({});
    const busy = await owner.getTaskContext(SEED.busyTask);
    expect(Object.keys(busy?.left_out ?? {})).toEqual(['activities']);
    expect(busy?.left_out.activities?.because).toBe('items');
  });

  it('refuses limits that are none, before anything else', async () => {
    const { owner } = world();
    const read = (limits: unknown) => owner.getTaskContext(UNKNOWN_ID, limits as ContextLimits);
    for (const value of [-1, 1.5, Number.NaN, '5', null, MOST_ITEMS + 1]) {
      await expectError(read({ subtasks: { items: value } }), validation('bad_value', 'subtasks.items'));
    }
    await expectError(
      read({ patterns: { bytes: MOST_BYTES + 1 } }),
      validation('bad_value', 'patterns.bytes'),
    );
    await expectError(read({ bytes: -1 }), validation('bad_value', 'bytes'));
    await expectError(read({ activities: 5 }), validation('bad_value', 'activities'));
    await expectError(read([]), validation('bad_value', 'limits'));
    await expectError(read({ milestones: {} }), validation('unknown_field', 'milestones'));
    await expectError(read({ patterns: { rows: 1 } }), validation('unknown_field', 'patterns.rows'));
    expect(await read({ bytes: undefined, patterns: { items: undefined } })).toBeNull();
  });

  describe('of a task with a little of everything', () => {
    let id: string;
    let whole: TaskContext;

    beforeAll(async () => {
      const { owner, editor, settle } = world();
      const milestone_id = SEED.offlineMilestone;
      id = (await owner.createTask({ milestone_id, title: 'Varied', description: 'é'.repeat(200) })).id;
      const statuses = ['done', 'todo', 'cancelled', 'in_progress', 'blocked'] as const;
      for (let n = 0; n < 10; n += 1) {
        const status = statuses[n % 5];
        const description = n % 3 === 0 ? null : '\u{1f600}"\n'.repeat(10 * n);
        const values = { milestone_id, status, description };
        await owner.createTask({
          ...values,
          title: `Sub ${n}`,
          parent_task_id: id,
          sort_order: (n * 7) % 10,
        });
        const needed = await owner.createTask({
          ...values,
          title: `${[...'bBéZ\uff21\u{1f600}'][n % 6]} needed`,
        });
        if (n < 7) await owner.addTaskDependency(id, needed.id);
      }
      const contents: Json[] = [
        {},
        [],
        'text',
        1e-7,
        { a: [1, 2.5, 1e21, -3e-9], ключ: '\u0001"' },
        [[], {}, [true]],
      ];
      for (const [n, content] of contents.entries()) {
        const project_id = n % 2 === 0 ? SEED.fieldApp : null;
        await editor.createPattern({
          workspace_id: SEED.workspace,
          project_id,
          name: `Limit ${6 - n}`,
          content,
        });
        await owner.addTaskActivity(id, 'comment', { text: 'ü'.repeat(100 * n), content });
      }
      await settle();
      const read = await owner.getTaskContext(id, UNLIMITED);
      if (!read) throw new Error('The task is not there.');
      whole = read;
    });

    it('with the widest limits it is whole', () => {
      expect(whole.left_out).toEqual({});
      expect(whole.subtasks).toHaveLength(10);
      expect(whole.dependencies).toHaveLength(7);
      expect(whole.activities).toHaveLength(14);
    });

    it('takes what the limits allow in the stated order, and counts what it leaves out', async () => {
      const { owner } = world();
      const property = fc.asyncProperty(anyLimits, async (limits) => {
        const context = await owner.getTaskContext(id, limits);
        if (!context) throw new Error('The task is not there.');
        expectWithin(context, whole, limits);
      });
      const none = { items: 0, bytes: 0 };
      const tight: FullLimits = {
        subtasks: none,
        dependencies: none,
        activities: { items: 4, bytes: 2_987 },
        patterns: { items: 1, bytes: 91 },
        best_practices: none,
        bytes: 4_936,
      };
      await fc.assert(property, { numRuns: 60, examples: [[tight]] });
    });

    it('takes open tasks before closed ones, and what is nearest to the task first', async () => {
      const limits = { subtasks: { items: 6 }, patterns: { items: 4 }, best_practices: { items: 1 } };
      const context = await world().owner.getTaskContext(id, limits);
      expect(context?.subtasks.every(({ status }) => status !== 'done' && status !== 'cancelled')).toBe(true);
      expect(context?.patterns.every(({ project_id }) => project_id === SEED.fieldApp)).toBe(true);
      expect(context?.best_practices[0]?.workspace_id).toBe(SEED.workspace);
    });

    it('counts bytes to the last one', async () => {
      const { owner } = world();
      const first = inOrder(whole, 'patterns')[0];
      if (!first) throw new Error('There are no patterns.');
      const fits = await owner.getTaskContext(id, { patterns: { bytes: first.bytes } });
      expect(fits?.patterns.map((pattern) => pattern.id)).toContain(first.id);
      const tooLarge = await owner.getTaskContext(id, { patterns: { bytes: first.bytes - 1 } });
      expect(tooLarge?.patterns).toEqual([]);
      expect(tooLarge?.left_out.patterns).toEqual({ all: whole.patterns.length, because: 'bytes' });
    });

    it('keeps the single records, however little is asked for', async () => {
      const context = await world().owner.getTaskContext(id, { bytes: 0 });
      const { task, milestone, project, workspace, workflow } = whole;
      expect(context).toMatchObject({ task, milestone, project, workspace, workflow, missing: [] });
      expect(CONTEXT_PARTS.filter((part) => (context?.[part].length ?? 0) > 0)).toEqual([]);
    });
  });

  describe('of a task with 204 patterns of 60 KB and 300 subtasks', () => {
    let id: string;

    beforeAll(async () => {
      const { owner, backend, settle } = world();
      const task = await lonelyTask(owner);
      await settle();
      await crowd(backend, task);
      await settle();
      id = task.id;
    });

    it('is within its bounds', async () => {
      const context = await world().owner.getTaskContext(id);
      const { subtasks, activities, patterns } = context as TaskContext;
      expect(subtasks).toHaveLength(DEFAULT_LIMITS.subtasks.items);
      expect(subtasks.filter(({ status }) => status === 'todo')).toHaveLength(CROWD.subtasks - CROWD.done);
      expect(activities).toHaveLength(DEFAULT_LIMITS.activities.items);
      expect(patterns).toHaveLength(Math.floor(DEFAULT_LIMITS.patterns.bytes / CROWD.patternBytes));
      expect(patterns.every(({ project_id }) => project_id !== null)).toBe(true);
      expect(context?.left_out).toEqual({
        subtasks: { all: CROWD.subtasks, because: 'items' },
        // With the one that tells of its making.
        activities: { all: CROWD.activities + 1, because: 'items' },
        patterns: { all: CROWD.patterns, because: 'bytes' },
      });
      // Ids and times come on top of what is counted.
      expect(Buffer.byteLength(JSON.stringify(context))).toBeLessThan(512 * 1024);
    });

    it('is whole for whoever asks for all of it', async () => {
      const context = await world().owner.getTaskContext(id, UNLIMITED);
      expect(context?.patterns).toHaveLength(CROWD.patterns);
      expect(context?.subtasks).toHaveLength(CROWD.subtasks);
      expect(context?.left_out).toEqual({});
    });
  });
};
