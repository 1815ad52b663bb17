/** Reports storage errors to the listeners of a store, each kind once. */

import { ConvoyError, type StorageError } from '@/core/errors';

const IMPORT_REFUSALS: ReadonlySet<string> = new Set<StorageError['code']>([
  'foreign_file',
  'newer_schema',
  'no_migration',
  'quota',
]);

export class TroubleListeners {
  private readonly listeners: ((error: StorageError | null) => void)[] = [];
  private readonly reported = new Set<StorageError['code']>();

  /** @param silent codes that are never reported */
  constructor(private readonly silent: readonly StorageError['code'][] = []) {}

  add(listener: (error: StorageError | null) => void): void {
    this.listeners.push(listener);
  }

  /** Calls every listener with null: the state of the store has changed. */
  notify(): void {
    for (const listener of this.listeners) listener(null);
  }

  report(error: Error): void {
    if (!(error instanceof ConvoyError) || error.detail.kind !== 'storage') return;
    const { detail } = error;
    if (this.silent.includes(detail.code) || this.reported.has(detail.code)) return;
    this.reported.add(detail.code);
    for (const listener of this.listeners) listener(detail);
  }

  /** An import failed: what is wrong with its file, or with its size, is no trouble of the store. */
  reportImport(error: Error): void {
    const isOfFile = error instanceof ConvoyError && IMPORT_REFUSALS.has(error.code);
    if (!isOfFile) this.report(error);
  }

  /** A write succeeded: where the disk was reported full, it no longer is. */
  reportRoom(): void {
    if (this.reported.delete('quota')) this.notify();
  }
}
