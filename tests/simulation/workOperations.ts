/** Claims, the next task, and finishing: what agents and people do to have work and to be done with it. */

import { STANDARD_STAGES } from '@/domain/vocabulary';
import { type Do, type Hand, NothingToDo, type Operations } from './hand';
import { CUSTOM_STAGES } from './team';

/** Two sessions of each process: what one has, the other one has not. */
const sessionOf = (hand: Hand) => `${hand.life.name} ${hand.random.below(2)}`;

/** @returns a task that this user has claimed, as far as is known here. @throws NothingToDo */
async function ownTask(hand: Hand) {
  const own = (await hand.all('tasks')).filter(({ raw }) => raw.claimed_by === hand.life.userId);
  if (own.length === 0) throw new NothingToDo();
  return hand.random.pick(own);
}

export const WORK_OPERATIONS: Operations = {
  claim: [
    3,
    async (hand) => {
      const task = await hand.some('tasks');
      const minutes = hand.random.pick([1, 15, 60]);
      return hand.service.claimTask(task.id, { claim_id: sessionOf(hand), minutes });
    },
  ],
  resume: [
    0.5,
    async (hand) => {
      const { id, raw } = await ownTask(hand);
      const resume = String(raw.claim_id ?? '');
      return hand.service.claimTask(id, { claim_id: sessionOf(hand), resume });
    },
  ],
  renewClaim: [
    2,
    async (hand) => {
      const { id, raw } = await ownTask(hand);
      return hand.service.renewClaim(id, String(raw.claim_id ?? 'none'), hand.random.pick([1, 15, 60]));
    },
  ],
  releaseClaim: [
    0.5,
    async (hand) => {
      const { id, raw } = await ownTask(hand);
      return hand.service.releaseClaim(id, String(raw.claim_id ?? 'none'));
    },
  ],
  nextTask: [
    1,
    async (hand) => {
      const next = await hand.service.getNextTask();
      if (next.task === null) return;
      const readiness = await hand.service.getReadiness(next.task.id);
      // Another process of the device may have written in between.
      if (readiness && !readiness.ready && hand.isAlone()) {
        hand.oracle.violate('N6', `${next.task.id} is next, and not ready: ${JSON.stringify(readiness)}`);
      }
    },
  ],
  finishTask: [
    1,
    async (hand) => {
      const { id, raw } = await hand.some('tasks');
      const stages = raw.workflow_id ? CUSTOM_STAGES.map(({ name }) => name) : STANDARD_STAGES;
      await hand.service.updateTaskStage(id, stages.at(-1) ?? '');
      return hand.service.finishTask(id);
    },
  ],
};

/** Both sessions of a process want the same task, and the second one does not ask to go on with the first one's claim (C9). */
export const RIVAL_OPERATIONS: Record<string, Do> = {
  rivalClaim: async (hand) => {
    const task = await hand.some('tasks');
    for (const session of [0, 1]) {
      await hand.service.claimTask(task.id, { claim_id: `${hand.life.name} ${session}` });
    }
  },
};
