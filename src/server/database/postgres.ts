/** Any PostgreSQL server, through a pool of connections. */

import pg from 'pg';
import { fail, ok, type Result } from '@/core/result';
import {
  assertCommitted,
  failureOf,
  type NotificationListener,
  openingScript,
  type SqlBackend,
  type SqlConnection,
  type SqlFailure,
} from './backend';

const CONNECT_TIMEOUT_MS = 10_000;

/** Opens a pool. An unreachable server fails the first transaction (`08006`). */
export function openPostgres(databaseUrl: string, maxConnections = 10): SqlBackend {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: maxConnections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'convoy',
  });
  // The pool replaces a broken idle connection; without a listener its `error` would end the process.
  pool.on('error', () => {});

  return {
    kind: 'postgres',
    async transaction(work, options) {
      let client: pg.PoolClient;
      try {
        client = await pool.connect();
      } catch (error) {
        return fail(failureOf(error) ?? unreachable(error));
      }
      // The running query reports a broken connection too.
      const ignore = () => {};
      client.on('error', ignore);
      let broken = false;
      try {
        await client.query(openingScript(options));
        const value = await work(connectionOf(client));
        assertCommitted((await client.query('commit')).command);
        return ok(value);
      } catch (error) {
        await client.query('rollback').catch(() => {
          broken = true;
        });
        const failure = failureOf(error) ?? (broken ? unreachable(error) : null);
        if (failure) return fail(failure);
        throw error;
      } finally {
        client.off('error', ignore);
        client.release(broken);
      }
    },
    listen: (channel, listener) => listen(databaseUrl, channel, listener),
    close: async () => {
      if (!pool.ending) await pool.end();
    },
  };
}

/** Listens on a separate connection: LISTEN is bound to one, and the pool replaces its connections. */
async function listen(
  databaseUrl: string,
  channel: string,
  { onNotification, onLost }: NotificationListener,
): Promise<Result<() => Promise<void>, SqlFailure>> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'convoy realtime',
    // Without keep-alive, an idle connection would not notice that the server is gone.
    keepAlive: true,
  });
  let heard: 'not yet' | 'yes' | 'over' = 'not yet';
  // `end` follows an `error`; without a listener the `error` would end the process.
  client.on('error', () => {});
  client.on('end', () => {
    if (heard === 'yes') onLost();
    heard = 'over';
  });
  client.on('notification', ({ payload }) => onNotification(payload ?? ''));
  try {
    await client.connect();
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
  } catch (error) {
    await client.end().catch(() => {});
    return fail(failureOf(error) ?? unreachable(error));
  }
  heard = 'yes';
  return ok(async () => {
    heard = 'over';
    await client.end().catch(() => {});
  });
}

function connectionOf(client: pg.PoolClient): SqlConnection {
  return {
    query: async <Row>(text: string, values: readonly unknown[] = []) =>
      (await client.query(text, [...values])).rows as Row[],
    execute: async (script) => {
      await client.query(script);
    },
  };
}

function unreachable(error: unknown): SqlFailure {
  const message = error instanceof Error && error.message !== '' ? error.message : String(error);
  return { sqlState: '08006', message, detail: null, hint: null };
}
