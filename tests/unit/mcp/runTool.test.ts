import { BehaviorSubject, EMPTY, NEVER, type Observable, of, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AppError, ConvoyError } from '@/core/errors';
import { PAUSED_MESSAGE } from '@/domain/agents';
import type { Desk, Desks } from '@/mcp/desk';
import { runTool } from '@/mcp/run';

const task = { id: 'task', key: 'FIELD-1', workspace_id: 'workspace', current_stage: 'PLAN' };
const STORAGE: AppError = { kind: 'storage', code: 'unavailable', message: 'The disk is gone.' };
const PAUSED: AppError = { kind: 'rejected', code: 'paused', column: null, message: PAUSED_MESSAGE };
const failing = async () => {
  throw new ConvoyError(STORAGE);
};

/** The desk of an agent. A storage that fails between two reads is what no real one can be made to be. */
function desks(service: object, pausedAt: string | null = null, lastSyncedAt: number | null = 1): Desks {
  const desk = {
    link: null,
    claims: new Set(['claim']),
    profile: { userId: 'agent', name: 'Agent', kind: 'agent', url: 'http://127.0.0.1:8787' },
    platform: { sessionStorage: () => ({ getItem: async () => '{}' }) },
    device: {
      database: { seenRevision: () => 1 },
      syncStatus: { lastSyncedAt },
      contextService: {
        findTask: async () => task,
        finishTask: async () => task,
        observeClaims: () => of([]),
        getWorkspaces: async () => [{ id: 'workspace', name: 'Workspace' }],
        getMembers: async () => [{ user_id: 'agent', paused_at: pausedAt }],
        ...service,
      },
    },
  };
  return { open: async () => desk as unknown as Desk } as unknown as Desks;
}

const run = (name: string, service: object, pausedAt?: string) =>
  runTool(desks(service, pausedAt), name, { task: 'FIELD-1' }, new AbortController().signal);

describe('a tool call', () => {
  beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined));
  afterEach(() => vi.restoreAllMocks());

  it('stands though claims that were lost meanwhile, or memberships, could not be looked up', async () => {
    const done = { text: 'FIELD-1 is done.', isError: false };
    expect(await run('finish', { observeClaims: () => throwError(() => new Error('gone')) })).toMatchObject(
      done,
    );
    expect(await run('finish', { getMembers: failing })).toMatchObject(done);
  });

  it('that names a lost claim tells it again where its words could not be found', async () => {
    const dismissed: unknown[] = [];
    const claims = {
      observeClaims: () => of([{ state: 'lost', claim_id: 'claim', task_id: 'task', by: null }]),
      dismissClaim: async (...claim: unknown[]) => void dismissed.push(claim),
    };
    await run('finish', { ...claims, getLocalTask: failing });
    expect(dismissed).toEqual([]);
    expect((await run('finish', { ...claims, getLocalTask: async () => null })).text).toContain(
      'lost your claim',
    );
    expect(dismissed).toHaveLength(1);
  });

  it('of an agent that is paused says so, once, whatever it answers (A7)', async () => {
    const at = '2026-03-01T09:00:00.000Z';
    const told = `${PAUSED_MESSAGE} (rejected/paused)`;
    expect(await run('finish', {}, at)).toMatchObject({ text: `${told}\nFIELD-1 is done.`, isError: false });
    const finishTask = async () => {
      throw new ConvoyError(PAUSED);
    };
    expect(await run('finish', { finishTask }, at)).toMatchObject({ text: told, isError: true });
    expect((await run('finish', { finishTask: failing }, at)).text).toBe(
      `${told}\n${STORAGE.message} (storage/unavailable)`,
    );
  });
});

describe('a tool call of an agent without a membership', () => {
  it('says so once a sync was complete, and not while the first one brings what there is (A3)', async () => {
    const call = (lastSyncedAt: number | null) =>
      runTool(
        desks({ getWorkspaces: async () => [] }, null, lastSyncedAt),
        'finish',
        { task: 'FIELD-1' },
        new AbortController().signal,
      );
    expect((await call(1)).text).toContain('(rejected/revoked)\nFIELD-1 is done.');
    expect((await call(null)).text).toBe('FIELD-1 is done.');
  });
});

describe('wait', () => {
  const question = { id: 'q', kind: 'question', author_id: 'agent', is_answered: false, text: 'Which?' };
  const waiting = (observed: Observable<unknown>, later: () => Promise<unknown>) => {
    const reads = [async () => [question], later];
    return {
      getReview: async () => null,
      getComments: () => (reads.shift() ?? later)(),
      observeTaskContext: () => observed,
    };
  };

  it('tells a failure of a later look as one, and goes on with the process', async () => {
    const failure = { text: `${STORAGE.message} (storage/unavailable)`, isError: true };
    expect(await run('wait', waiting(new BehaviorSubject(null), failing))).toMatchObject(failure);
    const broken = throwError(() => new ConvoyError(STORAGE));
    expect(
      await run(
        'wait',
        waiting(broken, async () => []),
      ),
    ).toMatchObject(failure);
  });

  it('tells the answer that comes, and gives up where its caller does', async () => {
    const answer = { id: 'a', kind: 'answer', question_id: 'q', is_deleted: false, text: 'Oak.' };
    const answered = async () => [{ ...question, is_answered: true }, answer];
    expect((await run('wait', waiting(new BehaviorSubject(null), answered))).text).toContain('"Oak."');
    const caller = new AbortController();
    const call = runTool(desks(waiting(NEVER, failing)), 'wait', { task: 'FIELD-1' }, caller.signal);
    // The call looks at the task before it waits.
    await new Promise((resolve) => setImmediate(resolve));
    caller.abort();
    expect((await call).text).toContain('Still waiting');
    expect((await run('wait', waiting(EMPTY, failing))).text).toContain('Still waiting');
  });
});
