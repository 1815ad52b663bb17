/** PostgreSQL as WebAssembly inside this process: one connection, so transactions take turns. */

import { PGlite } from '@electric-sql/pglite';
import { fail, ok } from '@/core/result';
import { assertCommitted, failureOf, openingScript, type SqlBackend, type SqlConnection } from './backend';
import { DurableFolder } from './durableFolder';

/** The major version of PostgreSQL that PGlite is built from; data folders of another one do not open. */
export const PGLITE_POSTGRES_VERSION = '18';

/**
 * Frames of WebAssembly also take up the stack of the JavaScript engine, which ends long before the 2 MB that
 * PostgreSQL allows itself: there, deep recursion would break the whole database rather than its statement.
 */
const IN_MEMORY_PARAMETERS = [...PGlite.defaultStartParams, '-c', 'max_stack_depth=256kB'];

/** PGlite's own list switches fsync off. */
const FOLDER_PARAMETERS = [
  ...IN_MEMORY_PARAMETERS.filter((parameter) => parameter !== '-F'),
  ...['-c', 'fsync=on', '-c', 'wal_sync_method=fsync'],
];

export interface PgliteBackend extends SqlBackend {
  readonly kind: 'pglite';
  /** The whole database as a tarball, for `openPgliteInMemory` to start from. */
  dump(): Promise<Blob>;
}

/**
 * Opens the database in a folder, and creates it where the folder is empty.
 * @throws what PGlite throws when the folder holds no sound database.
 */
export async function openPgliteFolder(folder: string): Promise<PgliteBackend> {
  const fs = new DurableFolder(folder);
  return pgliteBackend(await PGlite.create({ fs, startParams: FOLDER_PARAMETERS }));
}

/** A database that is gone with the process. `template` is what `dump` gave: it starts in a fraction of the time. */
export async function openPgliteInMemory(template?: Blob): Promise<PgliteBackend> {
  return pgliteBackend(
    await PGlite.create({ startParams: IN_MEMORY_PARAMETERS, ...(template && { loadDataDir: template }) }),
  );
}

function pgliteBackend(database: PGlite): PgliteBackend {
  const connection: SqlConnection = {
    query: async <Row>(text: string, values: readonly unknown[] = []) =>
      (await database.query<Row>(text, [...values])).rows as Row[],
    execute: async (script) => {
      await database.exec(script);
    },
  };
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;

  /** PGlite has one connection: without turns, the statements of two requests would mix in one transaction. */
  function inTurn<T>(job: () => Promise<T>): Promise<T> {
    const turn = last.then(job);
    last = turn.catch(() => {});
    return turn;
  }

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
    dump: () => inTurn(() => database.dumpDataDir('none')),
    close: () =>
      inTurn(async () => {
        if (closed) return;
        closed = true;
        await database.close();
      }),
  };
}
