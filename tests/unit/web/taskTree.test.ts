import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { taskTree } from '@/web/tasks/taskTree';

const task = (id: string, parent_task_id: string | null = null, sort_order = 0) => ({
  id,
  parent_task_id,
  sort_order,
});
const shape = (tasks: ReturnType<typeof task>[]) =>
  taskTree(tasks).map((row) => `${row.depth}${row.task.id}`);

describe('the order of the task list', () => {
  it('puts subtasks under their parent, each level by sort order', () => {
    const tasks = [
      task('b', null, 2),
      task('a2', 'a', 9),
      task('a', null, 1),
      task('a1', 'a', 3),
      task('x', 'a1'),
    ];
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
        const rows = taskTree(ids.map((id, index) => task(id, of[index] ?? null, index)));
        expect(rows.map((row) => row.task.id).sort()).toEqual(ids);
      }),
    );
  });
});
