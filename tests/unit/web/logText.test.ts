import { describe, expect, it } from 'vitest';
import type { SyncLogItem } from '@/lib/watermelon';
import { bytesText, durationText, foldRepeated, logText } from '@/web/sync/logText';

const ITEM: SyncLogItem = {
  id: 'one',
  started_at: '2026-03-01T12:00:00.000Z',
  duration_ms: 240,
  status: 'ok',
  pushed: 0,
  pulled: 0,
  conflicts: 0,
  rejected: 0,
  sent_bytes: 812,
  received_bytes: 14_200,
  error: null,
};

describe('an entry of the sync log (D27)', () => {
  it('gives the work done and its cost', () => {
    expect(logText({ ...ITEM, pushed: 2, pulled: 1_200, conflicts: 1, rejected: 3 })).toEqual({
      tone: 'ok',
      headline: 'Done',
      done: '2 sent, 1,200 received, 1 conflict, 3 refused',
      cost: '812 B up, 14 kB down, 240 ms',
      error: null,
      cause: null,
    });
  });

  it('gives the reason of a failure, once', () => {
    const error = { kind: 'storage', code: 'quota', message: 'The disk is full.' };
    const nothing = { sent_bytes: 0, received_bytes: 0 };
    expect(logText({ ...ITEM, ...nothing, status: 'error', error })).toMatchObject({
      tone: 'error',
      headline: 'Failed',
      done: null,
      cost: '240 ms',
      error: 'There is no room left on this device.',
      cause: 'The disk is full.',
    });
    const offline = { kind: 'transport', code: 'offline', message: 'The server cannot be reached.' };
    expect(logText({ ...ITEM, status: 'offline', error: offline })).toMatchObject({
      headline: 'Server not reachable',
      error: null,
    });
  });

  it('stands for those before it that failed alike', () => {
    const offline = { kind: 'transport', code: 'offline', message: 'The server cannot be reached.' };
    const failed = (id: string, more: Partial<SyncLogItem> = {}): SyncLogItem => ({
      ...ITEM,
      id,
      status: 'offline',
      error: offline,
      ...more,
    });
    const log = [
      failed('a'),
      failed('b'),
      failed('c', { pushed: 1 }),
      failed('d'),
      { ...ITEM, id: 'e' },
      { ...ITEM, id: 'f' },
      failed('g', { status: 'error', error: { ...offline, code: 'server' } }),
    ];
    expect(foldRepeated(log).map(({ item, times }) => [item.id, times])).toEqual([
      ['a', 2],
      ['c', 1],
      ['d', 1],
      ['e', 1],
      ['f', 1],
      ['g', 1],
    ]);
  });

  it('shortens bytes and times', () => {
    expect([999, 1_000, 15_400, 3_140_000].map(bytesText)).toEqual(['999 B', '1.0 kB', '15 kB', '3.1 MB']);
    expect([12, 999, 3_240].map(durationText)).toEqual(['12 ms', '999 ms', '3.2 s']);
  });
});
