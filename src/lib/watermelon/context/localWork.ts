/** Claims, readiness and the next task of one device; see `domain/work.ts`. */

import { type AppError, ConvoyError, orThrow } from '@/core/errors';
import { PAUSED_MESSAGE } from '@/domain/agents';
import type { ContextService } from '@/domain/contextService';
import type { Task, Workflow, WorkspaceMember } from '@/domain/entities';
import { mayWrite } from '@/domain/permissions';
import { isLive } from '@/domain/ready';
import { noSuchRecord, validateId } from '@/domain/validation';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import {
  type Claim,
  type ClaimRequest,
  type ClaimResult,
  checkClaim,
  checkClaimId,
  LEASE_MINUTES,
  type NextTask,
  type WorkService,
} from '@/domain/work';
import type { ConvoyModel } from '../models';
import { Q } from '../models/watermelondb';
import { type LocalFirst, readFirst, storing } from './localFirst';
import { toEntity } from './localStore';
import type { ProvisionalClaim, ProvisionalClaims } from './provisionalClaims';
import { readNext, readReadiness } from './readyQueries';

/** How long a claim waits for the server, ms. */
const CLAIM_WAIT_MS = 3_000;

export type LocalWork = WorkService & {
  /** Asks the server about the claims that wait for it. Never rejects for the server's sake. @returns whether there were any */
  settleClaims(signal?: AbortSignal): Promise<boolean>;
};

