/** Tasks in words, at a terminal. Pure. */

import type { Task, WorkspaceMember } from '@/domain/entities';
import { nameOfTask } from '@/domain/keys';
import type { Readiness } from '@/domain/ready';
import type { Holders } from '@/machine/holders';
import { type KnownNames, reasonsText } from '@/machine/readiness';
import { clipped, shown } from './output';

/** A task in a sentence: its key, by which commands name it, and its title. */
export function taskText(task: Pick<Task, 'id' | 'key' | 'title'>): string {
  return `${nameOfTask(task, null)} ${shown(task.title)}`;
}

/** A task in a row of a list. */
export function taskRow(task: Task, members: readonly WorkspaceMember[]): string[] {
  return [
    nameOfTask(task, null),
    task.current_stage,
    task.status,
    task.priority,
    assigneeText(task, members),
    clipped(task.title, 80),
  ];
}

function assigneeText({ assignee_id: id }: Task, members: readonly WorkspaceMember[]): string {
  if (id === null) return 'nobody';
  const member = members.find(({ user_id }) => user_id === id);
  return member ? clipped(member.display_name, 24) : 'no member any more';
}

/** @returns as in `no: assigned to "Ada"; waits for FIELD-7 "Dig"` */
export function readyText(readiness: Readiness | null, names: KnownNames): string {
  if (readiness === null) return '';
  if (readiness.ready) return 'yes';
  return `no: ${reasonsText(readiness.reasons, names)}`;
}

/** A task that is not ready, with the reasons, on one line. */
export function waitingText({ task_id, title, reasons }: Readiness, names: KnownNames): string {
  const called = [names.tasks?.get(task_id), clipped(title, 70)].filter(Boolean).join(' ');
  return `${called}: ${reasonsText(reasons, names)}`;
}

export function claimText(claim: Holders['claim']): string {
  if (claim === null) return 'nobody';
  if (claim.waits) return `${shown(claim.name)}, while it waits at a checkpoint`;
  const until = claim.until === null ? '' : new Date(claim.until).toLocaleString();
  return claim.is_live
    ? `${shown(claim.name)} until ${until}`
    : `nobody; ${shown(claim.name)} had it until ${until}`;
}
