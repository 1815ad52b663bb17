import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_LIMITS } from '@/domain/contextLimits';
import type { TaskContext } from '@/domain/entities';
import type { LocalFirst } from '@/lib/watermelon/context/localFirst';
import { MissingParts } from '@/lib/watermelon/context/missingParts';

const LISTS = {
  activities: [],
  subtasks: [],
  dependencies: [],
  patterns: [],
  best_practices: [],
};
const contextWith = (name: string | null) =>
  ({
    task: { id: 'a task' },
    parent_task: null,
    workspace: null,
    milestone: null,
    project: null,
    workflow: name && { id: 'a workflow', name, description: '', stages: [] },
    ...LISTS,
    left_out: {},
    missing: name ? [] : ['workflow'],
  }) as unknown as TaskContext;

describe('parts of a context that are not here', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  /** @returns how to read the context, and how often the server was asked and a sync requested */
  function reader(answers: (() => Promise<TaskContext | null>)[]) {
    const counts = { asked: 0, syncs: 0 };
    const parts = new MissingParts({
      remote: {
        getTaskContext: () => {
          counts.asked += 1;
          return (answers.shift() as () => Promise<TaskContext | null>)();
        },
      },
      isOnline: () => true,
      requestSync: () => {
        counts.syncs += 1;
      },
    } as unknown as LocalFirst);
    const read = async () => {
      const { workflow } = parts.complete(contextWith(null), DEFAULT_LIMITS);
      await new Promise((resolve) => setImmediate(resolve));
      return workflow?.name ?? null;
    };
    return { read, counts };
  }
  const named = (name: string) => async () => contextWith(name);

  it('are asked for again after a minute, and until then the answer stands (D50)', async () => {
    const { read, counts } = reader([named('first'), named('second')]);
    expect([await read(), await read()]).toEqual([null, 'first']);
    vi.advanceTimersByTime(59_999);
    expect(await read()).toBe('first');
    expect(counts.asked).toBe(1);
    vi.advanceTimersByTime(1);
    expect([await read(), await read()]).toEqual(['first', 'second']);
    expect(counts).toEqual({ asked: 2, syncs: 1 });
  });

  it('are asked for with the next read where the server was not reached (D50)', async () => {
    const { read, counts } = reader([() => Promise.reject(new Error('offline')), named('first')]);
    expect([await read(), await read(), await read()]).toEqual([null, null, 'first']);
    expect(counts).toEqual({ asked: 2, syncs: 1 });
  });
});
