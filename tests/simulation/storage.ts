/** A device's storage with a hand on it: it can end between any two steps, or be full. */

import Sqlite from 'better-sqlite3';
import { ConvoyError } from '@/core/errors';
import type { DatabaseAdapter } from '@/lib/watermelon/database';
import { storageError } from '@/platform/sqlite/handle';

type Callback = (result: { value?: unknown; error?: Error }) => void;

/** What a storage step is allowed to do. */
export interface StorageGate {
  /** Called before and after each step. @returns false when the device has died there */
  step(): boolean;
  /** Whether the disk takes this write. */
  isFull(): boolean;
  /** A write got to the disk. */
  wrote(operations: readonly WriteOperation[]): void;
}

export type WriteOperation =
  | ['create' | 'update', string, Record<string, unknown>]
  | ['markAsDeleted' | 'destroyPermanently', string, string];

/** What takes a function and is no step of its own. */
const IN_BETWEEN: ReadonlySet<string | symbol> = new Set(['whileSoleWriter', 'onTrouble']);

/** After its device has died a step neither happens nor answers: nobody is there to hear it. */
export function gated(adapter: DatabaseAdapter, gate: StorageGate): DatabaseAdapter {
  return new Proxy(adapter, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const callback = args.at(-1);
        const isStep = typeof callback === 'function' && !IN_BETWEEN.has(name);
        if (!isStep) return Reflect.apply(member, target, args);
        if (!gate.step()) return undefined;
        if (name === 'batch' && gate.isFull()) {
          return (callback as Callback)({ error: new ConvoyError(storageError('quota')) });
        }
        const heard: Callback = (result) => {
          if (name === 'batch' && !result.error) gate.wrote(args[0] as WriteOperation[]);
          if (gate.step()) (callback as Callback)(result);
        };
        return Reflect.apply(member, target, [...args.slice(0, -1), heard]);
      };
    },
  });
}

export type StoredRow = Record<string, string | number | null>;

/** What a device has on disk, read without any of its code. By table. */
export function readFile(path: string): Map<string, StoredRow[]> {
  const file = new Sqlite(path, { readonly: true });
  try {
    const tables = file.prepare("select name from sqlite_master where type = 'table'").all() as {
      name: string;
    }[];
    return new Map(
      tables.map(({ name }) => [name, file.prepare(`select * from "${name}"`).all() as StoredRow[]]),
    );
  } finally {
    file.close();
  }
}
