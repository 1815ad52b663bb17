/** What releases left behind, kept under tests/fixtures/releases: servers, devices, and the device's code. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliDecompressSync, constants } from 'node:zlib';
import type { Json, PushRequest } from '@/core/protocol';
import type { ConvoyDatabase, UnsyncedCounts, UnsyncedExport } from '@/lib/watermelon';
import type { LocalStackOptions, SqlBackend } from '@/server';
import { deviceSnapshot } from './snapshot';
import type { Variant } from './variant';

const RELEASES = resolve('tests/fixtures/releases');

/** Rows of each table, hashed over the columns that the table had then. */
export type Content = Record<string, { columns: string[]; rows: number; hash: string }>;

/** An edit that no server has acknowledged, as the server is to have it after a sync. */
export type Work =
  | { what: 'written'; table: string; id: string; values: Record<string, Json> }
  | { what: 'deleted'; table: string; id: string };

export interface LeftDevice {
  /** Name of its database. */
  database: string;
  userId: string;
  content: Content;
  unsynced: UnsyncedExport;
  counts: UnsyncedCounts;
  work: Work[];
}

/** The batch that the server took and whose answer the device never saw. */
export interface InFlight {
  request: PushRequest;
  /** Renamed by it, and by somebody else since. */
  renamed: { id: string; title: string };
  created: string;
}

/** @returns what the server knows a batch by (U2) */
export function identityOf(request: unknown): Omit<PushRequest, 'protocol' | 'schema' | 'cursors' | 'skip'> {
  const { user_id, device_id, batch, changes } = request as PushRequest;
  return { user_id, device_id, batch, changes };
}

export interface LeftServer {
  content: Content;
  /** Accounts that can sign in beside those of the demo, by role in the demo's workspace; `stranger` has none. */
  newcomer: string;
  stranger: string;
  /** A deletion that can be restored, and the task that it took. */
  deletion: { id: string; task: string };
  device: LeftDevice & { account: string; inFlight: InFlight };
}

export interface Manifest {
  release: string;
  protocol: number;
  schema: number;
  /** Newest migration that had been applied. */
  migration: string;
  pglite: LeftServer;
  postgres: LeftServer;
  /** Work begun without an account. */
  local: LeftDevice;
}

/** Files of a release, all compressed by brotli but for the manifest. */
export const FILES = {
  manifest: 'manifest.json',
  code: 'device.mjs.br',
  local: 'local.db.br',
  pglite: { server: 'pglite.tar.br', device: 'pglite.device.db.br' },
  postgres: { server: 'postgres.sql.br', roles: 'postgres.roles.sql.br', device: 'postgres.device.db.br' },
} as const;

/** Nothing is purged while a test runs: by the date of the test, all of a fixture may be older than the horizon. */
export const NO_PURGE = { purge: { firstMs: 2 ** 31 - 1 } } satisfies Partial<LocalStackOptions>;

export class Release {
  readonly manifest: Manifest;

  private constructor(private readonly folder: string) {
    this.manifest = JSON.parse(readFileSync(join(folder, FILES.manifest), 'utf8')) as Manifest;
  }

  /** All releases that left something behind. */
  static all(): Release[] {
    return readdirSync(RELEASES, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => new Release(join(RELEASES, name)));
  }

  /** @returns the content of one of the compressed files */
  read(file: string): Buffer {
    return brotliDecompressSync(readFileSync(join(this.folder, file)), {
      params: { [constants.BROTLI_DECODER_PARAM_LARGE_WINDOW]: 1 },
    });
  }

  /** Writes the local database of a device into a folder. */
  restoreDevice(file: string, { database }: LeftDevice, folder: string): void {
    writeFileSync(join(folder, `${database}.db`), this.read(file));
  }

  /** Writes the data folder of the local stack into an empty folder. */
  async restoreDataFolder(folder: string): Promise<void> {
    const tar = spawn('tar', ['-xf', '-', '-C', folder], { stdio: ['pipe', 'ignore', 'inherit'] });
    tar.stdin.end(this.read(FILES.pglite.server));
    await ended(tar);
  }

  /** The release's own code of a device, to be driven by `ProcessDevice`. */
  code(): Pick<Variant, 'start' | 'remove'> {
    // Below the project: better-sqlite3 is found from there.
    const cache = resolve('.cache/releases');
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, `${this.manifest.release}-`));
    const file = join(folder, 'device.mjs');
    writeFileSync(file, this.read(FILES.code));
    return {
      remove: () => rmSync(folder, { recursive: true, force: true }),
      start: () =>
        spawn(process.execPath, [file], {
          stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
          serialization: 'advanced',
        }),
    };
  }
}

export function ended(child: ChildProcess): Promise<void> {
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('close', (code) =>
      code === 0 ? done() : failed(new Error(`${child.spawnfile} ended with ${code}.`)),
    );
  });
}

/** @param known whose tables and columns are looked at; absent: all there are */
export async function contentOfServer(backend: SqlBackend, known?: Content): Promise<Content> {
  const rows = await backend.transaction(
    async (connection) => {
      const tables = await connection.query<{ name: string }>(
        `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
         where table_schema in ('public', 'auth') and table_type = 'BASE TABLE' order by 1`,
      );
      const found: [string, Record<string, Json>[]][] = [];
      for (const { name } of tables) {
        const all = await connection.query<{ row: string }>(`select to_jsonb(t)::text as row from ${name} t`);
        found.push([name, all.map(({ row }) => JSON.parse(row) as Record<string, Json>)]);
      }
      return found;
    },
    { settings: { timezone: 'UTC' } },
  );
  if (!rows.ok) throw new Error(rows.error.message);
  return contentOf(rows.value, known);
}

export async function contentOfDevice(database: ConvoyDatabase, known?: Content): Promise<Content> {
  const tables = new Map<string, Record<string, Json>[]>();
  for (const [key, row] of Object.entries(await deviceSnapshot(database))) {
    const [table = ''] = key.split('/');
    tables.set(table, [...(tables.get(table) ?? []), row as Record<string, Json>]);
  }
  return contentOf([...tables], known);
}

function contentOf(tables: [string, Record<string, Json>[]][], known?: Content): Content {
  const looked = tables.filter(([name]) => known === undefined || name in known);
  return Object.fromEntries(
    looked.map(([name, rows]) => {
      const columns = known?.[name]?.columns ?? [...new Set(rows.flatMap((row) => Object.keys(row)))].sort();
      const lines = rows.map((row) =>
        JSON.stringify(columns.map((column) => canonical(row[column] ?? null))),
      );
      const hash = createHash('sha256').update(lines.sort().join('\n')).digest('hex').slice(0, 16);
      return [name, { columns, rows: rows.length, hash }];
    }),
  );
}

/** Objects by sorted names: JSON text keeps another order than jsonb. */
function canonical(value: Json): Json {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, nested]) => [name, canonical(nested)]));
}
