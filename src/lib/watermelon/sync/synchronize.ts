/** Orchestration: push, pull and merge by turns until both are quiet. One sync at a time for each database. */

import { type Observable, Subject } from 'rxjs';
import { ConvoyError, leavesPulls, type SyncError } from '@/core/errors';
import type { InvitationPort } from '@/core/invitations';
import { isUuid } from '@/core/text';
import { takeSteps } from './deletionSteps';
import type { IdMappings } from './idMapping';
import { type Acceptance, Acceptances, type AcceptResult } from './invitations';
import type { NetworkHint } from './networkHint';
import { newPullCounts, type PullCounts, pullSync } from './pullSync';
import { newPushCounts, pushSync } from './pushSync';
import { ContextLoader, type ContextOptions, isOvertaken } from './state/contextLoader';
import { completeRevision } from './state/deviceStore';
import { finishSync } from './state/finish';
import { pausedScopes } from './state/pausedScopes';
import { addCounts, endWith, toSyncError } from './state/result';
import { NOTHING_DONE, type Progress, type SyncResult, type SyncStatus } from './state/status';
import { StatusReporter } from './state/statusReporter';
import type { SyncContext } from './state/syncContext';

/** Rounds of one sync; records that are unsynced then wait for the next sync. */
const MOST_ROUNDS = 8;
/** Attempts of a sync; each one after the first follows a foreign write that overtook it. */
const MOST_ATTEMPTS = 3;

export interface SyncEngineOptions extends ContextOptions {
  /** Whether the device believes it has a network: a hint, which may be wrong for as long as the device runs. */
  network: NetworkHint;
  /** Runs work while no other tab or process syncs this database. */
  exclusively: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** Accepts invitations; null: nobody is signed in. */
  invitations?: InvitationPort | null;
}

/** Keeps one local database in step with the server. */
export class SyncEngine {
  private readonly status: StatusReporter;
  private readonly contexts: ContextLoader;
  private readonly runs = new Subject<Promise<SyncResult>>();
  private running: Promise<SyncResult> | null = null;
  private readonly stopped = new AbortController();
  /** Asks the server about all else that waits for it, once all is pushed. @returns whether there is something new to pull */
  afterReached: (signal: AbortSignal) => Promise<boolean> = async () => false;
  private readonly acceptances: Acceptances;
  /** The results of the acceptances that were sent since this device was opened. */
  private readonly accepted = new Map<string, AcceptResult>();

  constructor(private readonly options: SyncEngineOptions) {
    const { database } = options;
    this.status = new StatusReporter(database);
    this.acceptances = new Acceptances(database, options.invitations ?? null, options.userId);
    this.contexts = new ContextLoader(options, this.stopped.signal, ({ store }) =>
      this.status.reportLastSynced(store.facts.lastSyncedAt),
    );
    database.onUnnamedWrites(Object.keys(database.schema.tables), (tables) => {
      const isStale = this.contexts.noticeForeignWrites(tables);
      // A running sync opens its context itself.
      if (isStale && !this.running) void this.contexts.open().catch(() => undefined);
    });
  }

  /** The state of this device, now and whenever it changes. */
  observeStatus(): Observable<SyncStatus> {
    return this.status.observe();
  }

  get currentStatus(): SyncStatus {
    return this.status.current;
  }

  /**
   * Pushes, pulls and merges until nothing is left. Calls while a sync runs share it.
   * @param options.byHand asks the server though the device believes that it has no network (D31)
   * @returns what was done; failures of the network, of the session and of the server are part of it
   */
  sync({ byHand = false } = {}): Promise<SyncResult> {
    if (this.running) return this.running;
    const running = this.run(byHand).finally(() => {
      this.running = null;
    });
    this.running = running;
    this.runs.next(running);
    return running;
  }

