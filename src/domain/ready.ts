/**
 * Whether a task may be worked on now (rules N of `docs/work-model.md`): a pure predicate that gives every reason. The services ask
 * their database for the next task with a query of their own, which a test holds equal to this.
 */

import type { Milestone, Project, Task, WorkflowStage } from './entities';
import { STANDARD_WORKFLOW_ID, TASK_PRIORITIES } from './vocabulary';

/** A task that another one waits for. `deleted`: it is a tombstone, or to become one. */
export interface WaitedTask {
  id: string;
  title: string;
  status: Task['status'] | 'deleted';
}

/** All that decides about a task. Null, or named in `absent`: it is not on this device (yet). */
export interface ReadinessFacts {
  task: Task;
  milestone: Pick<Milestone, 'id' | 'status'> | null;
  project: Pick<Project, 'id' | 'status'> | null;
  /** Of the workflow that it follows. */
  stages: readonly Pick<WorkflowStage, 'name' | 'is_checkpoint'>[] | null;
  /** Those that are not done or cancelled may be enough. */
  subtasks: readonly WaitedTask[];
  /** `of`: the task, or the one above it, that depends on this one. */
  dependencies: readonly (WaitedTask & { of: string })[];
  /** Tasks that are not on this device: above the task, or depended on. */
  absent: readonly { what: 'ancestor' | 'dependency'; id: string }[];
}

export type ReadinessReason =
  | { code: 'done' | 'cancelled' | 'blocked' | 'unknown_stage' | 'checkpoint' }
  | { code: 'dependency'; of: string; task_id: string; title: string }
  | { code: 'subtask'; task_id: string; title: string }
  /** Something that decides is not on this device yet. */
  | {
      code: 'not_here';
      what: 'ancestor' | 'dependency' | 'milestone' | 'project' | 'workflow';
      id: string | null;
    }
  | { code: 'milestone' | 'project'; status: string }
  | { code: 'claimed'; by: string; until: string | null }
  | { code: 'assigned'; to: string };

export interface Readiness {
  task_id: string;
  title: string;
  /** Whether there is no reason against it. */
  ready: boolean;
  reasons: ReadinessReason[];
  /** Tasks that it waited for and does no more, since each was cancelled or deleted; a deleted one as long as it is known here. */
  passed: { task_id: string; title: string; status: 'cancelled' | 'deleted' }[];
}

export interface Asker {
  userId: string;
  /** The session that asks; null: every claim of the user's is its own. */
  claimId: string | null;
  /** ms since the epoch, by a clock that agrees with the server's. */
  now: number;
}

const CLOSED = ['done', 'cancelled', 'deleted'];
const CLOSED_MILESTONES = ['completed', 'cancelled'];
const CLOSED_PROJECTS = ['paused', 'completed', 'archived'];

export function readinessOf(facts: ReadinessFacts, asker: Asker): Readiness {
  const { task, dependencies } = facts;
  const reasons = [
    ...ownReasons(facts),
    ...placeReasons(facts),
    ...waitReasons(facts),
    ...personReasons(facts, asker),
  ];
  const passed = dependencies.flatMap(({ id, title, status }) =>
    status === 'cancelled' || status === 'deleted' ? [{ task_id: id, title, status }] : [],
  );
  return { task_id: task.id, title: task.title, ready: reasons.length === 0, reasons, passed };
}

/** N1: status and stage. */
function ownReasons({ task, stages }: ReadinessFacts): ReadinessReason[] {
  const reasons: ReadinessReason[] = [];
  if (task.status === 'done' || task.status === 'cancelled' || task.status === 'blocked') {
    reasons.push({ code: task.status });
  }
  if (stages === null) {
    reasons.push({ code: 'not_here', what: 'workflow', id: task.workflow_id ?? STANDARD_WORKFLOW_ID });
    return reasons;
  }
  const stage = stages.find(({ name }) => name === task.current_stage);
  if (!stage) reasons.push({ code: 'unknown_stage' });
  else if (stage.is_checkpoint) reasons.push({ code: 'checkpoint' });
  return reasons;
}

