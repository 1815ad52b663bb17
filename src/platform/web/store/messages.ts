/**
 * What tabs and the worker that holds the database say to each other. A tab reaches the worker of its
 * own page directly, that of another by a BroadcastChannel that has the receiver's id in its name.
 */

import type { AppSchema } from '@nozbe/watermelondb';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import type { StorageError } from '@/core/errors';
import type { SalvageReport, SalvageRules, StoredQuery, UnsyncedRecords } from '@/core/storage';
import type { Written } from '../../sqlite/changeLog';
import type { Wanted } from '../../sqlite/foreignChanges';
import type { SqlValue } from '../../sqlite/handle';
import type { EncodedBatch } from '../../sqlite/store';

/** Raised when these messages change; `Version`, `Hello`, `Call` and `Owning` themselves never do. */
const MESSAGES = 3;

/** Which code a tab runs. */
export interface Version {
  messages: number;
  schema: number;
}

export function versionOf(schema: AppSchema): Version {
  return { messages: MESSAGES, schema: schema.version };
}

/** @returns below 0 where the first is older than the second */
export function compareVersions(one: Version, other: Version): number {
  return one.schema - other.schema || one.messages - other.messages;
}

/** The first thing a tab says to an owner: who it is, and what it has seen. */
export interface Hello {
  type: 'hello';
  version: Version;
  /** The latest batch it knows of; null: it holds nothing. */
  since: number | null;
}

export type Request =
  | Hello
  | { type: 'select'; sql: string; args: readonly SqlValue[] }
  | { type: 'selectAll'; queries: readonly StoredQuery[] }
  /** `since`: refused where others wrote records after this batch; null: not asked. */
  | { type: 'batch'; batch: EncodedBatch; since: number | null }
  | { type: 'exec'; sql: string }
  | { type: 'export'; owner: string }
  /** The same of `since`. An import that was made already, by the name of its request, is not made again. */
  | { type: 'import'; bytes: Uint8Array; owner: string; request: string; since: number | null }
  | { type: 'rows'; wanted: Wanted[] }
  /** Answered after everything that was written before. */
  | { type: 'catchUp' }
  | { type: 'bye' };

export interface Call {
  from: string;
  id: number;
  request: Request;
}

export interface Welcome {
  /** The latest batch. */
  seq: number;
  /** What was written since the batch that the tab named. */
  missed: Written | null;
  /** The database was found damaged, and made anew; null also once that was read. */
  salvaged: SalvageReport | null;
}

/** What an owner says to a tab. A notice comes before any answer that already shows what it is about. */
export type Reply =
  | { type: 'answer'; id: number; value: unknown; seq: number | null }
  | { type: 'failure'; id: number; error: StorageError | string }
  | { type: 'notice'; seq: number; written: Written };

/** On the public channel: who holds the database now, and the question after that. */
export type Announcement = { type: 'owner'; id: string } | { type: 'whoOwns' };

/** From a page to its worker. */
export type ToWorker =
  /** SQLite, compiled; null: the page could not do it. Sent once to each worker. */
  | { type: 'sqlite'; sqlite: WebAssembly.Module | null }
  | {
      type: 'start';
      name: string;
      /** Id of the worker, as owner. */
      id: string;
      /** Id of the page, as tab. */
      tab: string;
      schema: AppSchema;
      migrations: SchemaMigrations;
      salvage: SalvageRules | undefined;
    }
  /** Instead of `start`: reads what is unsynced, whatever the version of the database, and ends. */
  | { type: 'read'; name: string; salvage: SalvageRules }
  /** The same for the whole database, as a file of this owner. */
  | { type: 'readFile'; name: string; owner: string }
  | { type: 'call'; call: Call }
  | { type: 'close' };

/** From a worker to its page. */
export type FromWorker =
  /** It runs, and has the lock that says so. */
  | { type: 'started' }
  | { type: 'owner'; id: string }
  | { type: 'reply'; reply: Reply }
  | { type: 'unsynced'; records: UnsyncedRecords }
  | { type: 'file'; bytes: Uint8Array }
  /** It cannot open the database, or has left it to newer code. It does not try again. */
  | { type: 'failed'; error: StorageError }
  | { type: 'closed' };

export const channels = {
  public: (name: string) => `convoy:${name}`,
  /** What is sent to one tab or owner. */
  inbox: (name: string, id: string) => `convoy:${name}:${id}`,
};

export const locks = {
  /** Whose worker has it holds the database. */
  database: (name: string) => `convoy:database:${name}`,
  /** Held while a tab writes. */
  write: (name: string) => `convoy:write:${name}`,
  /** Held as long as a tab or worker lives. */
  alive: (id: string) => `convoy:alive:${id}`,
};