  /**
   * Runs work while nothing syncs this database; `sync` called meanwhile does nothing.
   * @returns what the work returns; rejects as it does
   */
  async whileIdle<T>(work: () => Promise<T>): Promise<T> {
    while (this.running) await this.running;
    const working = this.options.exclusively(async () => {
      const done = await work();
      // The work may have replaced what the context holds. Where loading fails, the next sync loads it.
      await this.contexts.open().catch(() => undefined);
      return done;
    }, this.stopped.signal);
    this.running = Promise.allSettled([working]).then(() => {
      this.running = null;
      return { ...NOTHING_DONE };
    });
    const done = await working;
    await this.refreshCounts();
    return done;
  }

  /** Invitations that were accepted here and wait for the server, or were refused by it. */
  observeAcceptances(): Observable<readonly Acceptance[]> {
    return this.acceptances.observe();
  }

  /** Reads the stored acceptances. Rejects where the storage fails. */
  loadAcceptances(): Promise<void> {
    return this.acceptances.load();
  }

  /**
   * Accepts an invitation: it is stored at once, and sent now or by the sync that reaches the server.
   * Rejects with a `ConvoyError` (storage; `validation/bad_id` for what is no id of an invitation).
   */
  async acceptInvitation(id: string): Promise<AcceptResult> {
    if (!isUuid(id)) {
      const message = 'This is no link of an invitation. Copy all of it.';
      throw new ConvoyError({ kind: 'validation', code: 'bad_id', field: 'invitation_id', message });
    }
    await this.acceptances.add(id);
    await this.running;
    this.accepted.delete(id);
    await this.sync({ byHand: true });
    return this.accepted.get(id) ?? { state: 'waiting' };
  }

  dismissAcceptance(id: string): Promise<void> {
    return this.acceptances.remove(id);
  }

  /** Every sync when it begins, called for or automatic. */
  observeRuns(): Observable<Promise<SyncResult>> {
    return this.runs.asObservable();
  }

  /** Ends the running sync, its request included; no more are started. Batches in flight stay stored. */
  async stop(): Promise<void> {
    this.stopped.abort();
    await Promise.allSettled([this.running, this.status.untilCounted()]);
  }

  /** @returns the id mappings of this database: always the same object. Rejects where the storage fails. */
  async idMappings(): Promise<IdMappings> {
    return (await this.contexts.open()).ids;
  }

  /** The scopes of this device, and the revision up to which everything of each is here. */
  heldRevisions(): ReadonlyMap<string, number> {
    const scopes = this.contexts.latest?.store.scopes ?? new Map();
    return new Map([...scopes].map(([id, { cursor }]) => [id, completeRevision(cursor)]));
  }

  /** Counts unsynced records and refused changes, for the status. Rejects where the storage fails. */
  refreshCounts(): Promise<void> {
    return this.stopped.signal.aborted ? Promise.resolve() : this.status.refreshCounts();
  }

  private async run(byHand: boolean): Promise<SyncResult> {
    const { transport, clock, network, exclusively } = this.options;
    const { signal } = this.stopped;
    const result: SyncResult = { ...NOTHING_DONE };
    if (transport === null || signal.aborted) return { ...result, status: 'signed_out' };
    const startedAt = clock.now();
    if (!byHand && !network.isOnline()) {
      result.status = 'offline';
      await this.finish(result, startedAt);
      return result;
    }
    this.status.report({ kind: 'syncing', error: null, progress: null });
    try {
      await exclusively(async () => {
        const error = await this.fromLatest(result);
        network.heard(error);
        if (error) endWith(result, error);
        // The device has said so before: there is no network, and nothing has failed.
        if (result.status === 'offline' && !network.isOnline()) {
          Object.assign(result, { error: null, reaction: null });
        }
        // Finished under the lock: the next sync to have it reads what this one writes.
        await this.finish(result, startedAt);
      }, signal);
    } catch (thrown) {
      await this.recover();
      endWith(result, toSyncError(thrown));
      await this.finish(result, startedAt);
    }
    return result;
  }

