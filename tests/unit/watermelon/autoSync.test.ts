import { BehaviorSubject, Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PokeListener } from '@/core/pokes';
import type { ConvoyDatabase } from '@/lib/watermelon';
import { type SyncEngine, startAutoSync } from '@/lib/watermelon/sync';
import { DEFAULT_TIMING } from '@/lib/watermelon/sync/schedule';
import { NOTHING_DONE, type SyncResult } from '@/lib/watermelon/sync/status';

const SCOPE = 'a';
const RATE_LIMITED: Partial<SyncResult> = {
  status: 'error',
  error: { kind: 'transport', code: 'rate_limited', message: '', retryAfterMs: 90_000 },
  reaction: 'retry',
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The automatic sync of an engine that does nothing but count. Every sync takes 20 ms. */
function start() {
  const status = new BehaviorSubject({ kind: 'idle', pending: 0 });
  const changes = new Subject<void>();
  const held = new Map<string, number>();
  const heard = { syncs: 0, watched: [] as string[][], closed: 0 };
  const next: Partial<SyncResult>[] = [];
  let listener: PokeListener | undefined;
  let connectivity = (_online: boolean) => {};
  let visible = () => {};
  const engine = {
    get currentStatus() {
      return status.value;
    },
    observeStatus: () => status,
    heldRevisions: () => new Map(held),
    refreshCounts: async () => {},
    sync: async () => {
      heard.syncs += 1;
      status.next({ ...status.value, kind: 'syncing' });
      await new Promise((resolve) => setTimeout(resolve, 20));
      status.next({ ...status.value, kind: 'idle' });
      return { ...NOTHING_DONE, ...next.shift() };
    },
  } as unknown as SyncEngine;
  const stop = startAutoSync({
    engine,
    database: { withChangesForTables: () => changes } as unknown as ConvoyDatabase,
    onConnectivity: (callback) => {
      connectivity = callback;
      return () => {};
    },
    onVisible: (callback) => {
      visible = callback;
      return () => {};
    },
    pokes: {
      subscribe: (subscriber) => {
        listener = subscriber;
        return {
          watch: (scopes) => heard.watched.push([...scopes]),
          close: async () => {
            heard.closed += 1;
          },
        };
      },
    },
    random: () => 0.5,
  });
  return {
    heard,
    held,
    next,
    stop,
    poke: (revision: number) => listener?.onPoke({ kind: 'advanced', scope: SCOPE, revision }),
    flow: (flowing: boolean) => listener?.onFlowing(flowing),
    write: () => {
      status.next({ ...status.value, pending: 1 });
      changes.next();
    },
    connect: () => connectivity(true),
    look: () => visible(),
    /** @returns the syncs begun within this time. */
    within: async (ms: number) => {
      const before = heard.syncs;
      await vi.advanceTimersByTimeAsync(ms);
      return heard.syncs - before;
    },
  };
}

type Started = ReturnType<typeof start>;

/** Has synced once, holds revision 1 of a scope, and pokes flow. */
async function flowing(): Promise<Started> {
  const device = start();
  device.held.set(SCOPE, 1);
  expect(await device.within(100)).toBe(1);
  device.flow(true);
  // What happened before the channels were joined is asked for once.
  expect(await device.within(1_000)).toBe(1);
  return device;
}

describe('automatic sync', () => {
  it('syncs at the start, listens to what it then holds, and goes on by the timer', async () => {
    const device = start();
    device.held.set(SCOPE, 1);
    expect(await device.within(100)).toBe(1);
    expect(device.heard.watched.at(-1)).toEqual([SCOPE]);
    // The first sync found nothing, so the timer has already begun to slow down.
    expect(await device.within(2 * DEFAULT_TIMING.idleMs)).toBe(1);
  });

  it('K8: asks for nothing for an hour while pokes flow, K7: and soon when they stop', async () => {
    const device = await flowing();
    expect(await device.within(3_600_000)).toBe(0);
    device.flow(false);
    expect(await device.within(DEFAULT_TIMING.idleMs + 100)).toBe(1);
  });

  it('K10: answers a poke after its spread, and several with one sync', async () => {
    const device = await flowing();
    await device.within(10_000);
    device.poke(2);
    device.poke(3);
    device.poke(4);
    expect(await device.within(DEFAULT_TIMING.pokeMs / 2 - 1)).toBe(0);
    expect(await device.within(2)).toBe(1);
    device.held.set(SCOPE, 4);
    expect(await device.within(60_000)).toBe(0);
  });

  it('K6: asks for nothing on a poke about what it has, also when that came while the poke waited', async () => {
    const device = await flowing();
    device.poke(1);
    expect(await device.within(10_000)).toBe(0);
    device.poke(2);
    device.held.set(SCOPE, 2);
    expect(await device.within(10_000)).toBe(0);
  });

  it('K6: a poke during a push is judged when the push is over', async () => {
    const device = await flowing();
    device.write();
    await device.within(DEFAULT_TIMING.debounceMs + 10);
    device.poke(2);
    device.held.set(SCOPE, 2);
    expect(await device.within(10_000)).toBe(0);
    device.write();
    await device.within(DEFAULT_TIMING.debounceMs + 10);
    device.poke(4);
    expect(await device.within(5_000)).toBeGreaterThan(0);
  });

  it('K5: a poke that no sync can meet does not keep it busy', async () => {
    const device = await flowing();
    device.poke(99);
    expect(await device.within(60_000)).toBe(2);
  });

  it('syncs on becoming visible and on coming online', async () => {
    const device = await flowing();
    device.look();
    expect(await device.within(100)).toBe(1);
    device.connect();
    expect(await device.within(100)).toBe(1);
  });

  it('K11: nothing makes it ask before the time that the server named', async () => {
    const device = await flowing();
    device.next.push(RATE_LIMITED);
    device.look();
    expect(await device.within(100)).toBe(1);
    device.write();
    device.poke(9);
    device.look();
    device.connect();
    expect(await device.within(89_000)).toBe(0);
    expect(await device.within(5_000)).toBeGreaterThan(0);
  });

  it('K9: does nothing more once it is stopped', async () => {
    const device = await flowing();
    device.poke(2);
    device.write();
    await device.stop();
    expect(device.heard.closed).toBe(1);
    device.poke(3);
    device.flow(false);
    device.look();
    expect(vi.getTimerCount()).toBe(0);
    expect(await device.within(10_000_000)).toBe(0);
  });

  it('K9: stopped while it syncs, it does not go on afterwards', async () => {
    const device = await flowing();
    device.look();
    await device.within(10);
    await device.stop();
    expect(await device.within(10_000_000)).toBe(0);
  });
});
