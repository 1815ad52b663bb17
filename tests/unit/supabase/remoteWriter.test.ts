import { describe, expect, it } from 'vitest';
import { ConvoyError, type SyncError } from '@/core/errors';
import type { PushAnswer, PushOutcome, PushRequest, SyncTransport } from '@/core/protocol';
import { fail, ok } from '@/core/result';
import type { ConvoyClient } from '@/lib/supabase/client';
import { type Change, RemoteWriter } from '@/lib/supabase/remoteWriter';
import { FaultyTransport } from '../../support/faultyTransport';

const USER = '01900000-0000-7000-8000-000000000001';
const SCOPE = '01900000-0000-7000-8000-000000000002';
const TASK = '01900000-0000-7000-8000-000000000003';

/** A server that answers every push with these outcomes, and keeps what it was asked. */
class Server implements SyncTransport {
  readonly seen: PushRequest[] = [];
  outcomes: PushOutcome[] = [];

  pull: SyncTransport['pull'] = async () =>
    fail<SyncError>({ kind: 'unexpected', code: 'unexpected', message: '' });

  settle: SyncTransport['settle'] = async () =>
    fail<SyncError>({ kind: 'unexpected', code: 'unexpected', message: '' });

  /** Steps that are left of a deletion. */
  steps = 0;

  step: SyncTransport['step'] = async ({ user_id }) => {
    this.steps -= 1;
    const answer = { user_id, server_time: '2026-03-01T00:00:00Z', left: this.steps > 0 };
    return ok({ ...answer, traffic: { sent: 0, received: 0, ms: 0 } });
  };

  push: SyncTransport['push'] = async (request) => {
    this.seen.push(structuredClone(request));
    const applied = request.changes.map((): PushOutcome => ({ outcome: 'applied', revision: 1 }));
    const answer: PushAnswer = {
      user_id: request.user_id,
      batch: request.batch,
      server_time: '2026-03-01T00:00:00Z',
      outcomes: this.outcomes.length > 0 ? this.outcomes : applied,
      effects: { rows: {}, deleted: {} },
      revisions: {},
      unfinished: this.steps > 0 ? [TASK] : [],
    };
    return ok({ ...answer, traffic: { sent: 0, received: 0, ms: 0 } });
  };
}

const signedIn = { auth: { getSession: async () => ({ data: { session: { user: { id: USER } } } }) } };
const signedOut = { auth: { getSession: async () => ({ data: { session: null } }) } };

function setUp(client: unknown = signedIn) {
  const server = new Server();
  const transport = new FaultyTransport(server);
  const writer = new RemoteWriter(client as ConvoyClient, transport, { retryDelaysMs: [0, 0] });
  return { server, transport, writer };
}

const insert: Change = {
  table: 'activity_feed',
  op: 'insert',
  id: SCOPE,
  workspace_id: SCOPE,
  values: { task_id: TASK, entity_type: null, activity_type: 'comment' },
};
const move: Change = {
  table: 'tasks',
  op: 'update',
  id: TASK,
  workspace_id: SCOPE,
  values: { parent_task_id: null },
};

async function errorOf(writing: Promise<void>) {
  const error = await writing.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConvoyError)) throw new Error('It did not fail as expected.');
  return error.detail;
}

