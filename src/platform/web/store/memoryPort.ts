/** A store in this thread, over a database in this tab's memory. No other tab can reach it, so there is nothing to wait for. */

import { ConvoyError, type StorageError } from '@/core/errors';
import type { Replica } from '@/core/storage';
import { newerSchema, type Written } from '../../sqlite/changeLog';
import { foreignChanges } from '../../sqlite/foreignChanges';
import { type SqlValue, storageError } from '../../sqlite/handle';
import { type Done, outcomeOf, type StorePort } from '../../sqlite/port';
import type { EncodedBatch, SqliteStore } from '../../sqlite/store';
import { TroubleListeners } from '../../sqlite/troubleListeners';
import { PageLocks } from '../pageLocks';

/** The openings of one database, which may be several: another part of the page may read it beside the device. */
export class Openings {
  readonly ports = new Set<MemoryPort>();
  private readonly locks = new PageLocks();

  /** @returns a function that ends the turn, once it has come */
  takeTurn(): Promise<() => void> {
    return new Promise((resolve) => {
      void this.locks.request('write', () => new Promise<void>((end) => resolve(end)));
    });
  }
}

export class MemoryPort implements StorePort {
  /** Nothing damages a database in memory. */
  readonly salvaged = null;
  private replica: Replica | null = null;
  private readonly trouble = new TroubleListeners();
  private writers = 0;
  private turn: Promise<() => void> | null = null;
  /** Why nothing can be read or written any more. */
  private ended: StorageError | null = null;

  constructor(
    private readonly store: SqliteStore,
    /** The schema version of the code that opened it. */
    private readonly version: number,
    private readonly openings: Openings,
  ) {
    for (const other of openings.ports) other.leaveTo(version);
    openings.ports.add(this);
  }

  /** Ends this opening where code of a newer version has migrated the database. */
  private leaveTo(version: number): void {
    if (version <= this.version) return;
    this.end(newerSchema(version, this.version).detail);
    this.trouble.report(new ConvoyError(this.ended as StorageError));
  }

  private end(reason: StorageError): void {
    this.ended ??= reason;
    this.openings.ports.delete(this);
    this.replica = null;
  }

  attach(replica: Replica): void {
    this.replica = replica;
  }

  onTrouble(listener: (error: StorageError | null) => void): void {
    this.trouble.add(listener);
  }

  select(sql: string, args: readonly SqlValue[], done: Parameters<StorePort['select']>[2]): void {
    this.answer(done, () => this.store.select(sql, args));
  }

  selectAll(
    queries: Parameters<StorePort['selectAll']>[0],
    done: Parameters<StorePort['selectAll']>[1],
  ): void {
    this.answer(done, () => this.store.selectAll(queries));
  }

  batch(batch: EncodedBatch, done: Done<void>): void {
    this.answer(done, () => {
      const logged = this.store.batch(batch);
      this.trouble.reportRoom();
      if (logged) this.tellOthers(logged.written);
    });
  }

  exec(sql: string, done: Done<void>): void {
    this.answer(done, () => this.store.exec(sql));
  }

  reset(done: Done<void>): void {
    this.answer(done, () => this.tellOthers(this.store.reset().written));
  }

  exportTo(owner: string, done: Done<Uint8Array>): void {
    this.answer(done, () => this.store.exportFile(owner));
  }

  importFrom(bytes: Uint8Array, owner: string, done: Done<void>): void {
    const imported = outcomeOf(() => {
      if (this.ended) throw new ConvoyError(this.ended);
      return this.store.importFile(bytes, owner);
    });
    if ('error' in imported) {
      this.trouble.reportImport(imported.error);
      done(imported);
      return;
    }
    this.trouble.reportRoom();
    this.answer(done, () => {
      this.takeOver(imported.value.written);
      this.tellOthers(imported.value.written);
    });
  }

  /** Every write was in memory before its call was answered. */
  async catchUp(): Promise<void> {}

  async whileSoleWriter<T>(work: () => Promise<T>): Promise<T> {
    if (this.ended) throw new ConvoyError(this.ended);
    this.writers += 1;
    this.turn ??= this.openings.takeTurn();
    const end = await this.turn;
    try {
      return await work();
    } finally {
      this.writers -= 1;
      if (this.writers === 0) {
        this.turn = null;
        end();
      }
    }
  }

  /** The database stays in the tab's memory, to be opened again. */
  async close(): Promise<void> {
    this.end(storageError('unavailable', 'it is closed'));
  }

  private tellOthers(written: Written): void {
    for (const other of this.openings.ports) if (other !== this) other.takeOver(written);
  }

  private takeOver(written: Written): void {
    const { store, replica } = this;
    if (replica && Object.keys(written).length > 0) replica.takeOver(foreignChanges(store, written, replica));
  }

  /** `done` is called outside `outcomeOf`: an error that the callback throws is not an error of the store. */
  private answer<T>(done: Done<T>, work: () => T): void {
    const outcome = outcomeOf(() => {
      if (this.ended) throw new ConvoyError(this.ended);
      return work();
    });
    if ('error' in outcome) this.trouble.report(outcome.error);
    done(outcome);
  }
}
