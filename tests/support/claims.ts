/** Calls about claims, without a device. */

import type { Json } from '@/core/protocol';
import type { Claim } from '@/domain/work';
import { addMembers, createUser, type SyncUser, type Team } from './syncUser';

export interface ClaimAnswer {
  claim?: Claim;
  taken?: Claim;
  lost?: Claim;
  released?: boolean;
  error?: { code: string };
}

/** @returns the unchecked answer of claim_task, renew_claim or release_claim to this user */
export function askAbout(
  user: SyncUser,
  name: 'claim_task' | 'renew_claim' | 'release_claim',
  request: Json,
): Promise<ClaimAnswer> {
  return user.database.as(user.id, async (connection) => {
    const [row] = await connection.query<{ answer: string }>(
      `select public.${name}($1::jsonb)::text as answer`,
      [JSON.stringify(request)],
    );
    return JSON.parse(row?.answer ?? 'null') as ClaimAnswer;
  });
}

export function claim(user: SyncUser, task_id: string, claim_id: string, more: Record<string, Json> = {}) {
  return askAbout(user, 'claim_task', { task_id, claim_id, ...more });
}

/** Sixteen agents ask for one task at once. @returns their answers */
export async function race(
  team: Team,
  taskId: string,
): Promise<{ agents: SyncUser[]; answers: ClaimAnswer[] }> {
  const { database } = team.owner;
  const agents: SyncUser[] = [];
  for (let n = 0; n < 16; n += 1)
    agents.push(await createUser(database, { name: `Agent ${n}`, kind: 'agent' }));
  await addMembers(database, team.workspace, ...agents.map((agent) => [agent, 'agent'] as const));
  return { agents, answers: await Promise.all(agents.map((agent) => claim(agent, taskId, agent.id))) };
}
