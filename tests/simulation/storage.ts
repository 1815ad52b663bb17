/** A device's storage with a hand on it: it can end between any two steps, or be full. */

import { createRequire } from 'node:module';
import Sqlite from 'better-sqlite3';
import type { DatabaseAdapter } from '@/lib/watermelon/database';

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

/** After its device has died a step neither happens nor answers: nobody is there to hear it. */
export function gated(adapter: DatabaseAdapter, gate: StorageGate): DatabaseAdapter {
  return new Proxy(adapter, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const callback = args.at(-1);
        if (typeof callback !== 'function') return Reflect.apply(member, target, args);
        if (!gate.step()) return undefined;
        if (name === 'batch' && gate.isFull()) {
          const error = new Sqlite.SqliteError('database or disk is full', 'SQLITE_FULL');
          return (callback as Callback)({ error });
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

interface Bridge {
  default: { connections: Record<number, { driver: { database: { instance: { close(): void } } } }> };
}

const require = createRequire(import.meta.url);

/** WatermelonDB has no way to close a database; without, every restart would keep a file open. */
export function closeFile(adapter: DatabaseAdapter): void {
  const bridge = require('@nozbe/watermelondb/adapters/sqlite/sqlite-node/DatabaseBridge.js') as Bridge;
  const { _tag: tag } = adapter as unknown as { _tag: number };
  bridge.default.connections[tag]?.driver.database.instance.close();
  delete bridge.default.connections[tag];
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