  /** Syncs from what is stored now, and begins anew where a foreign write overtakes it. To be called under the lock. */
  private async fromLatest(result: SyncResult): Promise<SyncError | null> {
    for (let attempt = 1; ; attempt += 1) {
      // Another tab or process may have synced this database before.
      await this.options.database.catchUp();
      try {
        for (const [id, result] of await this.acceptances.send(this.stopped.signal))
          this.accepted.set(id, result);
        const context = await this.contexts.open();
        const error = await this.rounds(context, result);
        const isAnswered = error === null && (await this.afterReached(this.stopped.signal));
        return isAnswered ? await this.rounds(context, result) : error;
      } catch (thrown) {
        // A write that a process sent to the storage right before it died may arrive after the lock was taken.
        if (!isOvertaken(thrown) || attempt === MOST_ATTEMPTS) throw thrown;
        this.contexts.markStale();
      }
    }
  }

  private async rounds(context: SyncContext, result: SyncResult): Promise<SyncError | null> {
    for (let number = 0; number < MOST_ROUNDS; ) {
      const pendingBefore = this.status.current.pending;
      const pulledBefore = result.pulled;
      const { error, hasMoved, isUnsettled } = await this.round(context, result);
      if (error) return error;
      await this.refreshCounts();
      // Steps that bring something come to an end, however many they are.
      if (!isUnsettled || result.pulled === pulledBefore) number += 1;
      if (isUnsettled) continue;
      const { pending } = this.status.current;
      // More records than before were edited after this round's push, which has not tried them.
      const isStuck = !hasMoved && pending <= pendingBefore;
      if (pending === 0 || isStuck) return null;
    }
    result.status = 'partial';
    return null;
  }

  /**
   * @returns the error that ended the round, whether it got something done or has to be repeated, and whether it took
   * steps of the server's deletions, which brought something to pull (U44)
   */
  private async round(
    context: SyncContext,
    result: SyncResult,
  ): Promise<{ error: SyncError | null; hasMoved: boolean; isUnsettled: boolean }> {
    const { status } = this;
    const { signal } = this.stopped;
    const [pushed, pulled] = [newPushCounts(), newPullCounts()];
    const countPaused = async () => (await pausedScopes(context.database, context.userId)).size;
    try {
      const paused = status.current.pending > 0 ? await countPaused() : 0;
      const failed = await pushSync(context, signal, pushed, {
        inFlightOnly: context.store.mustPullFirst,
        onSent: (changes) => status.reportSent(changes),
      });
      const error =
        failed && !leavesPulls(failed)
          ? failed
          : ((await this.pull(context, pulled, failed !== null)) ?? failed);
      const moved = pushed.pushed + pushed.conflicts + pushed.rejected + pulled.reapplied;
      // Where steps fail, push and pull have gone well all the same.
      const isUnsettled = !error && pulled.unsettled && (await takeSteps(context, signal, pulled));
      if (pulled.unsettled && !isUnsettled) result.status = 'partial';
      // Changes that a pause held back are pushed as soon as its end was pulled.
      const isResumed = paused > 0 && !error && (await countPaused()) < paused;
      return { error, hasMoved: moved > 0 || pushed.pullFirst || isResumed, isUnsettled };
    } finally {
      addCounts(result, pushed);
      addCounts(result, pulled);
    }
  }

  private pull(context: SyncContext, counts: PullCounts, afterFailure: boolean): Promise<SyncError | null> {
    const onProgress = (progress: Progress) => this.status.report({ progress });
    return pullSync(context, this.stopped.signal, counts, afterFailure, onProgress);
  }

  /** After a bug or a failure of the storage: memory may be ahead of what is stored, so the context is loaded anew. */
  private async recover(): Promise<void> {
    this.contexts.discard();
    if (this.stopped.signal.aborted) return;
    // Where that fails too, the next sync tries again.
    await this.contexts.open().catch(() => undefined);
  }

  private finish(result: SyncResult, startedAt: number): Promise<void> {
    const { database, clock } = this.options;
    const { contexts, status } = this;
    return finishSync({ database, clock, contexts, status, signal: this.stopped.signal }, result, startedAt);
  }
}
