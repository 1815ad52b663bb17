/**
 * The activities that writes imply. An activity is written in one group with the change it describes; its
 * actor is always the caller (R6).
 */

import type { Json } from '@/core/protocol';
import { changedColumns } from './changes';
import type { Task } from './entities';
import { asDetails } from './entries';
import { columnsOf, type SyncedTable } from './schema';

/** A new row of `activity_feed`, before validation and stamps. */
export interface ActivityDraft {
  task_id: string | null;
  entity_type: string | null;
  entity_id: string | null;
  activity_type: string;
  details: Json;
}

/** The types that Convoy writes itself; the server takes each only together with the change that it tells of (U30). */
export const RESERVED_ACTIVITIES = [
  'task_created',
  'task_updated',
  'task_deleted',
  'stage_changed',
  'dependency_added',
  'dependency_removed',
  'conflict_settled',
  'review_approved',
  'review_returned',
  'agent_ended',
] as const;
type ReservedActivity = (typeof RESERVED_ACTIVITIES)[number];

export function isReserved(activityType: unknown): activityType is ReservedActivity {
  return RESERVED_ACTIVITIES.some((reserved) => reserved === activityType);
}

/** They tell of the move that a person made of a task under review. */
const SETTLED_REVIEWS = ['review_approved', 'review_returned'] as const;
const isOfStage = (column: string) => column === 'current_stage' || column === 'status';

/** @returns whether an activity tells of a move of its task, and so of nothing where the move is lost (U21). */
export function tellsOfMove(activityType: unknown): boolean {
  return activityType === 'stage_changed' || SETTLED_REVIEWS.some((type) => type === activityType);
}

/** A change of a group, as far as activities tell of it. */
export interface ToldChange {
  table: SyncedTable;
  op: 'insert' | 'update' | 'delete';
  id: string;
  /** The tasks of a dependency. */
  taskId?: unknown;
  dependsOnId?: unknown;
  /** The columns of an update. */
  columns?: readonly string[];
}

/** @returns what activities may tell of a change, in the form of `toldBy`. */
export function tales({ table, op, id, taskId, dependsOnId, columns = [] }: ToldChange): string[] {
  const types: ReservedActivity[] = [];
  if (table === 'tasks' && op === 'insert')
    types.push('task_created', 'stage_changed', 'task_updated', ...SETTLED_REVIEWS);
  if (table === 'tasks' && op === 'delete') types.push('task_deleted');
  if (table === 'tasks' && op === 'update') types.push('task_updated');
  if (table === 'tasks' && op === 'update' && columns.includes('current_stage')) types.push('stage_changed');
  if (table === 'tasks' && op === 'update' && columns.some(isOfStage)) types.push(...SETTLED_REVIEWS);
  if (table === 'task_dependencies' && op === 'insert') types.push('dependency_added');
  if (table === 'task_dependencies' && op === 'delete') types.push('dependency_removed');
  const subject = table === 'task_dependencies' ? `${taskId} ${dependsOnId}` : id;
  return types.map((type) => `${type} ${subject}`);
}

/** @returns what an activity of Convoy's own tells; null for other activities, and for settled conflicts, which may have changed nothing. */
export function toldBy(activity: Readonly<Record<string, unknown>>): string | null {
  const { activity_type, task_id, entity_id } = activity;
  if (!isReserved(activity_type) || activity_type === 'conflict_settled') return null;
  // A task may have got other dependencies too, while this one, and the task that it names, came to nothing.
  if (activity_type === 'dependency_added' || activity_type === 'dependency_removed') {
    return `${activity_type} ${task_id} ${neededIn(activity)}`;
  }
  return `${activity_type} ${activity_type === 'task_deleted' ? entity_id : task_id}`;
}

/** @returns id of the task that an activity about a dependency names; `details` is JSON text */
export function neededIn({ details }: Readonly<Record<string, unknown>>): unknown {
  const { depends_on_task_id } = JSON.parse(String(details ?? '{}')) as { depends_on_task_id?: unknown };
  return depends_on_task_id;
}

