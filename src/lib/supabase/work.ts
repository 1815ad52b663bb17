/** Claims, readiness and the next task by way of the server's functions; see `domain/work.ts`. */

import { type AppError, ConvoyError, orThrow } from '@/core/errors';
import type { Json } from '@/core/protocol';
import { isUuid, storedTime } from '@/core/text';
import { PAUSED_MESSAGE } from '@/domain/agents';
import { type ReadinessFacts, readinessOf } from '@/domain/ready';
import { noSuchRecord, validateId } from '@/domain/validation';
import {
  type Claim,
  type ClaimResult,
  checkClaim,
  checkClaimId,
  LEASE_MINUTES,
  type NextTask,
  type WorkService,
} from '@/domain/work';
import type { RemoteRecords } from './records';
import { signedOut } from './rpc';

/** The answer of the server about a claim: one of these. */
interface ClaimAnswer {
  claim?: Claim;
  taken?: Claim;
  lost?: Claim;
  released?: boolean;
  revision?: number;
  error?: { code: string; message?: string };
}

type ClaimFunction = 'claim_task' | 'renew_claim' | 'release_claim';

export function remoteWork(records: RemoteRecords, userId: () => Promise<string>): WorkService {
  const ask = async (name: ClaimFunction, request: Record<string, Json>): Promise<ClaimAnswer> => {
    const answer = (await records.call(name, {
      request: { ...request, user_id: await userId() },
    })) as ClaimAnswer | null;
    if (answer?.error) throw new ConvoyError(failureOf(answer.error));
    return answer ?? {};
  };

  return {
    async claimTask(taskId, options) {
      const { taskId: task_id, claimId: claim_id, minutes, resume } = orThrow(checkClaim(taskId, options));
      if (!isUuid(task_id)) return orThrow(noSuchRecord('task_id', 'tasks'));
      return resultOf(await ask('claim_task', { task_id, claim_id, minutes, resume }));
    },
    async renewClaim(taskId, claimId, given = LEASE_MINUTES.usual) {
      const request = orThrow(checkClaim(taskId, { claim_id: claimId, minutes: given }));
      const { taskId: task_id, claimId: claim_id, minutes } = request;
      if (!isUuid(task_id)) return orThrow(noSuchRecord('task_id', 'tasks'));
      return resultOf(await ask('renew_claim', { task_id, claim_id, minutes }));
    },
    async releaseClaim(taskId, claimId) {
      const { taskId: task_id, claimId: claim_id } = orThrow(checkClaim(taskId, { claim_id: claimId }));
      if (!isUuid(task_id)) return orThrow(noSuchRecord('task_id', 'tasks'));
      const { released, revision } = await ask('release_claim', { task_id, claim_id });
      return { released: released === true, revision: revision ?? null };
    },
    async getReadiness(taskId, claimId) {
      const asked = claimId === undefined ? null : orThrow(checkClaimId('claim_id', claimId));
      if (!isUuid(taskId)) return null;
      const answer = await records.call('get_readiness', { task_id: taskId });
      return answer === null ? null : readiness(answer, await userId(), asked);
    },
    async getNextTask({ workspace_id, project_id, claim_id } = {}): Promise<NextTask> {
      const own = claim_id === undefined ? null : orThrow(checkClaimId('claim_id', claim_id));
      const request = {
        ...(workspace_id !== undefined && {
          workspace_id: orThrow(validateId('workspace_id', workspace_id)),
        }),
        ...(project_id !== undefined && { project_id: orThrow(validateId('project_id', project_id)) }),
        ...(own !== null && { claim_id: own }),
      };
      if ([request.workspace_id, request.project_id].some((id) => id !== undefined && !isUuid(id))) {
        return { task: null, open: 0, waiting: [] };
      }
      const answer = (await records.call('get_next_task', { request })) as {
        task: unknown;
        open: number;
        waiting: unknown[];
      };
      if (answer.task !== null) return { task: records.toEntity('tasks', answer.task) };
      const me = await userId();
      return {
        task: null,
        open: answer.open,
        waiting: answer.waiting.map((facts) => readiness(facts, me, own)),
      };
    },
  };

  function readiness(answer: unknown, me: string, claimId: string | null) {
    const facts = answer as ReadinessFacts & { now: string };
    const task = records.toEntity('tasks', facts.task);
    return readinessOf({ ...facts, task }, { userId: me, claimId, now: Date.parse(facts.now) });
  }
}

function resultOf({ claim, taken, lost }: ClaimAnswer): ClaimResult {
  if (claim) return { state: 'claimed', claim: canonical(claim), provisional: false };
  if (taken) return { state: 'taken', claim: canonical(taken), provisional: false };
  if (lost) return { state: 'lost', claim: canonical(lost), provisional: false };
  throw new ConvoyError(failureOf({ code: 'malformed' }));
}

function canonical(claim: Claim): Claim {
  const { claimed_until: until } = claim;
  return { ...claim, claimed_until: until === null ? null : storedTime(until) };
}

function failureOf({ code, message }: { code: string; message?: string }): AppError {
  switch (code) {
    case 'signed_out':
      return signedOut();
    case 'wrong_user':
      return {
        kind: 'auth',
        code: 'wrong_user',
        message: 'Another account is signed in now. Sign in again.',
      };
    case 'not_found':
      return {
        kind: 'validation',
        code: 'not_found',
        field: 'task_id',
        message: 'There is no such task, or you may not see it. Read again.',
      };
    case 'forbidden':
      return refused(code, 'You may not claim tasks here. Ask an owner of the workspace.');
    case 'paused':
      return refused(code, PAUSED_MESSAGE);
    case 'closed':
      return refused(code, 'The task is done or cancelled. Choose another one with getNextTask.');
    default:
      return {
        kind: 'protocol',
        code: 'malformed',
        message: message ?? 'The server does not understand the request. Update the app.',
      };
  }
}

function refused(code: string, message: string): AppError {
  return { kind: 'rejected', code, column: null, message };
}
