/** Why a task cannot be worked on now, in words; for the command line and the tools alike. Pure but for `taskNames`. */

import type { Task } from '@/domain/entities';
import { nameOfTask } from '@/domain/keys';
import type { Readiness, ReadinessReason } from '@/domain/ready';
import { quoted } from './records';

/** Names that a reader knows; where one is missing, the text does without. */
export interface KnownNames {
  /** Keys of tasks, by id. */
  tasks?: ReadonlyMap<string, string>;
  /** Display names of members, by user id. */
  members?: ReadonlyMap<string, string>;
}

/** @returns every reason, as in `assigned to "Ada"; waits for FIELD-7 "Dig"` */
export function reasonsText(reasons: readonly ReadinessReason[], names: KnownNames = {}): string {
  return reasons.map((reason) => reasonText(reason, names)).join('; ');
}

function reasonText(reason: ReadinessReason, { tasks, members }: KnownNames): string {
  const called = (id: string, title: string) => [tasks?.get(id), quoted(title)].filter(Boolean).join(' ');
  const person = (userId: string) => {
    const name = members?.get(userId);
    return name === undefined ? 'somebody else' : quoted(name);
  };
  switch (reason.code) {
    case 'dependency':
      return `waits for ${called(reason.task_id, reason.title)}`;
    case 'subtask':
      return `its subtask ${called(reason.task_id, reason.title)} is open`;
    case 'not_here':
      return `its ${reason.what} is not on this device yet`;
    case 'milestone':
    case 'project':
      return `its ${reason.code} is ${reason.status}`;
    case 'claimed':
      return `claimed by ${person(reason.by)}${reason.until === null ? '' : ` until ${reason.until}`}`;
    case 'assigned':
      return `assigned to ${person(reason.to)}`;
    case 'checkpoint':
      return 'waits for a person at a checkpoint';
    case 'unknown_stage':
      return 'its workflow has no such stage';
    default:
      return `is ${reason.code}`;
  }
}

/** @returns the tasks that a readiness is about, and names as reasons */
export function taskIdsOf({ task_id, reasons }: Readiness): string[] {
  return [task_id, ...reasons.flatMap((reason) => ('task_id' in reason ? [reason.task_id] : []))];
}

/** @returns what the tasks are called that are on this device, by id */
export async function taskNames(
  service: { getLocalTask(id: string): Promise<Task | null> },
  ids: readonly string[],
): Promise<Map<string, string>> {
  const tasks = await Promise.all([...new Set(ids)].map((id) => service.getLocalTask(id)));
  return new Map(tasks.flatMap((task) => (task ? [[task.id, nameOfTask(task, null)] as const] : [])));
}