/** @returns whether an activity of Convoy's own tells of an update of these columns of its record; `details` is JSON text. */
export function tells(activity: Readonly<Record<string, unknown>>, columns: readonly string[]): boolean {
  if (activity.activity_type === 'stage_changed') return columns.includes('current_stage');
  if (SETTLED_REVIEWS.some((type) => type === activity.activity_type)) return columns.some(isOfStage);
  const { fields } = JSON.parse(String(activity.details ?? '{}')) as { fields?: unknown };
  return !Array.isArray(fields) || fields.some((field) => columns.includes(field));
}

function onTask(taskId: string, activity_type: string, details: Json): ActivityDraft {
  return { task_id: taskId, entity_type: null, entity_id: null, activity_type, details };
}

/**
 * @returns whether an entry of the feed says nothing but that a change was made: an entry of Convoy's own, without a reason that
 * somebody gave, and without the values of a settled conflict. Where its change came to nothing, nothing is lost with it.
 * @param details as JSON text
 */
export function isBookkeeping(activityType: unknown, details: unknown): boolean {
  if (!isReserved(activityType) || activityType === 'conflict_settled') return false;
  const { reason } = asDetails(JSON.parse(String(details ?? '{}')) as Json);
  return typeof reason !== 'string' || reason.trim() === '';
}

/** A comment, or another activity that the caller adds explicitly. */
export function written(taskId: string, activityType: string, details: Json): ActivityDraft {
  return onTask(taskId, activityType, details);
}

export function taskCreated(task: Pick<Task, 'id' | 'title' | 'current_stage'>): ActivityDraft {
  return onTask(task.id, 'task_created', { title: task.title, stage: task.current_stage });
}

/** Human checkpoints that a task was moved past without an approval, and why (V6). */
export interface Jump {
  jumped: readonly string[];
  reason: string | null;
}

/**
 * The activities of a changed task: `stage_changed {from, to}` for a new stage, and for other columns
 * `task_updated {fields, changes}`: the changed columns in the order of the schema, and `[old, new]` for
 * each that is not prose.
 * @param changes columns in canonical form; those equal to `before` are ignored.
 * @param jump of a move past checkpoints that no approval names: it is told with the move.
 */
export function taskChanged(
  before: Task,
  changes: Readonly<Record<string, Json>>,
  jump: Jump | null = null,
): ActivityDraft[] {
  const jumped: { [key: string]: Json } =
    jump === null ? {} : { jumped: [...jump.jumped], reason: jump.reason };
  const drafts: ActivityDraft[] = [];
  const old = before as unknown as Record<string, Json>;
  const differs = changedColumns('tasks', old, changes);
  if (differs.includes('current_stage')) {
    drafts.push(
      onTask(before.id, 'stage_changed', {
        from: before.current_stage,
        to: changes.current_stage ?? null,
        ...jumped,
      }),
    );
  }
  const fields = differs.filter((field) => field !== 'current_stage');
  if (fields.length > 0) {
    const columns = columnsOf('tasks');
    const short = fields.filter((field) => columns[field]?.kind !== 'prose');
    drafts.push(
      onTask(before.id, 'task_updated', {
        fields,
        changes: Object.fromEntries(
          short.map((field) => [field, [old[field] ?? null, changes[field] ?? null]]),
        ),
        ...(drafts.length === 0 && jumped),
      }),
    );
  }
  return drafts;
}

export function dependencyAdded(taskId: string, dependsOn: Pick<Task, 'id' | 'title'>): ActivityDraft {
  return onTask(taskId, 'dependency_added', { depends_on_task_id: dependsOn.id, title: dependsOn.title });
}

export function dependencyRemoved(
  taskId: string,
  dependsOn: { id: string; title: string | null },
): ActivityDraft {
  return onTask(taskId, 'dependency_removed', { depends_on_task_id: dependsOn.id, title: dependsOn.title });
}

/**
 * The deletion takes the task's own feed along, so this activity stands in the feed of its parent task, if
 * any, and of the workspace.
 */
export function taskDeleted(task: Pick<Task, 'id' | 'title' | 'parent_task_id' | 'key'>): ActivityDraft {
  return {
    task_id: task.parent_task_id,
    entity_type: 'task',
    entity_id: task.id,
    activity_type: 'task_deleted',
    // By its key a task can be restored, also where no device has it any more.
    details: { title: task.title, ...(task.key !== null && { key: task.key }) },
  };
}
