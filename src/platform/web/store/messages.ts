/**
 * Messages between tabs and the owner, the worker that holds the database. A tab reaches the worker of its own
 * page directly, and the worker of another page by a BroadcastChannel that has the receiver's id in its name.
 */

import type { AppSchema } from '@nozbe/watermelondb';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import type { StorageError } from '@/core/errors';
import type { SalvageReport, SalvageRules, StoredQuery, UnsyncedRecords } from '@/core/storage';
import type { Written } from '../../sqlite/changeLog';
import type { WantedRecords } from '../../sqlite/foreignChanges';
import type { SqlValue } from '../../sqlite/handle';
import type { EncodedBatch } from '../../sqlite/store';

/** Raised when these messages change; `Version`, `hello`, `Call` and `Announcement` themselves never do. */
const MESSAGES = 4;

/** The version of the code that a tab runs. */
export interface Version {
  messages: number;
  schema: number;
}

export function versionOf(schema: AppSchema): Version {
  return { messages: MESSAGES, schema: schema.version };
}

/** @returns a number below 0 where the first version is older */
export function compareVersions(one: Version, other: Version): number {
  return one.schema - other.schema || one.messages - other.messages;
}

/** A tab's first call to an owner: its version, and what it has seen. */
interface Hello {
  type: 'hello';
  version: Version;
  /** The latest batch that the tab has seen; null: it has nothing in memory. */
  since: number | null;
}

export type Request =
  | Hello
  | { type: 'select'; sql: string; args: readonly SqlValue[] }
  | { type: 'selectAll'; queries: readonly StoredQuery[] }
  /** Refused where other tabs wrote records after batch `since`; null: never. */
  | { type: 'batch'; batch: EncodedBatch; since: number | null }
  | { type: 'exec'; sql: string }
  /** `since` and `request` as for an import. */
  | { type: 'reset'; request: string; since: number | null }
  | { type: 'export'; owner: string }
  /** `since` as for a batch. An import that is sent twice under one request id is made once. */
  | { type: 'import'; bytes: Uint8Array; owner: string; request: string; since: number | null }
  | { type: 'rows'; wanted: WantedRecords[] }
  /** Its answer follows the notices of all earlier writes. */
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
  /** Writes after the batch that the tab named. */
  missed: Written | null;
  /** The report on a damaged database that was replaced; null: none, or it was acknowledged. */
  salvaged: SalvageReport | null;
}

/** From an owner to a tab. The notice of a write precedes every answer that includes this write. */
export type Reply =
  | { type: 'answer'; id: number; value: unknown; seq: number | null }
  | { type: 'failure'; id: number; error: StorageError | string }
  | { type: 'notice'; seq: number; written: Written };

/** On the public channel: which worker is the owner, and the question for it. */
export type Announcement = { type: 'owner'; id: string } | { type: 'whoOwns' };

/** From a page to its worker. */
export type ToWorker =
  /** SQLite, compiled; null: the page could not fetch it. Sent once to each worker. */
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
  /** Instead of `start`: reads the unsynced records of a database of any version, then ends. */
  | { type: 'read'; name: string; salvage: SalvageRules }
  /** Instead of `start`: exports a database of any version as a file with this owner, then ends. */
  | { type: 'readFile'; name: string; owner: string }
  | { type: 'call'; call: Call }
  | { type: 'close' };

/** From a worker to its page. */
export type FromWorker =
  /** It runs, and holds its `alive` lock. */
  | { type: 'started' }
  | { type: 'owner'; id: string }
  | { type: 'reply'; reply: Reply }
  | { type: 'unsynced'; records: UnsyncedRecords }
  | { type: 'file'; bytes: Uint8Array }
  /** It cannot open the database, or has left it to newer code. Final. */
  | { type: 'failed'; error: StorageError }
  | { type: 'closed' };

export const channels = {
  public: (name: string) => `convoy:${name}`,
  /** Messages to one tab or owner. */
  inbox: (name: string, id: string) => `convoy:${name}:${id}`,
};

export const locks = {
  /** Held by the owner. */
  database: (name: string) => `convoy:database:${name}`,
  /** Held while a tab writes. */
  write: (name: string) => `convoy:write:${name}`,
  /** Held for as long as a tab or worker lives. */
  alive: (id: string) => `convoy:alive:${id}`,
};
