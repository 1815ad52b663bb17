/**
 * Syncs without being asked: after local writes, on a poke, when the network comes back, when the app becomes
 * visible, on a timer, and again after a failure.
 */

import { debounceTime, distinctUntilChanged, map, type Subscription } from 'rxjs';
import type { Poke, PokeSource, PokeSubscription } from '@/core/pokes';
import { SYNCED_TABLES } from '@/domain/schema';
import type { ConvoyDatabase } from '../../database';
import type { SyncResult, SyncStatus } from '../state/status';
import type { SyncEngine } from '../synchronize';
import { PendingPokes } from './pendingPokes';
import {
  afterActivity,
  afterPoke,
  afterSync,
  type Circumstances,
  cutOffMs,
  DEFAULT_TIMING,
  INITIAL_STATE,
  type SyncTiming,
} from './schedule';

/** From a local change to the count of unsynced records, ms. */
const COUNT_DEBOUNCE_MS = 50;

export interface AutoSyncOptions {
  engine: SyncEngine;
  database: ConvoyDatabase;
  /** Calls back when the network comes back or goes. @returns how to stop listening */
  onConnectivity: (listener: (online: boolean) => void) => () => void;
  /** Calls back when the app becomes visible. @returns how to stop listening */
  onVisible?: (listener: () => void) => () => void;
  /** Tells when there is something to pull; without, the timer finds it. */
  pokes?: PokeSource | null;
  timing?: Partial<SyncTiming>;
  random?: () => number;
}

/** @returns how to stop; resolves when no timer and no connection is left. */
export function startAutoSync(options: AutoSyncOptions): () => Promise<void> {
  const autoSync = new AutoSync(options);
  return () => autoSync.stop();
}

type Timer = ReturnType<typeof setTimeout>;

class AutoSync {
  private readonly engine: SyncEngine;
  private readonly timing: SyncTiming;
  private readonly random: () => number;
  private readonly pending = new PendingPokes();
  private readonly pokes: PokeSubscription | undefined;
  private readonly subscriptions: Subscription[];
  private readonly stopListening: ((() => void) | undefined)[];

  private state = INITIAL_STATE;
  private timer: Timer | undefined;
  /** When the timer's sync is due, monotonic ms. */
  private dueAt = Number.POSITIVE_INFINITY;
  private pokeTimer: Timer | undefined;
  /** Whether pokes arrive: all topics are joined. */
  private isFlowing = false;
  private isRunning = false;
  /** A sync was asked for while one ran. */
  private isAskedAgain = false;
  /** Pokes stopped while a sync ran, which may have been answered before the server went away. */
  private isCutOff = false;
  private isStopped = false;

