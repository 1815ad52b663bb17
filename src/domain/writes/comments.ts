/** Writes of comments, questions and answers, and of their edits and deletions. */

import type { RejectedError, ValidationError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import { fail, ok, type Result } from '@/core/result';
import { isUuid } from '@/core/text';
import { blanked, COMMENT_LIMITS, type CommentOptions, isBlanked, isComment } from '../comments';
import type { Activity } from '../entities';
import { asDetails, idIn } from '../entries';
import { invalid, notFound, validateId, validateInsert } from '../validation';
import type { PlanContext, Planned, Requested } from './plan';
import { checkText } from './texts';

type Checked<T> = Result<T, ValidationError>;

export function requestComment(taskId: string, text: string, options?: CommentOptions): Requested<'tasks'> {
  const mentions = checkMentions(options);
  if (!mentions.ok) return mentions;
  return requestOnTask(taskId, text, 'comment', mentions.value, {}, 'mentions');
}

export function requestQuestion(taskId: string, text: string, options: { to: string }): Requested<'tasks'> {
  const to = userId('to', options?.to);
  if (!to.ok) return to;
  return requestOnTask(taskId, text, 'question', [to.value], { to: to.value }, 'to');
}

/** @param people have to be members of the workspace; they are the mentions, or who is asked. */
function requestOnTask(
  taskId: string,
  text: string,
  type: 'comment' | 'question',
  people: readonly string[],
  further: Record<string, Json>,
  field: 'mentions' | 'to',
): Requested<'tasks'> {
  const target = validateId('task_id', taskId);
  if (!target.ok) return target;
  const checked = checkText('text', text, COMMENT_LIMITS.text);
  if (!checked.ok) return checked;
  const details: Record<string, Json> = { text: checked.value, ...further };
  if (field === 'mentions' && people.length > 0) details.mentions = [...people];
  return ok({
    target: { table: 'tasks', id: target.value, field: 'task_id' },
    plan: async ({ id, workspace_id }, context) => {
      const known = await checkMembers(workspace_id, people, field, context);
      if (!known.ok) return known;
      return insertion(workspace_id, id, type, details, context);
    },
  });
}

export function requestAnswer(questionId: string, text: string): Requested<'activity_feed'> {
  const target = validateId('question_id', questionId);
  if (!target.ok) return target;
  const checked = checkText('text', text, COMMENT_LIMITS.text);
  if (!checked.ok) return checked;
  return ok({
    target: { table: 'activity_feed', id: target.value, field: 'question_id' },
    plan: async (question, context) => {
      if (question.activity_type !== 'question' || (await isGone(question, context))) {
        return notFound('question_id', 'question');
      }
      const details = { text: checked.value, question: question.id };
      return insertion(question.workspace_id, question.task_id as string, 'answer', details, context);
    },
  });
}

export function requestCommentEdit(
  commentId: string,
  text: string,
  options?: CommentOptions,
): Requested<'activity_feed'> {
  const target = validateId('comment_id', commentId);
  if (!target.ok) return target;
  const checked = checkText('text', text, COMMENT_LIMITS.text);
  if (!checked.ok) return checked;
  const mentions = checkMentions(options);
  if (!mentions.ok) return mentions;
  return ok({
    target: { table: 'activity_feed', id: target.value, field: 'comment_id' },
    plan: async (comment, context) => {
      if (!isComment(comment) || (await isGone(comment, context))) return notFound('comment_id', 'comment');
      if (comment.actor_id !== (await context.userId()))
        return notTheirs('A comment is edited by its author alone.');
      const { workspace_id } = comment;
      const known = await checkMembers(workspace_id, mentions.value, 'mentions', context);
      if (!known.ok) return known;
      const details = {
        comment: comment.id,
        text: checked.value,
        ...(options?.mentions && { mentions: mentions.value }),
      };
      return insertion(workspace_id, comment.task_id as string, 'comment_edited', details, context);
    },
  });
}

export function requestCommentDelete(commentId: string): Requested<'activity_feed'> {
  const target = validateId('comment_id', commentId);
  if (!target.ok) return target;
  return ok({
    target: { table: 'activity_feed', id: target.value, field: 'comment_id' },
    plan: async (comment, context) => {
      if (!isComment(comment) || (await isGone(comment, context))) return notFound('comment_id', 'comment');
      const { id, workspace_id, task_id } = comment;
      const edits = await context.entries(task_id as string, ['comment_edited']);
      const own = edits.filter(({ details }) => idIn(asDetails(details).comment) === id);
      const planned = insertion(workspace_id, task_id as string, 'comment_deleted', { comment: id }, context);
      if (!planned.ok) return planned;
      return ok({
        ...planned.value,
        answer: null,
        blanks: [comment, ...own].map((entry) => ({ id: entry.id, details: blanked(entry.details) })),
        ...(comment.actor_id !== (await context.userId()) && { deletesCommentOfOthers: true as const }),
      });
    },
  });
}

function insertion(
  workspaceId: string,
  task_id: string,
  activity_type: string,
  details: Json,
  context: PlanContext,
): Planned {
  const values = validateInsert('activity_feed', { task_id, activity_type, details });
  if (!values.ok) return values;
  const id = context.newId();
  return ok({
    workspaceId,
    changes: [{ op: 'insert', table: 'activity_feed', id, values: values.value }],
    activities: [],
    answer: { table: 'activity_feed', id },
  });
}

/** @returns whether a comment is deleted, also where only its deletion is here and its text is not blanked yet. */
async function isGone({ id, task_id, details }: Activity, context: PlanContext): Promise<boolean> {
  if (task_id === null || isBlanked(details)) return true;
  const deletions = await context.entries(task_id, ['comment_deleted']);
  return deletions.some((entry) => idIn(asDetails(entry.details).comment) === id);
}

function notTheirs(message: string) {
  return fail<RejectedError>({ kind: 'rejected', code: 'forbidden', column: 'details', message });
}

function checkMentions(options: CommentOptions = {}): Checked<string[]> {
  const { mentions = [], ...others } = options ?? {};
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) {
    return invalid('unknown_field', unknown, `A comment has no option "${unknown}". Use mentions.`);
  }
  if (!Array.isArray(mentions) || mentions.length > COMMENT_LIMITS.mentions) {
    const message = `Mentions must be a list of at most ${COMMENT_LIMITS.mentions} user ids.`;
    return invalid('bad_value', 'mentions', message);
  }
  const ids: string[] = [];
  for (const mention of mentions) {
    const id = userId('mentions', mention);
    if (!id.ok) return id;
    ids.push(id.value);
  }
  return ok([...new Set(ids)]);
}

function userId(field: string, value: unknown): Checked<string> {
  if (value === undefined || value === null)
    return invalid('required', field, 'Give the user_id of a member.');
  return isUuid(value)
    ? ok(value.toLowerCase())
    : invalid('bad_id', field, 'This is not the id of a user. Give the user_id of a member, a UUID.');
}

async function checkMembers(
  workspaceId: string,
  people: readonly string[],
  field: string,
  context: PlanContext,
): Promise<Checked<null>> {
  for (const person of people) {
    if ((await context.isMember(workspaceId, person)) === false) return notFound(field, 'member');
  }
  return ok(null);
}
