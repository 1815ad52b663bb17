/** PostgreSQL as WebAssembly inside this process. It has one connection, so transactions run one at a time. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Extension, PGlite, type PGliteOptions } from '@electric-sql/pglite';
import { pgcrypto } from '@electric-sql/pglite/contrib/pgcrypto';
import { fail, ok } from '@/core/result';
import { assertCommitted, failureOf, openingScript, type SqlBackend, type SqlConnection } from './backend';
import { DurableFolder } from './durableFolder';

/** PostgreSQL's major version in PGlite; data folders of other versions do not open. */
export const PGLITE_POSTGRES_VERSION = '18';

/**
 * WebAssembly frames also use the JavaScript engine's stack, which is exhausted long before PostgreSQL's limit of
 * 2 MB; deep recursion would then crash the database instead of failing its statement.
 */
const PARAMETERS = [...PGlite.defaultStartParams, '-c', 'max_stack_depth=256kB'];

const IN_MEMORY_PARAMETERS = [
  ...PARAMETERS,
  // Pages in memory need no second copy of 128 MB there, which takes half a second to allocate.
  ...['-c', 'shared_buffers=16MB'],
  // Segments of the log that are over would stay for later ones, in each dump too: a third of it.
  ...['-c', 'wal_recycle=off'],
];

/** A log that no crash will read needs no segments of 16 MB. */
const IN_MEMORY_INITDB = ['--wal-segsize=1'];

/** PGlite's default parameters switch fsync off (-F). */
const FOLDER_PARAMETERS = [
  ...PARAMETERS.filter((parameter) => parameter !== '-F'),
  ...['-c', 'fsync=on', '-c', 'wal_sync_method=fsync'],
];

/** Extensions that `bootstrap.sql` creates: the hashes of agents' secrets come from one. */
const EXTENSIONS = { pgcrypto: linkedWhenCalled(pgcrypto) };

/**
 * PGlite links an extension's library into each database that it opens, a third of what opening one takes. As a plain
 * file PostgreSQL itself links it, when a function of it is called for the first time.
 */
function linkedWhenCalled(extension: Extension): Extension {
  return {
    ...extension,
    setup: async (database, options, clientOnly) => {
      const result = await extension.setup(database, options, clientOnly);
      // Emscripten's name for linking no file that ends with `.so` while the file system is filled.
      return { ...result, emscriptenOpts: { ...options, ...result.emscriptenOpts, noWasmDecoding: true } };
    },
  };
}

type Program = Pick<PGliteOptions, 'pgliteWasmModule' | 'fsBundle'>;

let program: Promise<Program> | null = null;

/** PostgreSQL itself, read and compiled once: PGlite does so again for each database, a fifth of what opening one takes. */
function postgres(): Promise<Program> {
  program ??= readProgram();
  return program;
}

async function readProgram(): Promise<Program> {
  const folder = dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite'));
  const read = async (name: string) => new Uint8Array(await readFile(join(folder, name)));
  const [code, files] = await Promise.all([read('pglite.wasm'), read('pglite.data')]);
  return { pgliteWasmModule: await WebAssembly.compile(code), fsBundle: new Blob([files]) };
}

export interface PgliteBackend extends SqlBackend {
  readonly kind: 'pglite';
  /** @returns the whole database as a tarball, a template for `openPgliteInMemory` */
  dump(): Promise<Blob>;
}

/**
 * Opens the database in a folder; creates it where the folder is empty.
 * @throws PGlite's error when the folder contains no sound database
 */
export async function openPgliteFolder(folder: string): Promise<PgliteBackend> {
  const fs = new DurableFolder(folder);
  return pgliteBackend(await PGlite.create({ fs, startParams: FOLDER_PARAMETERS, extensions: EXTENSIONS }));
}

/** Opens a database that ends with the process. @param template a `dump`: starts in a fraction of the time */
export async function openPgliteInMemory(template?: Blob): Promise<PgliteBackend> {
  return pgliteBackend(
    await PGlite.create({
      ...(await postgres()),
      startParams: IN_MEMORY_PARAMETERS,
      extensions: EXTENSIONS,
      initDbStartParams: IN_MEMORY_INITDB,
      ...(template && { loadDataDir: template }),
    }),
  );
}

/** @returns a function that runs one job at a time: on the one connection, statements of two requests would mix in one transaction */
function createQueue(): <T>(job: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (job) => {
    const turn = last.then(job);
    last = turn.catch(() => {});
    return turn;
  };
}

function pgliteBackend(database: PGlite): PgliteBackend {
  const connection: SqlConnection = {
    query: async <Row>(text: string, values: readonly unknown[] = []) =>
      (await database.query<Row>(text, [...values])).rows as Row[],
    execute: async (script) => {
      await database.exec(script);
    },
  };
  const inTurn = createQueue();
  let closed = false;

  return {
    kind: 'pglite',
    transaction: (work, options) =>
      inTurn(async () => {
        try {
          await database.exec(openingScript(options));
          const value = await work(connection);
          const [committed] = await database.exec('commit');
          assertCommitted(committed?.command);
          return ok(value);
        } catch (error) {
          await database.exec('rollback');
          const failure = failureOf(error);
          if (failure) return fail(failure);
          throw error;
        }
      }),
    listen: (channel, { onNotification }) =>
      inTurn(async () => {
        try {
          const stop = await database.listen(channel, onNotification);
          return ok(() => inTurn(async () => (closed ? undefined : stop())));
        } catch (error) {
          const failure = failureOf(error);
          if (failure) return fail(failure);
          throw error;
        }
      }),
    dump: () =>
      inTurn(async () => {
        // Each database that is opened from the dump would replay the log since the last one.
        await database.exec('checkpoint');
        return database.dumpDataDir('none');
      }),
    close: () =>
      inTurn(async () => {
        if (closed) return;
        closed = true;
        await database.close();
      }),
  };
}