  constructor(options: AutoSyncOptions) {
    this.engine = options.engine;
    this.timing = { ...DEFAULT_TIMING, ...options.timing };
    this.random = options.random ?? Math.random;
    this.pokes = options.pokes?.subscribe({
      onPoke: (poke) => this.afterPoke(poke),
      onFlowing: (isFlowing) => this.afterFlowing(isFlowing),
    });
    this.subscriptions = this.observe(options.database);
    this.stopListening = [
      options.onConnectivity((isOnline) => {
        this.state = afterActivity(this.state, isOnline);
        // When offline too: the sync then reports that.
        this.ask();
      }),
      options.onVisible?.(() => {
        this.state = afterActivity(this.state);
        this.ask();
      }),
    ];
    this.schedule(0);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.pokeTimer);
    for (const stop of this.stopListening) stop?.();
    for (const subscription of this.subscriptions) subscription.unsubscribe();
    await this.pokes?.close();
  }

  private observe(database: ConvoyDatabase): Subscription[] {
    const localChanges = database.changesIn(SYNCED_TABLES);
    const kinds = this.engine.observeStatus().pipe(
      map(({ kind }) => kind),
      distinctUntilChanged(),
    );
    return [
      this.engine.observeRuns().subscribe((run) => void this.follow(run)),
      localChanges.pipe(debounceTime(COUNT_DEBOUNCE_MS)).subscribe(() => void this.recount()),
      localChanges.pipe(debounceTime(this.timing.debounceMs)).subscribe(() => void this.afterChanges()),
      kinds.subscribe((kind) => this.watchScopes(kind)),
    ];
  }

  private circumstances(): Circumstances {
    return { timing: this.timing, now: performance.now(), random: this.random() };
  }

  private schedule(ms: number): void {
    clearTimeout(this.timer);
    if (this.isStopped) return;
    const now = performance.now();
    this.dueAt = Math.max(now + ms, this.state.notBefore);
    this.timer = setTimeout(() => void this.engine.sync(), this.dueAt - now);
  }

  /** Asks for a sync within `ms`. A running sync may have read too early for it, so another one follows that. */
  private ask(ms = 0): void {
    if (this.isRunning) this.isAskedAgain = true;
    else if (performance.now() + ms < this.dueAt) this.schedule(ms);
  }

  /** Learns from every sync, also from one that was called for by hand (D31), and schedules the next. */
  private async follow(run: Promise<SyncResult>): Promise<void> {
    this.cancelTimers();
    this.isRunning = true;
    this.isAskedAgain = false;
    this.isCutOff = false;
    const answered = this.pending.begin();
    const result = await run;
    this.isRunning = false;
    if (this.isStopped) return;
    const { pending } = this.engine.currentStatus;
    const step = afterSync(this.state, result, {
      ...this.circumstances(),
      pending,
      flowing: this.isFlowing,
    });
    this.state = step.state;
    const wentWell = result.status === 'ok' || result.status === 'partial';
    if (wentWell) this.pending.end(answered, this.engine.heldRevisions());
    else this.pending.missed(answered);
    if (this.isAskedAgain && wentWell) this.schedule(0);
    else if (this.isCutOff && wentWell) this.schedule(Math.min(cutOffMs(this.circumstances()), step.waitMs));
    else this.schedule(step.waitMs);
    // After a failure the timer's sync answers the pokes, at the pace that is due then.
    if (wentWell) this.answerPokes();
  }

  private cancelTimers(): void {
    clearTimeout(this.timer);
    clearTimeout(this.pokeTimer);
    this.pokeTimer = undefined;
    this.dueAt = Number.POSITIVE_INFINITY;
  }

  private afterPoke(poke: Poke): void {
    if (this.isStopped) return;
    this.pending.add(poke);
    this.answerPokes();
  }

  private afterFlowing(isFlowing: boolean): void {
    if (this.isStopped || this.isFlowing === isFlowing) return;
    this.isFlowing = isFlowing;
    if (isFlowing) {
      this.pending.addGap();
      this.answerPokes();
    } else if (this.isRunning) {
      this.isCutOff = true;
    } else if (this.state.failures === 0) {
      this.state = afterActivity(this.state);
      this.ask(cutOffMs(this.circumstances()));
    }
  }

  private answerPokes(): void {
    // The server pokes this device about its own pushes too; once a push is over, these pokes are answered (K6).
    this.pending.drop(this.engine.heldRevisions());
    const isWaiting = this.isRunning || this.pokeTimer !== undefined || this.state.backingOff;
    if (this.pending.isEmpty || isWaiting) return;
    const step = afterPoke(this.state, this.circumstances());
    this.state = step.state;
    this.pokeTimer = setTimeout(() => {
      this.pokeTimer = undefined;
      this.pending.drop(this.engine.heldRevisions());
      // Pokes that stopped meanwhile do not tell that the server is there again.
      const isCutOff = !this.isFlowing && this.state.failures > 0;
      if (!this.pending.isEmpty && !isCutOff) this.ask();
    }, step.waitMs);
  }

  /** Where the storage fails, the next sync reports it. */
  private recount(): Promise<void> {
    return this.engine.refreshCounts().catch(() => undefined);
  }

  private async afterChanges(): Promise<void> {
    // A sync writes records too, so a change need not be an edit; and the status may be older than this change.
    await this.recount();
    if (this.isStopped || this.engine.currentStatus.pending === 0) return;
    this.state = afterActivity(this.state);
    if (!this.state.backingOff) this.ask();
  }

  private watchScopes(kind: SyncStatus['kind']): void {
    const held = this.engine.heldRevisions();
    if (kind !== 'syncing' && held.size > 0) this.pokes?.watch([...held.keys()]);
  }
}
