/**
 * Brings foreign writes into this tab's memory: asks the owner for the records that the replica holds, and hands them
 * over. Replies wait meanwhile.
 */

import { ConvoyError, type StorageError } from '@/core/errors';
import type { ForeignChange, Replica, StoredRow } from '@/core/storage';
import type { Written } from '../../sqlite/changeLog';
import { foreignChangeOf, recordsToRead, type WantedRecords } from '../../sqlite/foreignChanges';
import { storageError } from '../../sqlite/handle';
import type { Done } from '../../sqlite/port';
import type { ReplyQueue } from './replyQueue';

export interface ForeignWritesOptions {
  replies: ReplyQueue;
  /** Asks the connected owner for records, for each element of `wanted` those of one table. */
  readRows(wanted: WantedRecords[], done: Done<unknown>): void;
  /** Whether a batch of this tab that is not yet answered writes this record. */
  isWriting(table: string, id: string): boolean;
  /** Whether an owner is connected and has been caught up with. */
  isReady(): boolean;
  /** The records could not be read: memory is out of date, and stays so. */
  onFailed(error: StorageError): void;
}

export class ForeignWrites {
  replica: Replica | null = null;
  /** Ids by table of records that a batch of this tab was writing too; they are read once it is answered. */
  private readonly deferred = new Map<string, Set<string>>();

  constructor(private readonly options: ForeignWritesOptions) {}

  /** @param then called when the writes are in memory; at once where the replica holds none of the records */
  takeOver(written: Written, then: () => void): void {
    const { replica } = this;
    const tables = replica ? recordsToRead(written, replica) : [];
    const wanted = tables.filter(({ ids }) => ids.length > 0);
    // The replica also learns which tables were written to without a record that it holds.
    const untouched = tables
      .filter(({ ids }) => ids.length === 0)
      .map(({ table }) => ({ table, rows: [], gone: [] }));
    if (!replica || wanted.length === 0) {
      if (untouched.length > 0) replica?.takeOver(untouched);
      then();
      return;
    }
    const { replies, readRows, onFailed } = this.options;
    replies.pause();
    readRows(wanted, (outcome) => {
      if ('error' in outcome) {
        onFailed(asStorageError(outcome.error));
        return;
      }
      const rows = outcome.value as StoredRow[][];
      const changes = wanted.map((ofTable, index) =>
        this.withoutDeferred(foreignChangeOf(ofTable, rows[index] ?? [])),
      );
      replica.takeOver([...changes, ...untouched]);
      replies.resume(then);
    });
  }

  /** Reads the deferred records that no batch of this tab writes any more. */
  readDeferred(): void {
    const due: Written = {};
    for (const [table, ids] of this.deferred) {
      const free = [...ids].filter((id) => !this.options.isWriting(table, id));
      if (free.length > 0) due[table] = free;
    }
    // Without an owner, or during another read, this is called again once that is over.
    if (Object.keys(due).length === 0 || !this.options.isReady() || this.options.replies.isPaused) return;
    this.takeOver(due, () => {
      for (const [table, ids] of Object.entries(due)) {
        // A record that a new batch began to write during the read was deferred again.
        const read = (ids ?? []).filter((id) => !this.options.isWriting(table, id));
        for (const id of read) this.deferred.get(table)?.delete(id);
      }
    });
  }

  /**
   * This tab's own batch counts as in memory until it is answered; where it is refused, memory takes it back.
   * Its records are therefore left out here, and read after the answer.
   */
  private withoutDeferred({ table, rows, gone }: ForeignChange): ForeignChange {
    return {
      table,
      rows: rows.filter(({ id }) => !this.deferIfWriting(table, id)),
      gone: gone.filter((id) => !this.deferIfWriting(table, id)),
    };
  }

  private deferIfWriting(table: string, id: string): boolean {
    if (!this.options.isWriting(table, id)) return false;
    const known = this.deferred.get(table);
    if (known) known.add(id);
    else this.deferred.set(table, new Set([id]));
    return true;
  }
}

function asStorageError(error: Error): StorageError {
  const isStorage = error instanceof ConvoyError && error.detail.kind === 'storage';
  return isStorage ? (error.detail as StorageError) : storageError('unavailable', error.message);
}
