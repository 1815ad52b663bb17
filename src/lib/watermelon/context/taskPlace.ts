/** Where a task may stand, and what it may depend on: checked locally from what is known here. */

import { ConvoyError, type ValidationError } from '@/core/errors';
import type { Task, TaskDependency } from '@/domain/entities';
import type { RecordValues } from '@/domain/validation';
import type { ConvoyModel } from '../models';
import { Q } from '../models/watermelondb';
import type { LocalStore } from './localStore';
import { noSuch } from './localWrites';

const cycle = (field: string, message: string): ValidationError => ({
  kind: 'validation',
  code: 'cycle',
  field,
  message,
});

/**
 * Checks the milestone and parent task that are being set.
 * @param self the task being changed, or null for a new one
 * @returns the same columns with the ids the records have here
 */
export async function checkPlace(
  store: LocalStore,
  values: RecordValues,
  workspaceId: string,
  self: string | null,
): Promise<RecordValues> {
  const place: RecordValues = {};
  for (const [column, table] of [
    ['milestone_id', 'milestones'],
    ['parent_task_id', 'tasks'],
  ] as const) {
    const id = values[column];
    if (typeof id !== 'string') continue;
    const record = await store.record(table, id);
    if (!record || record.workspaceId !== workspaceId) throw noSuch(table, column);
    place[column] = record.id;
  }
  const parent = place.parent_task_id;
  if (self !== null && typeof parent === 'string' && (await isWithin(store, parent, self))) {
    throw new ConvoyError(
      cycle(
        'parent_task_id',
        'A task cannot stand under itself or one of its subtasks. Choose another parent.',
      ),
    );
  }
  return place;
}

/** @returns whether `id` is `ancestor` or stands under it. */
async function isWithin(store: LocalStore, id: string, ancestor: string): Promise<boolean> {
  const seen = new Set<string>();
  for (let at: string | null = id; at !== null && !seen.has(at); ) {
    if (at === ancestor) return true;
    seen.add(at);
    at = (await store.find<Task>('tasks', at))?.parent_task_id ?? null;
  }
  return false;
}

/** @returns why `taskId` cannot depend on `dependsOnId`, or null when it can. */
export async function dependencyProblem(
  store: LocalStore,
  taskId: string,
  dependsOnId: string,
): Promise<ValidationError | null> {
  const field = 'depends_on_task_id';
  if (taskId === dependsOnId) return cycle(field, 'A task cannot depend on itself. Choose another task.');
  const links = (ids: string[]) =>
    store.query<TaskDependency>('task_dependencies', Q.where('task_id', Q.oneOf(ids)));
  const own = await links([taskId]);
  if (own.some((link) => link.depends_on_task_id === dependsOnId)) {
    return { kind: 'validation', code: 'duplicate', field, message: 'The task depends on that one already.' };
  }
  const seen = new Set([dependsOnId]);
  for (let frontier = [dependsOnId]; frontier.length > 0; ) {
    const next = (await links(frontier)).map((link) => link.depends_on_task_id);
    if (next.includes(taskId)) {
      return cycle(
        field,
        'That task already waits for this one, directly or through others. Remove one of them.',
      );
    }
    frontier = [...new Set(next)].filter((id) => !seen.has(id));
    for (const id of frontier) seen.add(id);
  }
  return null;
}

/** @returns the subtasks, at any depth, that follow a task which moves to another milestone: those that stand where it does. */
export async function followersOf(store: LocalStore, task: Task): Promise<ConvoyModel[]> {
  const followers: ConvoyModel[] = [];
  const seen = new Set([task.id]);
  for (let frontier = [task.id]; frontier.length > 0; ) {
    const found = await store.database
      .records('tasks')
      .query(Q.where('parent_task_id', Q.oneOf(frontier)), Q.where('milestone_id', task.milestone_id))
      .fetch();
    const fresh = found.filter(({ id }) => !seen.has(id));
    for (const { id } of fresh) seen.add(id);
    followers.push(...fresh);
    frontier = fresh.map(({ id }) => id);
  }
  return followers;
}
