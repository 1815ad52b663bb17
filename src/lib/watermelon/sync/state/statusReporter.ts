/** The sync status of one device: keeps it current, and tells its observers. */

import { BehaviorSubject, type Observable } from 'rxjs';
import type { ConvoyDatabase } from '../../database';
import { countPending } from '../records/unsynced';
import type { SyncStatus } from './status';

export class StatusReporter {
  private readonly status = new BehaviorSubject<SyncStatus>({
    kind: 'idle',
    pending: 0,
    quarantined: 0,
    lastSyncedAt: null,
    progress: null,
    error: null,
  });
  /** The counts under way: the database must stay open until they are done. */
  private counting: Promise<void> = Promise.resolve();

  constructor(private readonly database: ConvoyDatabase) {}

  /** The status now and whenever it changes. */
  observe(): Observable<SyncStatus> {
    return this.status.asObservable();
  }

  get current(): SyncStatus {
    return this.status.value;
  }

  report(changes: Partial<SyncStatus>): void {
    this.status.next({ ...this.status.value, ...changes });
  }

  /** Lowers the number of pending records by what a batch has sent; it is counted anew when the push is over. */
  reportSent(changes: number): void {
    this.report({ pending: Math.max(0, this.current.pending - changes) });
  }

  /** @param stored device time of the last sync as the database has it, ms: another tab may have synced later. */
  reportLastSynced(stored: number | null): void {
    const known = this.current.lastSyncedAt;
    const isBothKnown = known !== null && stored !== null;
    this.report({ lastSyncedAt: isBothKnown ? Math.max(known, stored) : (known ?? stored) });
  }

  /** Counts unsynced records and refused changes. Rejects where the storage fails. */
  refreshCounts(): Promise<void> {
    this.counting = Promise.all([this.counting.catch(() => undefined), this.count()]).then(() => undefined);
    return this.counting;
  }

  /** Resolves when no count is under way, rejects when the last one failed. */
  untilCounted(): Promise<void> {
    return this.counting;
  }

  private async count(): Promise<void> {
    const { pending, quarantined } = await countPending(this.database);
    const known = this.current;
    if (known.pending !== pending || known.quarantined !== quarantined) this.report({ pending, quarantined });
  }
}
