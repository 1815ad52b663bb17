/** A store in this process, on a file that other processes may have open too. */

import { ConvoyError, type StorageError } from '@/core/errors';
import type { Replica, SalvageReport } from '@/core/storage';
import { foreignChanges } from '../sqlite/foreignChanges';
import { SqliteFailure, type SqlValue, storageError } from '../sqlite/handle';
import type { Done, Outcome, StorePort } from '../sqlite/port';
import type { EncodedBatch, SqliteStore } from '../sqlite/store';
import type { FileLock } from './fileLock';
import type { OpenedFile } from './openFile';

/** ms between looks for what other processes wrote, when nothing is read here. */
const LOOK_MS = 200;
/** ms without a write after which the journal is brought into the database. */
const IDLE_MS = 2_000;
/** ms until a writer gives up on the others. */
const PATIENCE_MS = 30_000;

/** Codes of storage errors that do not pass by themselves. */
const LASTING: ReadonlySet<string> = new Set<StorageError['code']>(['newer_schema', 'corrupt']);

export class NodePort implements StorePort {
  private replica: Replica | null = null;
  private readonly listeners: ((error: StorageError | null) => void)[] = [];
  private readonly timer: NodeJS.Timeout;
  private idle: NodeJS.Timeout | null = null;
  private writers = 0;
  private readonly told = new Set<StorageError['code']>();

  private readonly store: SqliteStore;
  readonly salvaged: SalvageReport | null;

  constructor(
    private readonly file: OpenedFile,
    private readonly lock: FileLock,
  ) {
    this.store = file.store;
    this.salvaged = file.store.salvaged();
    this.timer = setInterval(() => this.look(), LOOK_MS);
    // Nobody has to wait for it to end the process.
    this.timer.unref();
  }

  attach(replica: Replica): void {
    this.replica = replica;
  }

  onTrouble(listener: (error: StorageError | null) => void): void {
    this.listeners.push(listener);
  }

  select(sql: string, args: readonly SqlValue[], done: Parameters<StorePort['select']>[2]): void {
    this.answer(done, () => {
      this.takeOver();
      return this.store.select(sql, args);
    });
  }

  selectAll(
    queries: Parameters<StorePort['selectAll']>[0],
    done: Parameters<StorePort['selectAll']>[1],
  ): void {
    this.answer(done, () => {
      this.takeOver();
      return this.store.selectAll(queries);
    });
  }

  batch(batch: EncodedBatch, done: Done<void>): void {
    this.answer(done, () => {
      this.store.batch(batch);
      this.tellOfRoom();
    });
    this.tidyWhenIdle();
  }

  exec(sql: string, done: Done<void>): void {
    this.answer(done, () => this.store.exec(sql));
  }

  exportTo(owner: string, done: Done<Uint8Array>): void {
    this.answer(done, () => this.store.exportFile(owner));
  }

  importFrom(bytes: Uint8Array, owner: string, done: Done<void>): void {
    this.answer(done, () => {
      const { written } = this.store.importFile(bytes, owner);
      if (this.replica) this.replica.takeOver(foreignChanges(this.store, written, this.replica));
    });
    this.tidyWhenIdle();
  }

  /** What is committed can be seen by everybody: for that nobody has to be kept from writing. */
  async catchUp(): Promise<void> {
    const caughtUp = attempt(() => this.takeOver());
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

  /** Where it fails, the next write tells why. */
  private tidyWhenIdle(): void {
    if (this.idle) this.idle.refresh();
    else {
      this.idle = setTimeout(() => attempt(() => this.store.checkpoint()), IDLE_MS);
      this.idle.unref();
    }
  }

  /** What is written into a file that was put aside or removed would be lost. */
  private refuseReplaced(): void {
    if (!this.file.isReplaced()) return;
    const error = new ConvoyError(storageError('unavailable', 'its file was replaced: open it again'));
    this.tell(error);
    throw error;
  }

  private takeOver(): void {
    const { store, replica } = this;
    const changes = store.foreignWrites((written) => replica && foreignChanges(store, written, replica));
    if (changes) replica?.takeOver(changes);
  }

  /** What fails now may succeed later, but for what stays as it is. */
  private look(): void {
    const looked = attempt(() => {
      this.refuseReplaced();
      this.takeOver();
    });
    if ('value' in looked) return;
    if (looked.error instanceof ConvoyError && LASTING.has(looked.error.code)) clearInterval(this.timer);
    this.tell(looked.error);
  }

  /** Whatever the caller's callback throws is its own. */
  private answer<T>(done: Done<T>, work: () => T): void {
    const outcome = attempt(work);
    if ('error' in outcome) this.tell(outcome.error);
    done(outcome);
  }

  /** The disk was full, and has taken a write again. */
  private tellOfRoom(): void {
    if (this.told.delete('quota')) for (const listener of this.listeners) listener(null);
  }

  private tell(error: Error): void {
    if (!(error instanceof ConvoyError) || error.detail.kind !== 'storage') return;
    const { detail } = error;
    if (this.told.has(detail.code)) return;
    this.told.add(detail.code);
    if (detail.code === 'corrupt') this.file.noteDamage();
    for (const listener of this.listeners) listener(detail);
  }
}

/** Takes a lock; throws a `ConvoyError` (storage, `locked`) where the others do not let go of it. */
export async function waitFor(lock: FileLock): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let wait = 1; !lock.tryTake(); wait = Math.min(2 * wait, 25)) {
    if (performance.now() > deadline) throw new ConvoyError(storageError('locked'));
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
  }
}

function attempt<T>(work: () => T): Outcome<T> {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof SqliteFailure) return { error: new ConvoyError(error.detail) };
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}
