/** Writes of reviews: a request, and the move of a task that a person approves or returns. */

import type { RejectedError, ValidationError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import { fail, ok, type Result } from '@/core/result';
import type { Task, Workflow, WorkflowStage } from '../entities';
import {
  COMMIT_PATTERN,
  LINK_PATTERN,
  REVIEW_LIMITS,
  REVIEW_TYPES,
  type Review,
  type ReviewRequest,
  refusalToSettle,
  reviewedText,
  reviewOf,
  reviewSettled,
  type SettleOptions,
} from '../reviews';
import { inOrder, invalid, notFound, type RecordValues, validateId, validateInsert } from '../validation';
import { checkExpected } from './expected';
import type { PlanContext, Planned, Requested } from './plan';
import { planTaskUpdate, workflowIdOf } from './tasks';
import { checkText } from './texts';

/** A stage of the task's workflow; the server checks it where the workflow is not in the store. */
type Stages = readonly WorkflowStage[] | null;

export function requestReviewRequest(taskId: string, request: ReviewRequest): Requested<'tasks'> {
  const target = validateId('task_id', taskId);
  if (!target.ok) return target;
  const details = checkRequest(request);
  if (!details.ok) return details;
  return ok({
    target: { table: 'tasks', id: target.value, field: 'task_id' },
    plan: (task, context) => planRequest(task, request.stage, details.value, context),
  });
}

function checkRequest(request: ReviewRequest): Result<RecordValues, ValidationError> {
  const { text, branch = null, commit = null, links = [], stage: _stage, ...others } = request ?? {};
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) {
    return invalid('unknown_field', unknown, `A request for review has no field "${unknown}".`);
  }
  const checked = checkText('text', text, REVIEW_LIMITS.text);
  if (!checked.ok) return checked;
  if (branch !== null) {
    const named = checkText('branch', branch, REVIEW_LIMITS.branch);
    if (!named.ok) return named;
  }
  if (commit !== null && !(typeof commit === 'string' && COMMIT_PATTERN.test(commit))) {
    return invalid('bad_value', 'commit', 'Commit must be 7 to 64 hexadecimal digits, in small letters.');
  }
  const isLink = (link: unknown) =>
    typeof link === 'string' && link.length <= REVIEW_LIMITS.link && LINK_PATTERN.test(link);
  if (!Array.isArray(links) || links.length > REVIEW_LIMITS.links || !links.every(isLink)) {
    const message = `Links must be a list of at most ${REVIEW_LIMITS.links} addresses with http or https.`;
    return invalid('bad_value', 'links', message);
  }
  return ok({ text: checked.value, branch, commit, links: [...links] });
}

async function planRequest(
  task: Task,
  given: string | undefined,
  details: RecordValues,
  context: PlanContext,
): Promise<Planned> {
  const moved = given !== undefined && given !== task.current_stage;
  const move = moved ? await planTaskUpdate(task, { current_stage: given }, NOTHING_EXPECTED, context) : null;
  if (move && !move.ok) return move;
  const stage = given ?? task.current_stage;
  const known = (await stagesOf(task, context))?.find(({ name }) => name === stage);
  if (known && !known.is_checkpoint) {
    const message =
      'The stage is no human checkpoint: nobody has to review the task there. Move it to a checkpoint.';
    return invalid('bad_value', 'stage', message);
  }
  const id = context.newId();
  const values = validateInsert('activity_feed', {
    task_id: task.id,
    activity_type: 'review_requested',
    details: { ...details, stage, text_hash: reviewedText(task) },
  });
  if (!values.ok) return values;
  return ok({
    workspaceId: task.workspace_id,
    activities: move?.value.activities ?? [],
    ...(move?.value.move && { move: move.value.move }),
    changes: [
      ...(move?.value.changes ?? []),
      { op: 'insert', table: 'activity_feed', id, values: values.value },
    ],
    answer: { table: 'activity_feed', id },
  });
}

const NOTHING_EXPECTED = { expected: {}, merges: false };

export function requestApproval(
  taskId: string,
  requestId: string,
  options?: SettleOptions,
): Requested<'tasks'> {
  return requestSettling('review_approved', taskId, requestId, null, options);
}

