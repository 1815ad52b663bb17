import type { Task } from '@/domain/entities';

export interface TreeRow<T> {
  task: T;
  /** 0 for a task without a parent in the list. */
  depth: number;
}

/**
 * Tasks in the order in which they are given, each followed by its subtasks. A task whose parent is not in the list becomes a root, and
 * so does the first task of a cycle, which imported data may contain.
 */
export function taskTree<T extends Pick<Task, 'id' | 'parent_task_id'>>(tasks: readonly T[]): TreeRow<T>[] {
  const ids = new Set(tasks.map(({ id }) => id));
  const children = new Map<string | null, T[]>();
  for (const task of tasks) {
    const parent = task.parent_task_id !== null && ids.has(task.parent_task_id) ? task.parent_task_id : null;
    const siblings = children.get(parent);
    if (siblings) siblings.push(task);
    else children.set(parent, [task]);
  }
  const roots = children.get(null) ?? [];
  // Nearly all lists of thousands are flat.
  if (roots.length === tasks.length) return roots.map((task) => ({ task, depth: 0 }));
  const rows: TreeRow<T>[] = [];
  const seen = new Set<string>();
  const add = (task: T, depth: number) => {
    if (seen.has(task.id)) return;
    seen.add(task.id);
    rows.push({ task, depth });
    for (const child of children.get(task.id) ?? []) add(child, depth + 1);
  };
  for (const task of roots) add(task, 0);
  if (rows.length < tasks.length) for (const task of tasks) add(task, 0);
  return rows;
}
