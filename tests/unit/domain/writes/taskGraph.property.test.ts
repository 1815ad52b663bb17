import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { followersOf, isWithin, waitsFor } from '@/domain/writes/taskGraph';
import { contextOf, task, uuid } from './planning';

const SIZE = 8;
const index = fc.nat({ max: SIZE - 1 });
/** A parent and one of two milestones for each task; parents may form cycles, as two devices can make them. */
const forest = fc.array(fc.record({ parent: fc.option(index), milestone: fc.nat({ max: 1 }) }), {
  minLength: SIZE,
  maxLength: SIZE,
});

const tasksOf = (nodes: readonly { parent: number | null; milestone: number }[]) =>
  nodes.map(({ parent, milestone }, n) =>
    task(n, {
      parent_task_id: parent === null ? null : uuid(parent),
      milestone_id: uuid(100 + milestone),
    }),
  );

function graphOf(memory: Parameters<typeof contextOf>[0]) {
  const { graph } = contextOf(memory);
  if (!graph) throw new Error('The context has no graph.');
  return graph;
}

describe('the graph of tasks', () => {
  it('knows ancestors at any depth, and ends where parents form a cycle', async () => {
    await fc.assert(
      fc.asyncProperty(forest, index, index, async (nodes, low, high) => {
        const above = new Set<number>();
        for (let at: number | null = low; at !== null && !above.has(at); at = nodes[at]?.parent ?? null) {
          above.add(at);
        }
        const graph = graphOf({ records: { tasks: tasksOf(nodes) } });
        expect(await isWithin(graph, uuid(low), uuid(high))).toBe(above.has(high));
      }),
    );
  });

  it('without a graph knows only that a task is itself', async () => {
    expect(await isWithin(undefined, uuid(1), uuid(1))).toBe(true);
    expect(await isWithin(undefined, uuid(1), uuid(2))).toBe(false);
  });

  it('moves along exactly the subtasks that reach the task through its own milestone (U29)', async () => {
    await fc.assert(
      fc.asyncProperty(forest, index, async (nodes, root) => {
        const tasks = tasksOf(nodes);
        const moved = tasks[root];
        if (!moved) throw new Error('The index is out of range.');
        // Repeats one step until nothing more follows: slower than the walk, and plainly right.
        const expected = new Set<string>();
        for (let before = -1; before !== expected.size; ) {
          before = expected.size;
          for (const { id, parent_task_id: parent, milestone_id } of tasks) {
            const isUnder = parent === moved.id || (parent !== null && expected.has(parent));
            if (isUnder && id !== moved.id && milestone_id === moved.milestone_id) expected.add(id);
          }
        }
        const followers = await followersOf(graphOf({ records: { tasks } }), moved);
        expect(followers.sort()).toEqual([...expected].sort());
      }),
    );
  });

  it('knows what a task waits for through others, and ends where dependencies form a cycle', async () => {
    const links = fc.array(fc.tuple(index, index), { maxLength: 16 });
    await fc.assert(
      fc.asyncProperty(links, index, index, async (pairs, from, to) => {
        fc.pre(from !== to);
        const reaches: boolean[][] = Array.from({ length: SIZE }, (_, one) =>
          Array.from({ length: SIZE }, (_other, other) => pairs.some(([a, b]) => a === one && b === other)),
        );
        for (let via = 0; via < SIZE; via += 1)
          for (const row of reaches)
            for (let end = 0; end < SIZE; end += 1) row[end] ||= (row[via] && reaches[via]?.[end]) ?? false;
        const dependencies = pairs.map(([a, b]) => [uuid(a), uuid(b)] as const);
        const graph = graphOf({ records: {}, dependencies });
        expect(await waitsFor(graph, uuid(from), uuid(to))).toBe(reaches[from]?.[to]);
      }),
    );
  });
});
