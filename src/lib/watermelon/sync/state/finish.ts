/** The end of a sync: its result is completed, written to the sync log, and reported as the status; old entries go. */

import type { ConvoyDatabase } from '../../database';
import type { ContextLoader } from './contextLoader';
import { endWith, toSyncError } from './result';
import { ledgerStart, prepareOutdated } from './settledEntries';
import type { SyncResult } from './status';
import type { StatusReporter } from './statusReporter';
import type { SyncClock } from './syncClock';
import { prepareLogEntry } from './syncLog';

export interface FinishOptions {
  database: ConvoyDatabase;
  clock: SyncClock;
  contexts: ContextLoader;
  status: StatusReporter;
  /** Aborted once the engine was told to stop. */
  signal: AbortSignal;
}

/**
 * Completes `result`, logs a sync that did something or failed (D27), and reports the status.
 * Never rejects: a storage that fails here becomes the error of the result.
 * @param startedAt device time, ms
 */
export async function finishSync(
  options: FinishOptions,
  result: SyncResult,
  startedAt: number,
): Promise<void> {
  const { clock, status, signal } = options;
  // A sync that was told to stop is no failure, whatever error ended it (rule D32).
  if (signal.aborted) Object.assign(result, { status: 'signed_out', reaction: null, error: null });
  result.durationMs = clock.now() - startedAt;
  const isDone = result.status === 'ok' || result.status === 'partial';
  const lastSyncedAt = isDone ? clock.now() : status.current.lastSyncedAt;
  const hasNews = result.pushed + result.pulled + result.rejected > 0 || result.error !== null;
  try {
    if (hasNews) await writeLog(options, result, startedAt, lastSyncedAt, isDone);
    // A sync that found nothing counted as its last step.
    if (!signal.aborted && (hasNews || !isDone)) await status.refreshCounts();
  } catch (thrown) {
    endWith(result, result.error ?? toSyncError(thrown));
    result.status = 'error';
  }
  const kind = result.status === 'offline' ? 'offline' : result.error ? 'error' : 'idle';
  status.report({ kind, lastSyncedAt, progress: null, error: result.error });
}

async function writeLog(
  { database, contexts }: FinishOptions,
  result: SyncResult,
  startedAt: number,
  lastSyncedAt: number | null,
  isDone: boolean,
): Promise<void> {
  await database.write(async () => {
    // Opened inside the write: the context of a sync that failed may be stale.
    const { store, clock } = await contexts.open();
    const serverNow = clock.now() + clock.offset();
    // A sync that failed may not have heard of the server's time since this device's clock was set.
    const { ledger = isDone ? await ledgerStart(database, serverNow) : undefined } = store.facts;
    await database.batch([
      ...(await prepareLogEntry(database, result, startedAt)),
      ...(isDone && ledger ? await prepareOutdated(database, serverNow, ledger) : []),
      store.prepareFacts({ clockOffset: clock.offset(), lastSyncedAt, ledger }),
    ]);
  }, 'sync: log');
}
