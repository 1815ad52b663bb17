/** A store in this process, over a file that other processes may have open too. */

import { ConvoyError, type StorageError } from '@/core/errors';
import type { Replica, SalvageReport } from '@/core/storage';
import { foreignChanges } from '../sqlite/foreignChanges';
import { type SqlValue, storageError } from '../sqlite/handle';
import { type Done, outcomeOf, type StorePort } from '../sqlite/port';
import type { EncodedBatch, SqliteStore } from '../sqlite/store';
import { TroubleListeners } from '../sqlite/troubleListeners';
import type { FileLock } from './fileLock';
import type { OpenedFile } from './openFile';

/** ms between checks for foreign writes; reads check too. */
const LOOK_MS = 200;
/** ms without a write after which the write-ahead log is copied into the database. */
const IDLE_MS = 2_000;
/** ms to wait for the lock of another writer. */
const PATIENCE_MS = 30_000;

/** Codes of storage errors that retrying does not clear. */
const LASTING: ReadonlySet<string> = new Set<StorageError['code']>(['newer_schema', 'corrupt']);

export class NodePort implements StorePort {
  private replica: Replica | null = null;
  private readonly trouble = new TroubleListeners();
  private readonly timer: NodeJS.Timeout;
  private idle: NodeJS.Timeout | null = null;
  private writers = 0;

  private readonly store: SqliteStore;
  readonly salvaged: SalvageReport | null;

  constructor(
    private readonly file: OpenedFile,
    private readonly lock: FileLock,
  ) {
    this.store = file.store;
    this.salvaged = file.store.salvaged();
    this.trouble.add((error) => {
      if (error?.code === 'corrupt') file.noteDamage();
    });
    this.timer = setInterval(() => this.look(), LOOK_MS);
    // The timer alone must not keep the process alive.
    this.timer.unref();
  }

  attach(replica: Replica): void {
    this.replica = replica;
  }

  onTrouble(listener: (error: StorageError | null) => void): void {
    this.trouble.add(listener);
  }

  select(sql: string, args: readonly SqlValue[], done: Parameters<StorePort['select']>[2]): void {
    this.answer(done, () => {
      this.takeOverForeignWrites();
      return this.store.select(sql, args);
    });
  }

  selectAll(
    queries: Parameters<StorePort['selectAll']>[0],
    done: Parameters<StorePort['selectAll']>[1],
  ): void {
    this.answer(done, () => {
      this.takeOverForeignWrites();
      return this.store.selectAll(queries);
    });
  }

  batch(batch: EncodedBatch, done: Done<void>): void {
    this.answer(done, () => {
      this.store.batch(batch);
      this.trouble.reportRoom();
    });
    this.tidyWhenIdle();
  }

  exec(sql: string, done: Done<void>): void {
    this.answer(done, () => this.store.exec(sql));
  }

  reset(done: Done<void>): void {
    this.answer(done, () => void this.store.reset());
  }

  exportTo(owner: string, done: Done<Uint8Array>): void {
    this.answer(done, () => this.store.exportFile(owner));
  }

  importFrom(bytes: Uint8Array, owner: string, done: Done<void>): void {
    const imported = outcomeOf(() => this.store.importFile(bytes, owner));
    if ('error' in imported) {
      this.trouble.reportImport(imported.error);
      done(imported);
      return;
    }
    this.trouble.reportRoom();
    this.answer(done, () => {
      const { replica, store } = this;
      if (replica) replica.takeOver(foreignChanges(store, imported.value.written, replica));
    });
    this.tidyWhenIdle();
  }

  /** Needs no lock: committed writes of other processes are visible at once. */
  async catchUp(): Promise<void> {
    const caughtUp = outcomeOf(() => this.takeOverForeignWrites());
    if ('error' in caughtUp) throw caughtUp.error;
  }

  async whileSoleWriter<T>(work: () => Promise<T>): Promise<T> {
    if (this.writers === 0) await waitFor(this.lock);
    this.writers += 1;
    try {
      if (this.writers === 1) {
        this.refuseReplaced();
        await this.catchUp();
      }
      return await work();
    } finally {
      this.writers -= 1;
      if (this.writers === 0) this.lock.release();
    }
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    if (this.idle) clearTimeout(this.idle);
    this.replica = null;
    this.store.close();
    this.lock.close();
  }

  /** A failed checkpoint is ignored: the next write reports the cause. */
  private tidyWhenIdle(): void {
    if (this.idle) this.idle.refresh();
    else {
      this.idle = setTimeout(() => outcomeOf(() => this.store.checkpoint()), IDLE_MS);
      this.idle.unref();
    }
  }

  /** Throws where the file was put aside or removed: writes to it would be lost. */
  private refuseReplaced(): void {
    if (!this.file.isReplaced()) return;
    const error = new ConvoyError(storageError('unavailable', 'its file was replaced: open it again'));
    this.trouble.report(error);
    throw error;
  }

  private takeOverForeignWrites(): void {
    const { store, replica } = this;
    const changes = store.foreignWrites((written) => replica && foreignChanges(store, written, replica));
    if (changes) replica?.takeOver(changes);
  }

  /** Looks for foreign writes; after a lasting error it stops looking. */
  private look(): void {
    const looked = outcomeOf(() => {
      this.refuseReplaced();
      this.takeOverForeignWrites();
    });
    if ('value' in looked) return;
    if (looked.error instanceof ConvoyError && LASTING.has(looked.error.code)) clearInterval(this.timer);
    this.trouble.report(looked.error);
  }

  /** `done` is called outside `outcomeOf`: an error that the callback throws is not an error of the store. */
  private answer<T>(done: Done<T>, work: () => T): void {
    const outcome = outcomeOf(work);
    if ('error' in outcome) this.trouble.report(outcome.error);
    done(outcome);
  }
}

/** Takes a lock. Throws a `ConvoyError` (storage, `locked`) when it is still held after 30 seconds. */
export async function waitFor(lock: FileLock): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let wait = 1; !lock.tryTake(); wait = Math.min(2 * wait, 25)) {
    if (performance.now() > deadline) throw new ConvoyError(storageError('locked'));
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
  }
}