describe('RemoteWriter', () => {
  it('one group is sent without a base, and inserts are sent without nulls (U1)', async () => {
    const { server, writer } = setUp();
    await writer.write([move, insert]);
    expect(server.seen[0]).toMatchObject({ user_id: USER, batch: 1, cursors: {}, skip: {} });
    expect(server.seen[0]?.changes).toEqual([
      { ...move, base: null, group: 0 },
      { ...insert, values: { task_id: TASK, activity_type: 'comment' }, base: null, group: 0 },
    ]);
  });

  it('a batch whose answer was lost is resent unchanged (U2)', async () => {
    const { server, transport, writer } = setUp();
    transport.loseNextResponse('push').loseNextRequest('push');
    await writer.write([move]);
    expect(transport.count('push')).toBe(3);
    expect(server.seen).toHaveLength(2);
    expect(server.seen[1]).toEqual(server.seen[0]);
  });

  it('a write is given up after its attempts, and the next one has the next number', async () => {
    const { server, transport, writer } = setUp();
    const error: SyncError = { kind: 'transport', code: 'offline', message: 'x' };
    transport.failNext('push', error, 3);
    expect(await errorOf(writer.write([move]))).toEqual(error);
    await writer.write([move]);
    expect(server.seen.map(({ batch }) => batch)).toEqual([2]);
  });

  it('an error that a retry cannot mend is not retried', async () => {
    const { transport, writer } = setUp();
    transport.failNext('push', { kind: 'auth', code: 'expired', message: 'x' });
    expect(await errorOf(writer.write([move]))).toMatchObject({ kind: 'auth', code: 'expired' });
    expect(transport.count('push')).toBe(1);
  });

  it('a new device id is taken where the server answers device_conflict (U2)', async () => {
    const { server, transport, writer } = setUp();
    transport.failNext('push', { kind: 'protocol', code: 'device_conflict', message: 'x' });
    await writer.write([move]);
    const refused = transport.requests[0]?.request as PushRequest;
    expect(server.seen[0]?.device_id).not.toBe(refused.device_id);
    await writer.write([move]);
    expect(server.seen.map(({ batch }) => batch)).toEqual([1, 2]);
  });

  it('the steps of a large deletion are taken before the write is done (U44)', async () => {
    const { server, transport, writer } = setUp();
    server.steps = 3;
    await writer.write([{ table: 'tasks', op: 'delete', id: TASK, workspace_id: SCOPE }]);
    expect([transport.count('push'), transport.count('step')]).toEqual([1, 3]);
  });

  it('writes are sent one after the other', async () => {
    const { server, transport, writer } = setUp();
    const release = transport.holdNext('push');
    const first = writer.write([move]);
    const second = writer.write([insert]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(transport.count('push')).toBe(1);
    release();
    await Promise.all([first, second]);
    expect(server.seen.map(({ batch }) => batch)).toEqual([1, 2]);
  });

  it('a missing session is reported before anything is sent', async () => {
    const { transport, writer } = setUp(signedOut);
    expect(await errorOf(writer.write([move]))).toMatchObject({ kind: 'auth', code: 'signed_out' });
    expect(transport.count('push')).toBe(0);
  });

  const group: PushOutcome = { outcome: 'rejected', code: 'group', column: null, message: 'x' };
  const reject = (
    code: 'forbidden' | 'cycle' | 'unknown_stage' | 'checkpoint' | 'unique' | 'missing_parent',
  ) => ({ outcome: 'rejected', code, column: null, message: 'x' }) as const;

  it.each<[string, PushOutcome[], object]>([
    ['the cause, not its consequence', [group, reject('forbidden')], { kind: 'rejected', code: 'forbidden' }],
    ['a checkpoint', [reject('checkpoint'), group], { kind: 'rejected', code: 'checkpoint' }],
    ['a cycle', [reject('cycle'), group], { kind: 'validation', code: 'cycle', field: 'parent_task_id' }],
    ['an unknown stage', [reject('unknown_stage'), group], { code: 'unknown_stage', field: 'current_stage' }],
    ['a missing parent', [reject('missing_parent'), group], { code: 'not_found', field: 'milestone_id' }],
    [
      'a record that is gone',
      [{ outcome: 'gone', which: 'record' }, group],
      { code: 'not_found', field: 'id' },
    ],
    [
      'a parent that is gone',
      [group, { outcome: 'gone', which: 'parent' }],
      { code: 'not_found', field: 'task_id' },
    ],
    [
      'a conflict',
      [
        { outcome: 'conflict', revision: 1, columns: { parent_task_id: null } },
        { outcome: 'blocked', by: TASK },
      ],
      { kind: 'conflict', columns: ['parent_task_id'] },
    ],
    [
      'a merge as a success',
      [{ outcome: 'merged', revision: 1 }, group],
      { kind: 'rejected', code: 'group' },
    ],
  ])('%s is reported', async (_, outcomes, expected) => {
    const { server, writer } = setUp();
    server.outcomes = outcomes;
    expect(await errorOf(writer.write([move, insert]))).toMatchObject(expected);
  });
});