export function localWork(local: LocalFirst, provisional: ProvisionalClaims): LocalWork {
  const { store, clock, userId } = local;
  /** As the server counts it. */
  const serverNow = () => clock.now() + clock.offset();
  const asker = (claimId: string | null) => ({ userId, claimId, now: serverNow() });

  /** @returns the answer of the server; null where there is none in time, or no server */
  async function askServer<T>(ask: (remote: ContextService) => Promise<T>): Promise<{ answer: T } | null> {
    if (local.remote === null || !local.isOnline()) return null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const waited = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), CLAIM_WAIT_MS);
    });
    const asked = ask(local.remote).then(
      (answer) => ({ answer }),
      (thrown: unknown) => {
        if (isWithoutAnswer(thrown)) return null;
        throw thrown;
      },
    );
    // An answer that comes later is known by the next pull.
    asked.catch(() => undefined);
    try {
      return await Promise.race([asked, waited]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Stores what the server said of a claim, unless the device has something newer of the task by now. The columns are the
   * server's: the record has no edit by them. The next pull brings the row.
   */
  async function keep(
    record: ConvoyModel,
    { claimed_by, claim_id, claimed_until, revision }: Omit<Claim, 'task_id' | 'waits'>,
  ): Promise<void> {
    const until = claimed_until === null ? null : Date.parse(claimed_until);
    await storing(() =>
      store.database.write(async () => {
        const now = await store.record('tasks', record.id);
        if (!now || (revision !== null && Number(now.raw.revision) >= revision)) return;
        await store.database.batch([
          now.prepareReplace({ ...now.raw, claimed_by, claim_id, claimed_until: until }),
        ]);
      }, 'claims'),
    );
  }

  async function heard(record: ConvoyModel, result: ClaimResult, claimId: string): Promise<ClaimResult> {
    await keep(record, result.claim);
    await provisional.drop({ task_id: record.id, claim_id: claimId }, remoteIdOf(record));
    return { ...result, claim: { ...result.claim, task_id: record.id } };
  }

  /** A claim among the agents of this machine. */
  async function claimHere(record: ConvoyModel, request: ClaimRequest): Promise<ClaimResult> {
    const task = toEntity<Task>('tasks', record.raw);
    await requireClaimer(local, task);
    const waits = await waitsAtCheckpoint(local, task);
    const { claimId: claim_id, minutes, resume } = request;
    const isOwn = task.claimed_by === userId && (task.claim_id === claim_id || task.claim_id === resume);
    if (isLive(task, waits, serverNow()) && !isOwn) {
      return { state: 'taken', claim: claimOf(task, waits), provisional: true };
    }
    const taken = await storing(() =>
      provisional.take({ task_id: task.id, claim_id, minutes, resume }, remoteIdOf(record)),
    );
    const claimed_by = taken.rival?.user_id ?? userId;
    const claim: Claim = {
      task_id: task.id,
      claimed_by,
      claimed_until: taken.until,
      claim_id: taken.rival?.claim_id ?? claim_id,
      waits,
      revision: null,
    };
    return { state: taken.rival ? 'taken' : 'claimed', claim, provisional: true };
  }

  const work: LocalWork = {
    async claimTask(taskId, options) {
      const request = orThrow(checkClaim(taskId, options));
      const record = await store.record('tasks', request.taskId);
      if (!record) return onRemote(local, request.taskId, (remote) => remote.claimTask(taskId, options));
      const answered = isPushed(record)
        ? await askServer((remote) => remote.claimTask(remoteIdOf(record), sent(request)))
        : null;
      return answered ? heard(record, answered.answer, request.claimId) : claimHere(record, request);
    },

    async renewClaim(taskId, claimId, minutes = LEASE_MINUTES.usual) {
      const request = orThrow(checkClaim(taskId, { claim_id: claimId, minutes }));
      const record = await store.record('tasks', request.taskId);
      if (!record) {
        return onRemote(local, request.taskId, (remote) => remote.renewClaim(taskId, claimId, minutes));
      }
      const pending = (await provisional.all()).find((one) => isOf(one, record, request.claimId));
      if (pending?.state !== 'waiting' && isPushed(record)) {
        const answered = await askServer((remote) =>
          remote.renewClaim(remoteIdOf(record), request.claimId, request.minutes),
        );
        if (answered) return heard(record, answered.answer, request.claimId);
      }
      const task = toEntity<Task>('tasks', record.raw);
      const isKnown = task.claimed_by === userId && task.claim_id === request.claimId;
      if (pending?.state === 'waiting' || isKnown)
        return work.claimTask(taskId, { claim_id: claimId, minutes });
      const waits = await waitsAtCheckpoint(local, task);
      return { state: 'lost', claim: claimOf(task, waits), provisional: true };
    },

    async releaseClaim(taskId, claimId) {
      const request = orThrow(checkClaim(taskId, { claim_id: claimId }));
      const record = await store.record('tasks', request.taskId);
      if (!record) return onRemote(local, request.taskId, (remote) => remote.releaseClaim(taskId, claimId));
      const wasPending = (await provisional.all()).some(
        (one) => isOf(one, record, request.claimId) && one.state === 'waiting',
      );
      const key = { task_id: record.id, claim_id: request.claimId };
      await provisional.drop(key, remoteIdOf(record));
      const isKnown = record.raw.claimed_by === userId && record.raw.claim_id === request.claimId;
      if (!isPushed(record)) return { released: wasPending, revision: null };
      const answered = await askServer((remote) => remote.releaseClaim(remoteIdOf(record), request.claimId));
      if (answered === null && (isKnown || wasPending)) {
        const { minutes } = request;
        const until = new Date(serverNow()).toISOString();
        await provisional.put({
          ...key,
          minutes,
          resume: null,
          until,
          state: 'releasing',
          by: null,
          code: null,
        });
      }
      const revision = answered?.answer.revision ?? null;
      // A person may release the claim of an agent (C11).
      const isReleased = answered?.answer.released === true;
      if (isKnown || (isReleased && record.raw.claim_id === request.claimId))
        await keep(record, { ...NOBODYS, revision });
      return { released: wasPending || isKnown || isReleased, revision };
    },

    async getReadiness(taskId, claimId) {
      const own = claimId === undefined ? null : orThrow(checkClaimId('claim_id', claimId));
      const id = store.resolve(taskId);
      const read = () => readReadiness(store, id, asker(own));
      const isEnough = async (found: unknown) => found !== null || store.isDeleted('tasks', id);
      return readFirst(local, read, isEnough, (remote) => remote.getReadiness(taskId, claimId));
    },

    async getNextTask(options = {}): Promise<NextTask> {
      const { workspace_id, project_id, claim_id } = options;
      const own = claim_id === undefined ? null : orThrow(checkClaimId('claim_id', claim_id));
      const given = (field: string, id: string | undefined) =>
        id === undefined ? null : store.resolve(orThrow(validateId(field, id)));
      const scope = {
        workspaceId: given('workspace_id', workspace_id),
        projectId: given('project_id', project_id),
      };
      const isHere = async () =>
        (scope.workspaceId === null || (await store.record('workspaces', scope.workspaceId)) !== null) &&
        (scope.projectId === null || (await store.record('projects', scope.projectId)) !== null);
      const read = () => readNext(store, scope, asker(own));
      return readFirst(local, read, isHere, (remote) => remote.getNextTask(options));
    },

    async settleClaims(signal) {
      const waiting = (await provisional.all()).filter(
        ({ state }) => state === 'waiting' || state === 'releasing',
      );
      for (const claim of waiting) {
        if (signal?.aborted || !(await settle(claim))) break;
      }
      return waiting.length > 0;
    },
  };

  /** @returns whether the server could be asked about the next one too */
  async function settle(claim: ProvisionalClaim): Promise<boolean> {
    const record = await store.record('tasks', claim.task_id);
    const remoteId = record ? remoteIdOf(record) : claim.task_id;
    const isOver = claim.state === 'waiting' && Date.parse(claim.until) <= serverNow();
    if (!record || isOver) {
      await provisional.drop(claim, remoteId);
      return true;
    }
    if (!isPushed(record)) return true;
    const { claim_id, minutes, resume } = claim;
    try {
      if (claim.state === 'releasing') {
        const released = await askServer((remote) => remote.releaseClaim(remoteId, claim_id));
        if (released) await provisional.drop(claim, remoteId);
        return released !== null;
      }
      const options = { claim_id, minutes, ...(resume !== null && { resume }) };
      const answered = await askServer((remote) => remote.claimTask(remoteId, options));
      if (answered === null) return false;
      const { state, claim: standing } = await heard(record, answered.answer, claim_id);
      if (state !== 'claimed') await provisional.put({ ...claim, state: 'lost', by: standing.claimed_by });
      return true;
    } catch (thrown) {
      if (!(thrown instanceof ConvoyError)) throw thrown;
      await provisional.drop(claim, remoteId);
      if (claim.state === 'waiting') await provisional.put({ ...claim, state: 'refused', code: thrown.code });
      return true;
    }
  }

  return work;
}

const NOBODYS = { claimed_by: null, claimed_until: null, claim_id: null };

const isPushed = ({ raw }: ConvoyModel) => raw.remote_id !== null;
const remoteIdOf = ({ raw }: ConvoyModel) => String(raw.remote_id ?? raw.id);
const isOf = (one: ProvisionalClaim, record: ConvoyModel, claimId: string) =>
  one.task_id === record.id && one.claim_id === claimId;

function sent({ claimId: claim_id, minutes, resume }: ClaimRequest) {
  return { claim_id, minutes, ...(resume !== null && { resume }) };
}

function claimOf({ id, claimed_by, claimed_until, claim_id }: Task, waits: boolean): Claim {
  return { task_id: id, claimed_by, claimed_until, claim_id, waits, revision: null };
}

/** Whether a call ended without a word of the server about the claim, so that it may be asked again. */
function isWithoutAnswer(thrown: unknown): boolean {
  const kinds: AppError['kind'][] = ['transport', 'auth', 'protocol', 'unavailable'];
  return thrown instanceof ConvoyError && kinds.includes(thrown.detail.kind);
}

/** Asks the server about a task that is not on this device. */
async function onRemote<T>(
  local: LocalFirst,
  taskId: string,
  ask: (remote: ContextService) => Promise<T>,
): Promise<T> {
  const isDeleted = await local.store.isDeleted('tasks', taskId);
  if (isDeleted || local.remote === null || !local.isOnline())
    return orThrow(noSuchRecord('task_id', 'tasks'));
  return ask(local.remote);
}

async function waitsAtCheckpoint({ store }: LocalFirst, task: Task): Promise<boolean> {
  const workflow = await store.find<Workflow>('workflows', task.workflow_id ?? STANDARD_WORKFLOW_ID);
  return (
    workflow?.stages.some(({ name, is_checkpoint }) => name === task.current_stage && is_checkpoint) === true
  );
}

/** Throws the refusal that the server would answer with, as far as this device knows. */
async function requireClaimer({ store, userId }: LocalFirst, task: Task): Promise<void> {
  const [member] = await store.query<WorkspaceMember>(
    'workspace_members',
    Q.where('workspace_id', task.workspace_id),
    Q.where('user_id', userId),
  );
  const refuse = (code: string, message: string) => {
    throw new ConvoyError({ kind: 'rejected', code, column: null, message });
  };
  if (member && !mayWrite(member.role, 'tasks', 'update')) {
    refuse('forbidden', 'You may not claim tasks here. Ask an owner of the workspace.');
  }
  if (member?.paused_at) {
    refuse('paused', PAUSED_MESSAGE);
  }
  if (task.status === 'done' || task.status === 'cancelled') {
    refuse('closed', 'The task is done or cancelled. Choose another one with getNextTask.');
  }
}
