/** What an agent has to hear of its claims: a call that names one may find that it does not stand any more. */

import { firstValueFrom } from 'rxjs';
import type { Claim } from '@/domain/work';
import { quoted } from '@/machine/records';
import type { Desk } from '../desk';
import { named } from './common';

/**
 * Renews the claim that a call names.
 * @returns a line about it where somebody else has the task, else nothing
 */
export async function renewed(desk: Desk, taskId: string, claimId: string | null): Promise<string[]> {
  if (claimId === null) return [];
  desk.claims.add(claimId);
  const result = await desk.device.contextService.renewClaim(taskId, claimId);
  return result.state === 'claimed' ? [] : [await lostText(desk, taskId, result.claim.claimed_by)];
}

/** @returns a line for each claim made without the server, by a call to this process, that the server has not confirmed; told once */
export async function lostClaims(desk: Desk): Promise<string[]> {
  const service = desk.device.contextService;
  const all = await firstValueFrom(service.observeClaims());
  const lost = all.filter(
    ({ state, claim_id }) => (state === 'lost' || state === 'refused') && desk.claims.has(claim_id),
  );
  return Promise.all(
    lost.map(async ({ task_id, claim_id, by }) => {
      const text = await lostText(desk, task_id, by);
      await service.dismissClaim(task_id, claim_id);
      return text;
    }),
  );
}

async function lostText(desk: Desk, taskId: string, by: Claim['claimed_by']): Promise<string> {
  const service = desk.device.contextService;
  const task = await service.getLocalTask(taskId);
  if (!task) return 'You have lost your claim: the task is not there any more.';
  const members = await service.getMembers(task.workspace_id);
  const who = members.find(({ user_id }) => user_id === by)?.display_name;
  const has = who ? `${quoted(who)} has the task` : 'it was not confirmed';
  return `You have lost your claim of ${await named(desk, task)}: ${has}. What you wrote stays. Call next for another task.`;
}