/** N3: milestone and project. */
function placeReasons({ task, milestone, project }: ReadinessFacts): ReadinessReason[] {
  if (milestone === null) return [{ code: 'not_here', what: 'milestone', id: task.milestone_id }];
  const reasons: ReadinessReason[] = [];
  if (CLOSED_MILESTONES.includes(milestone.status)) {
    reasons.push({ code: 'milestone', status: milestone.status });
  }
  if (project === null) reasons.push({ code: 'not_here', what: 'project', id: null });
  else if (CLOSED_PROJECTS.includes(project.status))
    reasons.push({ code: 'project', status: project.status });
  return reasons;
}

/** N2: what it waits for. */
function waitReasons({ subtasks, dependencies, absent }: ReadinessFacts): ReadinessReason[] {
  const isOpen = ({ status }: WaitedTask) => !CLOSED.includes(status);
  return [
    ...subtasks.filter(isOpen).map(({ id, title }) => ({ code: 'subtask' as const, task_id: id, title })),
    ...dependencies
      .filter(isOpen)
      .map(({ of, id, title }) => ({ code: 'dependency' as const, of, task_id: id, title })),
    ...absent.map(({ what, id }) => ({ code: 'not_here' as const, what, id })),
  ];
}

/** N4: whose it is. */
function personReasons({ task, stages }: ReadinessFacts, { userId, claimId, now }: Asker): ReadinessReason[] {
  const reasons: ReadinessReason[] = [];
  const { claimed_by: by, claimed_until: until, assignee_id: assignee } = task;
  const waits = stages?.find(({ name }) => name === task.current_stage)?.is_checkpoint === true;
  const isOwn = by === userId && (claimId === null || task.claim_id === claimId);
  if (by !== null && isLive(task, waits, now) && !isOwn) reasons.push({ code: 'claimed', by, until });
  if (assignee !== null && assignee !== userId) reasons.push({ code: 'assigned', to: assignee });
  return reasons;
}

/** The columns that order ready tasks, beside the asker (N6). */
export type Ranked = Pick<
  Task,
  'id' | 'priority' | 'sort_order' | 'created_at' | 'claimed_by' | 'claim_id' | 'claimed_until'
> & { target_date: string | null };

/**
 * Orders ready tasks: those that the asker has, live claims first; then by priority, target date of the milestone, sort order, age
 * and id.
 */
export function compareReady({ userId, now }: Pick<Asker, 'userId' | 'now'>) {
  const keys = (task: Ranked): (number | string)[] => {
    const isOwn = task.claimed_by === userId && task.claim_id !== null;
    return [
      isOwn ? (isLive(task, false, now) ? 0 : 1) : 2,
      -TASK_PRIORITIES.indexOf(task.priority),
      task.target_date === null ? Number.POSITIVE_INFINITY : Date.parse(task.target_date),
      task.sort_order,
      Date.parse(task.created_at),
      task.id,
    ];
  };
  return (one: Ranked, other: Ranked): number => {
    const [a, b] = [keys(one), keys(other)];
    for (const [index, key] of a.entries()) {
      const against = b[index] as typeof key;
      if (key !== against) return key < against ? -1 : 1;
    }
    return 0;
  };
}

/**
 * Whether a claim is live (C4), by a clock that agrees with the server's.
 * @param waits the task waits at a checkpoint
 * @param now ms since the epoch
 */
export function isLive(
  { claimed_by, claim_id, claimed_until }: Pick<Task, 'claimed_by' | 'claim_id' | 'claimed_until'>,
  waits: boolean,
  now: number,
): boolean {
  if (claim_id === null || claimed_by === null) return false;
  return waits || (claimed_until !== null && Date.parse(claimed_until) > now);
}
