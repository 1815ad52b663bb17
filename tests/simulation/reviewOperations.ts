/** Work on reviews and comments, and what nobody may do: approvals of older requests, and by agents. */

import { STANDARD_STAGES } from '@/domain/vocabulary';
import type { ConvoyModel } from '@/lib/watermelon/models';
import { type Hand, NothingToDo, type Operations } from './hand';
import { CUSTOM_STAGES } from './team';

const CHECKPOINTS = [
  'PLAN_REVIEW',
  'CODE_REVIEW',
  ...CUSTOM_STAGES.filter((one) => one.is_checkpoint).map(({ name }) => name),
];

/** @returns an entry of this kind that meets the condition. @throws NothingToDo */
async function entryOf(
  hand: Hand,
  type: string,
  meets: (entry: ConvoyModel) => boolean = () => true,
): Promise<ConvoyModel> {
  const found = (await hand.all('activity_feed')).filter(
    (entry) => entry.raw.activity_type === type && meets(entry),
  );
  if (found.length === 0) throw new NothingToDo();
  return hand.random.pick(found);
}

/** @returns a request for review of a task that waits at its checkpoint. @throws NothingToDo */
async function openRequest(hand: Hand): Promise<ConvoyModel> {
  const stages = new Map((await hand.all('tasks')).map(({ id, raw }) => [id, raw.current_stage]));
  return entryOf(hand, 'review_requested', ({ raw }) => {
    const { stage } = JSON.parse(String(raw.details)) as { stage?: string };
    return stage === stages.get(String(raw.task_id));
  });
}

/** @returns a task, in half of all cases one that has a request for review. @throws NothingToDo */
async function taskToReview(hand: Hand): Promise<string> {
  if (hand.random.below(2) === 0) return (await hand.some('tasks')).id;
  return String((await entryOf(hand, 'review_requested')).raw.task_id);
}

/** @returns the requests for review of a task that are here, the oldest first. */
async function requestsOf(hand: Hand, taskId: string): Promise<string[]> {
  const found = (await hand.all('activity_feed')).filter(
    ({ raw }) => raw.activity_type === 'review_requested' && raw.task_id === taskId,
  );
  return found.sort((a, b) => Number(a.raw.created_at) - Number(b.raw.created_at)).map(({ id }) => id);
}

/**
 * A review that is settled by the oldest request, past the Context Service and its early checks: the server has the last word. A
 * task gets two requests first.
 */
async function settleByModel(hand: Hand, type: 'review_approved' | 'review_returned') {
  const taskId = await taskToReview(hand);
  const requests = await requestsOf(hand, taskId);
  const own = (await hand.database.findRecord('tasks', taskId))?.raw.workflow_id ? CUSTOM_STAGES : null;
  if (requests.length < 2) {
    hand.put('activity_feed');
    const stage = own ? 'APPROVAL' : 'PLAN_REVIEW';
    requests.push((await hand.service.requestReview(taskId, { text: hand.token, stage })).id);
  }
  const task = await hand.database.findRecord('tasks', taskId);
  const stages: readonly string[] = own ? own.map(({ name }) => name) : STANDARD_STAGES;
  const at = stages.indexOf(String(task?.raw.current_stage));
  // Back, where nobody stops an agent; or on, where checkpoints do.
  const others = type === 'review_returned' ? stages.slice(0, Math.max(at, 0)) : stages.slice(at + 1);
  if (!task || others.length === 0) throw new NothingToDo();
  const stage = hand.random.pick(others);
  const details = { request: requests[0] as string, ...(type === 'review_returned' && { reason: 'No.' }) };
  return hand.database.write(() =>
    hand.database.batch(
      task.prepareUpdate((draft) => draft.setColumn('current_stage', stage)),
      hand.database.records('activity_feed').prepareCreate((draft) => {
        draft.setColumn('workspace_id', task.workspaceId);
        draft.setColumn('task_id', task.id);
        draft.setColumn('activity_type', type);
        draft.setColumn('details', JSON.stringify(details));
      }),
    ),
  );
}

export const REVIEW_OPERATIONS: Operations = {
  requestReview: [
    3,
    async (hand) => {
      const task = await taskToReview(hand);
      const stage = hand.random.pick(CHECKPOINTS);
      hand.put('activity_feed');
      return hand.service.requestReview(task, { text: hand.token, stage });
    },
  ],
  approveReview: [
    3,
    async (hand) => {
      const request = await openRequest(hand);
      return hand.service.approveReview(String(request.raw.task_id), request.id);
    },
  ],
  returnReview: [
    1,
    async (hand) => {
      const request = await openRequest(hand);
      return hand.service.returnReview(String(request.raw.task_id), request.id, 'Once more.');
    },
  ],
  forgeApproval: [2, (hand) => settleByModel(hand, 'review_approved')],
  forgeReturn: [3, (hand) => settleByModel(hand, 'review_returned')],
  editComment: [
    2,
    async (hand) => {
      const own = ({ raw }: ConvoyModel) => raw.actor_id === hand.life.userId;
      const comment = await entryOf(hand, 'comment', own);
      const { token } = hand;
      const write = {
        table: 'activity_feed',
        id: comment.id,
        column: 'text',
        value: token,
        wrote: token,
        saw: '',
      };
      hand.operation.writes.push(write);
      return hand.service.editComment(comment.id, token);
    },
  ],
  deleteComment: [
    2,
    async (hand) => {
      const comment = await entryOf(hand, 'comment');
      hand.oracle.giveUpComment(comment.id, comment.raw.details);
      return hand.service.deleteComment(comment.id);
    },
  ],
};
