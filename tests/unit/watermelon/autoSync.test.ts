import { BehaviorSubject, Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PokeListener } from '@/core/pokes';
import type { ConvoyDatabase } from '@/lib/watermelon';
import { type SyncEngine, startAutoSync } from '@/lib/watermelon/sync';
import { DEFAULT_TIMING } from '@/lib/watermelon/sync/automatic/schedule';
import { NOTHING_DONE, type SyncResult } from '@/lib/watermelon/sync/state/status';

const SCOPE = 'a';
const RATE_LIMITED: Partial<SyncResult> = {
  status: 'error',
  error: { kind: 'transport', code: 'rate_limited', message: '', retryAfterMs: 90_000 },
  reaction: 'retry',
};

const FAILED: Partial<SyncResult> = {
  status: 'error',
  error: { kind: 'unexpected', code: 'unexpected', message: '' },
  reaction: 'stop',
};

const BROKEN_OFF: Partial<SyncResult> = {
  status: 'error',
  error: { kind: 'transport', code: 'http', message: '', status: 503, sqlState: null },
  reaction: 'retry',
};

const UNREACHED: Partial<SyncResult> = {
  status: 'offline',
  error: { kind: 'transport', code: 'offline', message: '' },
  reaction: 'wait',
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The automatic sync of an engine that does nothing but count. Every sync takes 20 ms. */
function start() {
  const status = new BehaviorSubject({ kind: 'idle', pending: 0 });
  const changes = new Subject<void>();
  const held = new Map<string, number>();
  const heard = { syncs: 0, watched: [] as string[][], closed: 0, storageFails: false };
  const next: Partial<SyncResult>[] = [];
  let listener: PokeListener | undefined;
  let connectivity = (_online: boolean) => {};
  let visible = () => {};
  const runs = new Subject<Promise<SyncResult>>();
  let running: Promise<SyncResult> | null = null;
  const run = (): Promise<SyncResult> => {
    heard.syncs += 1;
    status.next({ ...status.value, kind: 'syncing' });
    const done = new Promise((resolve) => setTimeout(resolve, 20)).then(() => {
      status.next({ ...status.value, kind: 'idle' });
      return { ...NOTHING_DONE, ...next.shift() };
    });
    runs.next(done);
    return done;
  };
  const engine = {
    get currentStatus() {
      return status.value;
    },
    observeStatus: () => status,
    heldRevisions: () => new Map(held),
    refreshCounts: async () => {
      if (heard.storageFails) throw new Error('disk I/O error');
    },
    observeRuns: () => runs,
    sync: () => {
      running ??= run().finally(() => {
        running = null;
      });
      return running;
    },
  } as unknown as SyncEngine;
  const stop = startAutoSync({
    engine,
    database: { changesIn: () => changes } as unknown as ConvoyDatabase,
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
    /** Somebody asks for a sync and does not wait for the timer. */
    sync: () => engine.sync(),
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
  it('syncs at the start, listens to its scopes, and goes on by the timer', async () => {
    const device = start();
    device.held.set(SCOPE, 1);
    expect(await device.within(100)).toBe(1);
    expect(device.heard.watched.at(-1)).toEqual([SCOPE]);
    // The first sync found nothing, so the timer has already begun to slow down.
    expect(await device.within(2 * DEFAULT_TIMING.idleMs)).toBe(1);
  });

  it('requests nothing for an hour while pokes flow, and soon when they stop (K7, K8)', async () => {
    const device = await flowing();
    expect(await device.within(3_600_000)).toBe(0);
    device.flow(false);
    expect(await device.within(DEFAULT_TIMING.cutOffMs)).toBe(1);
  });

  it('asks soon whether the server is there when pokes stop during a sync (K8)', async () => {
    const device = await flowing();
    device.look();
    await device.within(10);
    device.flow(false);
    // The one that runs ends well, and may have been answered before.
    await device.within(100);
    expect(await device.within(DEFAULT_TIMING.cutOffMs)).toBe(1);
    expect(await device.within(DEFAULT_TIMING.cutOffMs)).toBe(0);
  });

  it('a connection that comes and goes does not shorten the wait after a failure (K8, K11)', async () => {
    const device = await flowing();
    device.next.push(...Array(60).fill(BROKEN_OFF));
    device.look();
    let syncs = 0;
    for (let flap = 0; flap < 60; flap += 1) {
      device.flow(flap % 2 === 0);
      syncs += await device.within(1_000);
    }
    // By half of each full wait: 0.5, 1, 2, 4, 8, 16 and 30 s.
    expect(syncs).toBeLessThanOrEqual(7);
  });

  it('pokes that flow for a moment now and then do not shorten the wait of a device without network (K8, K11)', async () => {
    const device = await flowing();
    device.next.push(...Array(600).fill(UNREACHED));
    device.look();
    let syncs = await device.within(1_000);
    for (let flap = 0; flap < 60; flap += 1) {
      device.flow(true);
      syncs += await device.within(100);
      device.flow(false);
      syncs += await device.within(9_900);
    }
    // By half of each full wait: 0.5, 1, 2, 4, 8, 16, and then 30 s.
    expect(syncs).toBeLessThanOrEqual(26);
  });

  it('a device without network syncs as soon as pokes flow again (K7)', async () => {
    const device = await flowing();
    device.next.push(...Array(10).fill(UNREACHED));
    device.look();
    await device.within(60_000);
    device.next.length = 0;
    device.flow(false);
    device.flow(true);
    expect(await device.within(DEFAULT_TIMING.pokeMs)).toBe(1);
  });

  it('a poke is answered after its spread, and several with one sync (K10)', async () => {
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

  it('a poke about known revisions requests nothing, also when they arrived while the poke waited (K6)', async () => {
    const device = await flowing();
    device.poke(1);
    expect(await device.within(10_000)).toBe(0);
    device.poke(2);
    device.held.set(SCOPE, 2);
    expect(await device.within(10_000)).toBe(0);
  });

  it('a poke during a push is judged when the push is over (K6)', async () => {
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

  it('a poke that no sync can meet does not keep it busy (K5)', async () => {
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

  it('no event causes a request before the time that the server named (K11)', async () => {
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

  it('a successful manual sync ends the wait that the server asked for (D31)', async () => {
    const device = await flowing();
    device.next.push(RATE_LIMITED);
    device.look();
    await device.within(100);
    void device.sync();
    await device.within(100);
    device.write();
    expect(await device.within(DEFAULT_TIMING.debounceMs + 10)).toBe(1);
    device.poke(9);
    expect(await device.within(DEFAULT_TIMING.pokeMostMs)).toBeGreaterThan(0);
  });

  it('a failed manual sync is backed off from, like any other (D31)', async () => {
    const device = await flowing();
    device.next.push(RATE_LIMITED);
    void device.sync();
    await device.within(100);
    device.write();
    device.poke(9);
    expect(await device.within(89_000)).toBe(0);
    expect(await device.within(5_000)).toBeGreaterThan(0);
  });

  it('a poke during a manual sync is answered after it (D31)', async () => {
    const device = await flowing();
    await device.within(10_000);
    void device.sync();
    await device.within(10);
    device.poke(5);
    expect(await device.within(DEFAULT_TIMING.pokeMs + 15)).toBe(1);
  });

  it('a gap whose sync fails is closed by the next one that succeeds (K7)', async () => {
    const device = await flowing();
    device.next.push(FAILED);
    device.flow(false);
    device.flow(true);
    expect(await device.within(2_000)).toBe(1);
    device.look();
    // That one went well, and the gap is closed with it.
    expect(await device.within(5_000)).toBe(1);
    expect(await device.within(60_000)).toBe(0);
  });

  it('an error that needs a person leaves the timer running, and pokes do not cause retries (D31)', async () => {
    const device = await flowing();
    await device.within(10_000);
    device.next.push(FAILED, FAILED, FAILED);
    device.poke(7);
    expect(await device.within(10_000)).toBe(1);
    expect(await device.within(4 * DEFAULT_TIMING.idleMs)).toBeGreaterThan(0);
  });

  it('a storage failure while changes are counted does not end the automatic sync (D31)', async () => {
    const device = await flowing();
    await device.within(10_000);
    device.heard.storageFails = true;
    device.write();
    await device.within(1_000);
    device.heard.storageFails = false;
    device.write();
    expect(await device.within(1_000)).toBeGreaterThan(0);
  });

  it('a poke is not given up while the device is offline (K5)', async () => {
    const device = await flowing();
    await device.within(10_000);
    const offline: Partial<SyncResult> = { status: 'offline' };
    device.next.push(offline, offline, offline);
    device.poke(7);
    await device.within(500);
    device.look();
    await device.within(500);
    device.look();
    await device.within(500);
    // The network is back.
    device.look();
    expect(await device.within(100)).toBe(1);
    // Nothing came of it, so it is tried once more before it is dropped.
    expect(await device.within(10_000)).toBe(1);
  });

  it('a stopped automatic sync does nothing more (K9)', async () => {
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

  it('an automatic sync that is stopped while it syncs does not go on afterwards (K9)', async () => {
    const device = await flowing();
    device.look();
    await device.within(10);
    await device.stop();
    expect(await device.within(10_000_000)).toBe(0);
  });
});
