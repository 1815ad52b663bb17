/**
 * The activities that writes imply, so that the local and the remote service leave the same feed.
 * The activity is written in one group with the change it tells of; its actor is always the caller.
 */

import type { Json } from '@/core/protocol';
import { changedColumns } from './changes';
import type { Task } from './entities';
import { columnsOf } from './schema';

/** A new row of `activity_feed`, before validation and stamps. */
export interface ActivityDraft {
  task_id: string | null;
  entity_type: string | null;
  entity_id: string | null;
  activity_type: string;
  details: Json;
}

function onTask(taskId: string, activity_type: string, details: Json): ActivityDraft {
  return { task_id: taskId, entity_type: null, entity_id: null, activity_type, details };
}

/** A comment or any other activity that somebody writes by hand. */
export function written(taskId: string, activityType: string, details: Json): ActivityDraft {
  return onTask(taskId, activityType, details);
}

export function taskCreated(task: Pick<Task, 'id' | 'title' | 'current_stage'>): ActivityDraft {
  return onTask(task.id, 'task_created', { title: task.title, stage: task.current_stage });
}

/**
 * What a change to a task leaves in its feed: `stage_changed {from, to}` for a move, and for all else
 * `task_updated {fields, changes}`: the changed columns in the order of the schema, and for each that
 * is not long text `[old, new]`.
 * @param changes columns in canonical form, those that do not differ from `before` included.
 */
export function taskChanged(before: Task, changes: Readonly<Record<string, Json>>): ActivityDraft[] {
  const drafts: ActivityDraft[] = [];
  const old = before as unknown as Record<string, Json>;
  const differs = changedColumns('tasks', old, changes);
  if (differs.includes('current_stage')) {
    drafts.push(
      onTask(before.id, 'stage_changed', {
        from: before.current_stage,
        to: changes.current_stage ?? null,
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
 * The task's own feed goes with it, so its end is told in the feed of its parent task, if it has one,
 * and of the workspace.
 */
export function taskDeleted(task: Pick<Task, 'id' | 'title' | 'parent_task_id'>): ActivityDraft {
  return {
    task_id: task.parent_task_id,
    entity_type: 'task',
    entity_id: task.id,
    activity_type: 'task_deleted',
    details: { title: task.title },
  };
}
