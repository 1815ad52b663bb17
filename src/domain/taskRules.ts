/** Rules about tasks that both services apply before they write; the server has the last word on all of them. */

import type { Json } from '@/core/protocol';
import type { Task, WorkflowStage } from './entities';
import type { RestorableTable, SyncedTable } from './schema';
import type { MemberKind, Role } from './vocabulary';

/**
 * Keeps `completion_date` in step with `status`: a task that becomes done is completed now, one that
 * is taken up again is not. A date that is given explicitly stands.
 * @param before the task's status, or null for a new task.
 * @param values columns in canonical form.
 * @param now ISO time.
 * @returns the values, with `completion_date` added where it follows.
 */
export function withCompletion(
  before: Pick<Task, 'status'> | null,
  values: Readonly<Record<string, Json>>,
  now: string,
): Record<string, Json> {
  const status = values.status;
  const dateGiven =
    values.completion_date !== undefined && !(before === null && values.completion_date === null);
  if (status === undefined || dateGiven) return { ...values };
  if (status === 'done' && before?.status !== 'done') return { ...values, completion_date: now };
  if (status !== 'done' && before?.status === 'done') return { ...values, completion_date: null };
  return { ...values };
}

type Place = Pick<Task, 'milestone_id' | 'parent_task_id'>;

/**
 * Where a task goes that is moved (rule U29): under a task of another milestone it goes to that milestone; to
 * another milestone it goes without its parent task, unless that one stands there. Its subtasks follow.
 * @param values columns in canonical form.
 * @param parent the task it is to stand under, or null for none or an unknown one.
 * @returns the values, with the other column of the place added where it follows.
 */
export function withPlace(
  before: Place,
  values: Readonly<Record<string, Json>>,
  parent: Pick<Task, 'milestone_id'> | null,
): Record<string, Json> {
  const { milestone_id: milestone, parent_task_id: given } = values;
  const isNewParent = given !== undefined && given !== before.parent_task_id;
  if (isNewParent && given !== null && milestone === undefined && parent) {
    return { ...values, milestone_id: parent.milestone_id };
  }
  const isMoved = milestone !== undefined && milestone !== before.milestone_id;
  const staysBehind = before.parent_task_id !== null && parent?.milestone_id !== milestone;
  return isMoved && !isNewParent && staysBehind ? { ...values, parent_task_id: null } : { ...values };
}

/**
 * The checkpoint that stands in the way of a caller who is not a human owner or editor (rule R4).
 * @param stages of the task's workflow, in any order.
 * @param from the stage the task is in, or null for a new task.
 * @param to the stage it is to have.
 * @param finished whether the task is to be done or to have a completion date.
 * @returns the first checkpoint's name, or null when the move is free.
 */
export function checkpointInTheWay(
  stages: readonly WorkflowStage[],
  from: string | null,
  to: string,
  finished: boolean,
): string | null {
  const orderOf = (name: string | null) => stages.find((stage) => stage.name === name)?.order;
  const unbound = Number.NEGATIVE_INFINITY;
  const old = orderOf(from) ?? unbound;
  const next = orderOf(to) ?? unbound;
  const start = finished ? Math.min(old, next) : old;
  const end = finished ? Number.POSITIVE_INFINITY : next;
  const between = stages
    .filter((stage) => stage.is_checkpoint && stage.order >= start && stage.order < end)
    .sort((one, other) => one.order - other.order);
  return between[0]?.name ?? null;
}

/** @returns whether a member passes human checkpoints: owners and editors that are people do. */
export function passesCheckpoints(member: { role: Role; kind: MemberKind }): boolean {
  return member.kind === 'human' && (member.role === 'owner' || member.role === 'editor');
}

type Operation = 'insert' | 'update' | 'delete';

/** The tables and operations a role may write, from the table of roles in `docs/sync-spec.md`. */
const OWNER_ONLY: readonly SyncedTable[] = ['workspaces', 'workspace_members'];
const AGENT_WRITES: Partial<Record<SyncedTable, readonly Operation[]>> = {
  tasks: ['insert', 'update'],
  task_dependencies: ['insert', 'delete'],
  activity_feed: ['insert'],
  patterns: ['insert', 'update'],
  best_practices: ['insert', 'update'],
};

/**
 * Whether a role may write so in its own workspace; null stands for somebody who is no member.
 * Creating a workspace needs no role. An agent may, beyond this, never write `workflow_id`.
 */
export function mayWrite(role: Role | null, table: SyncedTable, operation: Operation): boolean {
  if (table === 'workspaces' && operation === 'insert') return true;
  // The server makes them; of whose deletions is for mayRestore to say.
  if (table === 'deletions') return operation === 'update' && role !== 'viewer' && role !== null;
  switch (role) {
    case 'owner':
    case 'editor':
      if (role === 'editor' && OWNER_ONLY.includes(table)) return false;
      if (table === 'activity_feed') return operation === 'insert';
      return table !== 'task_dependencies' || operation !== 'update';
    case 'agent':
      return AGENT_WRITES[table]?.includes(operation) ?? false;
    case 'viewer':
    case null:
      return false;
  }
}

/** Whether a member may restore a deleted record: whoever may make or delete one. Agents never workflows. */
export function mayRestore(member: { role: Role; kind: MemberKind } | null, table: RestorableTable): boolean {
  if (member === null || (table === 'workflows' && member.kind === 'agent')) return false;
  if (mayWrite(member.role, table, 'delete')) return true;
  return table !== 'workspaces' && mayWrite(member.role, table, 'insert');
}
