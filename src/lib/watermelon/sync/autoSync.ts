/** When to sync without being asked: after local writes, on coming online, on a timer, after a failure. */

import { debounceTime, type Subscription } from 'rxjs';
import { SYNCED_TABLES } from '@/core/schema';
import type { ConvoyDatabase } from '../database';
import { backoffMs } from './backoff';
import type { SyncResult } from './status';
import type { SyncEngine } from './synchronize';

export interface AutoSyncOptions {
  engine: SyncEngine;
  database: ConvoyDatabase;
  /** Calls back when the network comes back or goes. @returns how to stop listening */
  onConnectivity: (listener: (online: boolean) => void) => () => void;
  /** ms after the last local write. */
  debounceMs?: number;
  /** ms between syncs when nothing happens, jittered by a fifth. */
  intervalMs?: number;
  random?: () => number;
}

/** @returns how to stop. */
export function startAutoSync(options: AutoSyncOptions): () => void {
  const { engine, database, debounceMs = 400, intervalMs = 20_000, random = Math.random } = options;
  const subscriptions: Subscription[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let stopped = false;
  let running = false;
  let again = false;

  const schedule = (ms: number) => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(run, ms);
  };
  /** What is asked for while a sync runs may come too late for it: that one is then followed by another. */
  const ask = () => {
    if (running) again = true;
    else schedule(0);
  };
  const run = async () => {
    running = true;
    again = false;
    const result = await engine.sync();
    running = false;
    if (stopped) return;
    failures = result.error ? failures + 1 : 0;
    schedule(again ? 0 : waitAfter(result));
  };
  const waitAfter = (result: SyncResult): number => {
    const idle = intervalMs * (0.9 + 0.2 * random());
    if (!result.error) {
      const more = engine.currentStatus.pending > 0 && (result.pushed > 0 || result.status === 'partial');
      return more ? debounceMs : idle;
    }
    if (result.error.kind === 'transport' && result.error.code === 'rate_limited') {
      return result.error.retryAfterMs ?? backoffMs(failures, random());
    }
    return result.reaction === 'retry' || result.reaction === 'wait' ? backoffMs(failures, random()) : idle;
  };

  const localChanges = database.withChangesForTables([...SYNCED_TABLES] as never[]);
  subscriptions.push(
    localChanges.pipe(debounceTime(50)).subscribe(() => void engine.refreshCounts()),
    localChanges.pipe(debounceTime(debounceMs)).subscribe(() => {
      if (engine.currentStatus.pending > 0) ask();
    }),
  );
  const stopListening = options.onConnectivity(() => {
    failures = 0;
    // Offline too: the sync then says so.
    ask();
  });
  schedule(0);

  return () => {
    stopped = true;
    clearTimeout(timer);
    stopListening();
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
}