export function requestReturn(
  taskId: string,
  requestId: string,
  reason: string,
  options?: SettleOptions,
): Requested<'tasks'> {
  const checked = checkText('reason', reason, REVIEW_LIMITS.reason);
  if (!checked.ok) return checked;
  return requestSettling('review_returned', taskId, requestId, checked.value, options);
}

type Settling = 'review_approved' | 'review_returned';

function requestSettling(
  type: Settling,
  taskId: string,
  requestId: string,
  reason: string | null,
  { stage, ...options }: SettleOptions = {},
): Requested<'tasks'> {
  const target = validateId('task_id', taskId);
  if (!target.ok) return target;
  const request = validateId('request_id', requestId);
  if (!request.ok) return request;
  const expectation = checkExpected('tasks', options);
  if (!expectation.ok) return expectation;
  return ok({
    target: { table: 'tasks', id: target.value, field: 'task_id' },
    plan: async (task, context) => {
      const review = await reviewToSettle(task, request.value, context);
      if (!review.ok) return review;
      const to = stageAfter(type, review.value, stage, await stagesOf(task, context));
      if (!to.ok) return to;
      // The move is judged with the stage that the person saw: it wins over nobody else's (U45).
      const expected = { ...expectation.value.expected, current_stage: task.current_stage };
      const told = { reason, approves: type === 'review_approved' ? review.value.stage : null };
      const planned = await planTaskUpdate(task, to.value, { expected, merges: false }, context, told);
      if (!planned.ok) return planned;
      const details: Record<string, Json> = { request: request.value, ...(reason !== null && { reason }) };
      const draft = reviewSettled(task.id, type, details);
      return ok({
        ...planned.value,
        activities: [...planned.value.activities, { id: context.newId(), draft }],
        settlesReviewAt: review.value.stage,
      });
    },
  });
}

/** @returns the request, where it is the newest, is open, and its text is still the task's (V2 to V4). */
async function reviewToSettle(
  task: Task,
  requestId: string,
  context: PlanContext,
): Promise<Result<Review, ValidationError | RejectedError>> {
  const entries = await context.entries(task.id, REVIEW_TYPES);
  const isKnown = entries.some(
    ({ id, activity_type }) => id === requestId && activity_type === 'review_requested',
  );
  const review = reviewOf(task, entries);
  if (!isKnown || review === null) return notFound('request_id', 'request for review');
  if (review.id !== requestId) {
    const message = 'There is a newer request for review. Look at that one.';
    return fail({ kind: 'rejected', code: 'review_outdated', column: 'details', message });
  }
  const refusal = refusalToSettle(task, review);
  return refusal ? fail(refusal) : ok(review);
}

/** @returns the columns that settling sets: the stage, or, past the last one, that the task is done. */
function stageAfter(
  type: Settling,
  { stage }: Review,
  given: string | undefined,
  stages: Stages,
): Result<RecordValues, ValidationError> {
  if (stages === null) {
    if (given !== undefined) return ok({ current_stage: given });
    return invalid(
      'required',
      'stage',
      'The workflow of the task is not on this device yet. Give the stage.',
    );
  }
  const ordered = inOrder(stages);
  const at = ordered.findIndex(({ name }) => name === stage);
  const forward = type === 'review_approved';
  if (given !== undefined) {
    const to = ordered.findIndex(({ name }) => name === given);
    // An unknown stage is refused as one.
    if (to === -1 || (forward ? to > at : to < at)) return ok({ current_stage: given });
    const message = `The stage has to lie ${forward ? 'after' : 'before'} the checkpoint. Choose another one.`;
    return invalid('bad_value', 'stage', message);
  }
  const next = ordered[forward ? at + 1 : at - 1];
  if (next) return ok({ current_stage: next.name });
  if (forward) return ok({ status: 'done' });
  return invalid(
    'bad_value',
    'stage',
    'The checkpoint is the first stage: there is none to return the task to.',
  );
}

async function stagesOf(task: Task, context: PlanContext): Promise<Stages> {
  const workflow: Workflow | null = await context.find('workflows', workflowIdOf({ ...task }));
  return workflow?.stages ?? null;
}
