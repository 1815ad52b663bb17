/** A device's storage with a hand on it: it can end between any two steps, or be full. */

import Sqlite from 'better-sqlite3';
import type { LocalAdapter } from '@/lib/watermelon/database';
import type { Version } from './versions';

type Callback = (result: { value?: unknown; error?: Error }) => void;

/** The limits of a storage step. */
export interface StorageGate {
  /** Called before and after each step, with its number. @returns false when the device died there */
  step(where: string): boolean;
  /** Whether the disk has no room for this write. */
  isFull(where: string): boolean;
  /** A write got to the disk. */
  wrote(operations: readonly WriteOperation[]): void;
}

export type WriteOperation =
  | ['create' | 'update', string, Record<string, unknown>]
  | ['markAsDeleted' | 'destroyPermanently', string, string];

/** What takes a function and is no step of its own. */
const IN_BETWEEN: ReadonlySet<string | symbol> = new Set(['whileSoleWriter', 'onTrouble']);

/** What answers with a promise. */
const PROMISED: ReadonlySet<string | symbol> = new Set(['readAll', 'catchUp']);

const WRITES: ReadonlySet<string | symbol> = new Set(['batch', 'setLocal', 'removeLocal']);

/** Tells steps apart by their operations and tables. */
function describe(name: string, [what]: unknown[]): string {
  if (name === 'batch') {
    const parts = (what as WriteOperation[]).map(([operation, table]) => `${operation} ${table}`);
    return [...new Set(parts)].sort().join(', ') || 'write nothing';
  }
  if (typeof what === 'string') return `${name} ${what}`;
  if (name === 'readAll') return `readAll ${tablesIn(what as { sql: string }[])}`;
  return `${name} ${(what as { table?: string } | undefined)?.table ?? ''}`;
}

/** A promise that never settles, for a dead device. */
const nothing = (): Promise<never> => new Promise(() => {});

const tablesIn = (queries: readonly { sql: string }[]): string =>
  [...new Set(queries.flatMap(({ sql }) => sql.match(/(?<=from ")\w+/g) ?? []))].sort().join(', ');

/** After its device has died a step neither happens nor answers. */
export function gated(
  adapter: LocalAdapter,
  { ConvoyError, storageError }: Version,
  gate: StorageGate,
): LocalAdapter {
  return new Proxy(adapter, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      if (PROMISED.has(name)) {
        return async (...args: unknown[]) => {
          const where = describe(String(name), args);
          if (!gate.step(`before ${where}`)) return nothing();
          const found = await Reflect.apply(member, target, args);
          return gate.step(`after ${where}`) ? found : nothing();
        };
      }
      return (...args: unknown[]) => {
        const callback = args.at(-1);
        const isStep = typeof callback === 'function' && !IN_BETWEEN.has(name);
        if (!isStep) return Reflect.apply(member, target, args);
        const where = describe(String(name), args);
        if (!gate.step(`before ${where}`)) return undefined;
        if (WRITES.has(name) && gate.isFull(where)) {
          return (callback as Callback)({ error: new ConvoyError(storageError('quota')) });
        }
        const heard: Callback = (result) => {
          if (name === 'batch' && !result.error) gate.wrote(args[0] as WriteOperation[]);
          if (gate.step(`after ${where}`)) (callback as Callback)(result);
        };
        return Reflect.apply(member, target, [...args.slice(0, -1), heard]);
      };
    },
  });
}

export type StoredRow = Record<string, string | number | null>;

/** The rows on a device's disk by table, read without Convoy's code. */
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
