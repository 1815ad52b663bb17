/** Work on reviews and comments, and what nobody may do: approvals of older requests, and by agents. */

import { inOrder } from '@/domain/validation';
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

/** A settled review, past the Context Service and its early checks: the server has the last word. */
async function settleByModel(hand: Hand, type: 'review_approved' | 'review_returned') {
  const request = await entryOf(hand, 'review_requested');
  const task = await hand.database.findRecord('tasks', String(request.raw.task_id));
  if (!task) throw new NothingToDo();
  const stages = task.raw.workflow_id ? inOrder(CUSTOM_STAGES).map(({ name }) => name) : [...STANDARD_STAGES];
  const stage = hand.random.pick(stages);
  if (stage === task.raw.current_stage) throw new NothingToDo();
  const details = { request: request.id, ...(type === 'review_returned' && { reason: 'No.' }) };
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
  forgeReturn: [1, (hand) => settleByModel(hand, 'review_returned')],
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
