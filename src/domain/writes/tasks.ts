/** Writes of tasks and of their activities. */

import type { ValidationError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import { fail, ok, type Result } from '@/core/result';
import { isReserved, type Jump, taskChanged, taskCreated, taskDeleted, written } from '../activities';
import { changedColumns } from '../changes';
import type { TaskChanges, TaskInput, TaskUpdateOptions, UpdateOptions } from '../contextService';
import type { Milestone, Task, Workflow } from '../entities';
import { REVIEW_LIMITS } from '../reviews';
import { checkpointsInTheWay, isLastStage, statusAfter, withCompletion, withPlace } from '../taskRules';
import {
  inOrder,
  invalid,
  type RecordValues,
  validateActivityType,
  validateChanges,
  validateId,
  validateInsert,
  validateStage,
} from '../validation';
import { STANDARD_WORKFLOW_ID } from '../vocabulary';
import { checkExpected, type Expectation, requireExpected } from './expected';
import type { PlanContext, Planned, PlannedChange, Requested, StageMove } from './plan';
import { pick, type Resolved, resolveReferences } from './references';
import { followersOf, isWithin, parentDeadlocks } from './taskGraph';
import { checkText } from './texts';

export function requestTaskInsert(data: TaskInput): Requested<'milestones'> {
  const values = validateInsert('tasks', data);
  if (!values.ok) return values;
  const given = {
    stage: data.current_stage !== undefined,
    status: data.status !== undefined,
    place: data.sort_order !== undefined,
  };
  return ok({
    target: { table: 'milestones', id: String(values.value.milestone_id), field: 'milestone_id' },
    plan: (milestone, context) => planTaskInsert(milestone, values.value, given, context),
  });
}

async function planTaskInsert(
  milestone: Milestone,
  given: RecordValues,
  isGiven: { stage: boolean; status: boolean; place: boolean },
  context: PlanContext,
): Promise<Planned> {
  const { id: milestone_id, workspace_id: workspaceId } = milestone;
  const placed = { ...given, milestone_id };
  const resolved = await resolveReferences('tasks', workspaceId, placed, { milestone_id }, context);
  if (!resolved.ok) return resolved;
  const workflowId = workflowIdOf(resolved.value.values);
  const workflow = await workflowOf(workflowId, resolved.value, context);
  const first = workflow && inOrder(workflow.stages)[0]?.name;
  const stage = validateStage(workflow, isGiven.stage ? given.current_stage : (first ?? given.current_stage));
  if (!stage.ok) return stage;
  const current_stage = stage.value;
  const status = isGiven.status ? null : statusAfter(workflow?.stages ?? null, current_stage, null);
  const staged = {
    ...resolved.value.values,
    current_stage,
    ...(status && { status }),
    ...(!isGiven.place && { sort_order: context.newPlace() }),
  };
  const values = withCompletion(null, staged, context.now());
  const id = context.newId();
  const title = String(values.title);
  return ok({
    workspaceId,
    changes: [{ op: 'insert', table: 'tasks', id, values }],
    activities: [{ id: context.newId(), draft: taskCreated({ id, title, current_stage }) }],
    answer: { table: 'tasks', id },
    move: { workflowId, from: null, to: current_stage, finishes: isFinished(values) },
  });
}

/** @param field the argument of the caller that names the task. */
export function requestTaskUpdate(
  id: string,
  changes: TaskChanges,
  { reason = null, ...options }: TaskUpdateOptions = {},
  field = 'id',
): Requested<'tasks'> {
  const target = validateId(field, id);
  if (!target.ok) return target;
  const values = validateChanges('tasks', changes);
  if (!values.ok) return values;
  const expectation = checkExpected('tasks', options);
  if (!expectation.ok) return expectation;
  const why = reason === null ? ok(null) : checkText('reason', reason, REVIEW_LIMITS.reason);
  if (!why.ok) return why;
  const told = { reason: why.value, approves: null };
  return ok({
    target: { table: 'tasks', id: target.value, field },
    plan: (before, context) => planTaskUpdate(before, values.value, expectation.value, context, told),
  });
}

/** A stage that is left out is `required`: an update without a stage would change nothing. */
export function requestStageUpdate(
  taskId: string,
  stage: string,
  options?: TaskUpdateOptions,
): Requested<'tasks'> {
  return requestTaskUpdate(taskId, { current_stage: stage ?? null }, options, 'task_id');
}

/** Words of the feed about a move past checkpoints. */
export interface ToldMove {
  reason: string | null;
  /** The checkpoint of a request for review that the move approves. */
  approves: string | null;
}

export async function planTaskUpdate(
  before: Task,
  given: RecordValues,
  expectation: Expectation,
  context: PlanContext,
  told: ToldMove = { reason: null, approves: null },
): Promise<Planned> {
  const { id, workspace_id: workspaceId } = before;
  const found = await requireExpected('tasks', before, expectation, given, context);
  if (!found.ok) return found;
  const resolved = await resolveReferences('tasks', workspaceId, given, asValues(before), context);
  if (!resolved.ok) return resolved;
  const followed = await withStatus(before, resolved.value, context);
  const changed = await completed(before, { ...resolved.value, values: followed }, context);
  const answer = { table: 'tasks', id } as const;
  if (Object.keys(changed).length === 0) return ok({ workspaceId, changes: [], activities: [], answer });

  const after = { ...before, ...changed } as Task;
  const place = await checkParent(before, changed, context);
  if (!place.ok) return place;
  const workflowId = workflowIdOf(after);
  if ('current_stage' in changed || 'workflow_id' in changed) {
    const stage = validateStage(await workflowOf(workflowId, resolved.value, context), after.current_stage);
    if (!stage.ok) return stage;
  }
  const move = moveBetween(before, after, workflowId);
  const jump = move && (await jumpOf(move, told, context));
  return ok({
    workspaceId,
    changes: [
      { op: 'update', table: 'tasks', id, values: changed, ...found.value },
      ...(await movedAlong(before, changed, context)),
    ],
    // The move tells of the status that follows from it.
    activities: taskChanged(
      before,
      'status' in given ? changed : pick(changed, toldBeside(changed, given)),
      jump,
    ).map((draft) => ({ id: context.newId(), draft })),
    answer,
    ...(move && { move }),
  });
}

/** @returns the given values, with the status that follows from a new stage (T1). */
async function withStatus(before: Task, resolved: Resolved, context: PlanContext): Promise<RecordValues> {
  const { values } = resolved;
  const stage = values.current_stage;
  if (typeof stage !== 'string' || stage === before.current_stage || 'status' in values) return values;
  const workflow = await workflowOf(workflowIdOf({ ...before, ...values }), resolved, context);
  const status = statusAfter(workflow?.stages ?? null, stage, before.status);
  return status === null ? values : { ...values, status };
}

/** @returns the columns that are told where no status is given: without the status and the date that follow from a move */
function toldBeside(changed: RecordValues, given: RecordValues): string[] {
  const following = ['status', 'completion_date'];
  return Object.keys(changed).filter((name) => Object.hasOwn(given, name) || !following.includes(name));
}

/** @returns the checkpoints that a move passes without an approval; null where it passes none. */
async function jumpOf(move: StageMove, told: ToldMove, context: PlanContext): Promise<Jump | null> {
  const workflow = await context.find('workflows', move.workflowId);
  if (workflow === null) return null;
  const passed = checkpointsInTheWay(workflow.stages, move.from, move.to, move.finishes);
  const jumped = passed.filter((name) => name !== told.approves);
  return jumped.length > 0 ? { jumped, reason: told.approves === null ? told.reason : null } : null;
}

/** @returns the columns that change, those that follow from the given ones included. */
async function completed(before: Task, resolved: Resolved, context: PlanContext): Promise<RecordValues> {
  const { values, named } = resolved;
  const dated = withCompletion(before, values, context.now());
  let parent = (named.get('parent_task_id') ?? null) as Task | null;
  if (parent === null && values.milestone_id !== undefined && before.parent_task_id !== null) {
    parent = await context.find('tasks', before.parent_task_id);
  }
  const complete = withPlace(before, dated, parent);
  return pick(complete, changedColumns('tasks', asValues(before), complete));
}

async function checkParent(
  before: Task,
  { parent_task_id: parent }: RecordValues,
  { graph }: PlanContext,
): Promise<Result<null, ValidationError>> {
  if (typeof parent !== 'string') return ok(null);
  if (await isWithin(graph, parent, before.id)) {
    const message = 'A task cannot stand under itself or one of its subtasks. Choose another parent.';
    return invalid('cycle', 'parent_task_id', message);
  }
  if (graph && (await parentDeadlocks(graph, before.id, parent))) {
    const message =
      'The tasks would wait for each other: a task waits for its subtasks, and these for what it depends on. Choose another parent.';
    return invalid('cycle', 'parent_task_id', message);
  }
  return ok(null);
}

/** The subtasks that a move to another milestone takes along (U29). */
async function movedAlong(
  before: Task,
  { milestone_id }: RecordValues,
  { graph }: PlanContext,
): Promise<PlannedChange[]> {
  if (graph === undefined || milestone_id === undefined) return [];
  const followers = await followersOf(graph, before);
  return followers.map((id) => ({ op: 'update', table: 'tasks', id, values: { milestone_id } }));
}

/** Makes a task done, from the last stage of its workflow (T3). */
export function requestTaskFinish(taskId: string, options?: UpdateOptions<TaskChanges>): Requested<'tasks'> {
  const update = requestTaskUpdate(taskId, { status: 'done' }, options, 'task_id');
  if (!update.ok) return update;
  const { target, plan } = update.value;
  return ok({
    target,
    plan: async (before, context) => {
      const workflow = await context.find('workflows', workflowIdOf(asValues(before)));
      if (workflow && before.status !== 'done' && !isLastStage(workflow.stages, before.current_stage)) {
        return fail({
          kind: 'rejected',
          code: 'not_last_stage',
          column: 'current_stage',
          message: `The task is in the stage ${before.current_stage}. Move it to the last stage of its workflow first, then finish it.`,
        });
      }
      return plan(before, context);
    },
  });
}

export function requestTaskDelete(taskId: string): Requested<'tasks'> {
  const target = validateId('id', taskId);
  if (!target.ok) return target;
  return ok({
    target: { table: 'tasks', id: target.value, field: 'id' },
    plan: (task, context) =>
      ok({
        workspaceId: task.workspace_id,
        changes: [{ op: 'delete', table: 'tasks', id: task.id }],
        activities: [{ id: context.newId(), draft: taskDeleted(task) }],
        answer: null,
      }),
  });
}

/** Activities that have a function of their own, which checks more of them. */
const OWN_WRITES: Readonly<Record<string, string>> = {
  comment_edited: 'editComment',
  comment_deleted: 'deleteComment',
  review_requested: 'requestReview',
};

export function requestActivityInsert(taskId: string, type: string, details: Json): Requested<'tasks'> {
  const target = validateId('task_id', taskId);
  if (!target.ok) return target;
  const checkedType = validateActivityType(type);
  if (!checkedType.ok) return checkedType;
  if (isReserved(checkedType.value)) {
    const message = `Convoy writes the activity ${checkedType.value} itself, with the change that it tells of. Choose another type, for example comment.`;
    return invalid('bad_value', 'activity_type', message);
  }
  const own = OWN_WRITES[checkedType.value];
  if (own !== undefined) {
    return invalid('bad_value', 'activity_type', `Call ${own} for the activity ${checkedType.value}.`);
  }
  const values = validateInsert('activity_feed', written(target.value, checkedType.value, details));
  if (!values.ok) return values;
  return ok({
    target: { table: 'tasks', id: target.value, field: 'task_id' },
    plan: ({ id: task_id, workspace_id: workspaceId }, context) => {
      const id = context.newId();
      const change = {
        op: 'insert',
        table: 'activity_feed',
        id,
        values: { ...values.value, task_id },
      } as const;
      return ok({ workspaceId, changes: [change], activities: [], answer: { table: 'activity_feed', id } });
    },
  });
}

function asValues(task: Task): RecordValues {
  return { ...task };
}

/** A task without a workflow follows the standard one (R5). */
export function workflowIdOf(task: { workflow_id?: Json }): string {
  return typeof task.workflow_id === 'string' ? task.workflow_id : STANDARD_WORKFLOW_ID;
}

/** @returns null where the store does not hold the workflow; the server then checks the stage. */
async function workflowOf(id: string, { named }: Resolved, context: PlanContext): Promise<Workflow | null> {
  const workflow = named.get('workflow_id') as Workflow | undefined;
  return workflow ?? context.find('workflows', id);
}

function isFinished(task: { status?: Json; completion_date?: Json }): boolean {
  return task.status === 'done' || (task.completion_date ?? null) !== null;
}

function moveBetween(before: Task, after: Task, workflowId: string): StageMove | null {
  const finishes = isFinished(after) && !isFinished(before);
  if (!finishes && after.current_stage === before.current_stage) return null;
  return { workflowId, from: before.current_stage, to: after.current_stage, finishes };
}
