import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { taskTree } from '@/web/tasks/taskTree';

const task = (id: string, parent_task_id: string | null = null) => ({ id, parent_task_id });
const shape = (tasks: ReturnType<typeof task>[]) =>
  taskTree(tasks).map((row) => `${row.depth}${row.task.id}`);

describe('the order of the task list', () => {
  it('puts subtasks under their parent, each level in the given order', () => {
    const tasks = [task('a'), task('x', 'a1'), task('a1', 'a'), task('b'), task('a2', 'a')];
    expect(shape(tasks)).toEqual(['0a', '1a1', '2x', '1a2', '0b']);
  });

  it('shows a subtask at the top when its parent is elsewhere', () => {
    expect(shape([task('a', 'elsewhere')])).toEqual(['0a']);
  });

  it('shows every task exactly once, circles included', () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const parents = fc.array(fc.option(fc.constantFrom(...ids, 'elsewhere')), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(parents, (of) => {
        const rows = taskTree(ids.map((id, index) => task(id, of[index] ?? null)));
        expect(rows.map((row) => row.task.id).sort()).toEqual(ids);
      }),
    );
  });
});
