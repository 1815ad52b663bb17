/**
 * When to sync without being asked: after local writes, on a poke, on coming online, on becoming
 * visible, on a timer, and again after a failure.
 */

import { debounceTime, distinctUntilChanged, map, type Subscription } from 'rxjs';
import type { PokeSource } from '@/core/pokes';
import { SYNCED_TABLES } from '@/domain/schema';
import type { ConvoyDatabase } from '../../database';
import type { SyncResult } from '../state/status';
import type { SyncEngine } from '../synchronize';
import { PendingPokes } from './pendingPokes';
import {
  afterActivity,
  afterPoke,
  afterSync,
  DEFAULT_TIMING,
  INITIAL_STATE,
  idleMs,
  type SyncTiming,
} from './schedule';

export interface AutoSyncOptions {
  engine: SyncEngine;
  database: ConvoyDatabase;
  /** Calls back when the network comes back or goes. @returns how to stop listening */
  onConnectivity: (listener: (online: boolean) => void) => () => void;
  /** Calls back when somebody looks again. @returns how to stop listening */
  onVisible?: (listener: () => void) => () => void;
  /** Tells when there is something to pull; without, the timer finds it. */
  pokes?: PokeSource | null;
  timing?: Partial<SyncTiming>;
  random?: () => number;
}

/** @returns how to stop; resolves when no timer and no connection is left. */
export function startAutoSync(options: AutoSyncOptions): () => Promise<void> {
  const { engine, database, random = Math.random } = options;
  const timing = { ...DEFAULT_TIMING, ...options.timing };
  const subscriptions: Subscription[] = [];
  const unmet = new PendingPokes();
  let state = INITIAL_STATE;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let pokeTimer: ReturnType<typeof setTimeout> | undefined;
  let flowing = false;
  let stopped = false;
  let running = false;
  let again = false;

  const now = () => performance.now();
  const circumstances = () => ({ timing, now: now(), random: random() });
  const schedule = (ms: number) => {
    clearTimeout(timer);
    if (stopped) return;
    dueAt = Math.max(now() + ms, state.notBefore);
    timer = setTimeout(() => void engine.sync(), dueAt - now());
  };
  /** What is asked for while a sync runs may come too late for it: that one is then followed by another. */
  const ask = (ms = 0) => {
    if (running) again = true;
    else if (now() + ms < dueAt) schedule(ms);
  };
  /** Every sync counts, whoever asked for it: what it learns of the server holds for all. */
  const follow = async (begun: Promise<SyncResult>) => {
    clearTimeout(timer);
    clearTimeout(pokeTimer);
    pokeTimer = undefined;
    dueAt = Number.POSITIVE_INFINITY;
    running = true;
    again = false;
    const answered = unmet.begin();
    const result = await begun;
    running = false;
    if (stopped) return;
    const { pending } = engine.currentStatus;
    const step = afterSync(state, result, { ...circumstances(), pending, flowing });
    state = step.state;
    const wentWell = result.status === 'ok' || result.status === 'partial';
    if (wentWell) unmet.end(answered, engine.heldRevisions());
    else unmet.missed(answered);
    schedule(again && wentWell ? 0 : step.waitMs);
    // After a failure the timer answers them, at the pace that is due then.
    if (wentWell) answerPokes();
  };
  const answerPokes = () => {
    // Own pushes are poked as well; when the push is over, this device has what it is poked about.
    unmet.drop(engine.heldRevisions());
    if (unmet.isEmpty || running || pokeTimer !== undefined || state.backingOff) return;
    const step = afterPoke(state, circumstances());
    state = step.state;
    pokeTimer = setTimeout(() => {
      pokeTimer = undefined;
      unmet.drop(engine.heldRevisions());
      if (!unmet.isEmpty) ask();
    }, step.waitMs);
  };

  /** Where the storage fails, the next sync tells. */
  const recount = () => engine.refreshCounts().catch(() => undefined);
  const afterChanges = async () => {
    // What a sync has written is a change as well, and the count may be older than this one.
    await recount();
    if (stopped || engine.currentStatus.pending === 0) return;
    state = afterActivity(state);
    if (!state.backingOff) ask();
  };

  const pokes = options.pokes?.subscribe({
    onPoke: (poke) => {
      if (stopped) return;
      unmet.add(poke);
      answerPokes();
    },
    onFlowing: (isFlowing) => {
      if (stopped || flowing === isFlowing) return;
      flowing = isFlowing;
      if (flowing) {
        unmet.addGap();
        answerPokes();
      } else if (!running) {
        // The timer was set for a device that is told.
        state = afterActivity(state);
        ask(idleMs(state, { ...circumstances(), flowing }));
      }
    },
  });
  const localChanges = database.changesIn(SYNCED_TABLES);
  subscriptions.push(
    engine.observeRuns().subscribe((begun) => void follow(begun)),
    localChanges.pipe(debounceTime(50)).subscribe(() => void recount()),
    localChanges.pipe(debounceTime(timing.debounceMs)).subscribe(() => void afterChanges()),
    engine
      .observeStatus()
      .pipe(
        map(({ kind }) => kind),
        distinctUntilChanged(),
      )
      .subscribe((kind) => {
        const held = engine.heldRevisions();
        if (kind !== 'syncing' && held.size > 0) pokes?.watch([...held.keys()]);
      }),
  );
  const stopListening = [
    options.onConnectivity((online) => {
      state = afterActivity(state, online);
      // Offline too: the sync then says so.
      ask();
    }),
    options.onVisible?.(() => {
      state = afterActivity(state);
      ask();
    }),
  ];
  schedule(0);

  return async () => {
    stopped = true;
    clearTimeout(timer);
    clearTimeout(pokeTimer);
    for (const stop of stopListening) stop?.();
    for (const subscription of subscriptions) subscription.unsubscribe();
    await pokes?.close();
  };
}
