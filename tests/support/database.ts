/**
 * The database with all migrations, for tests that speak SQL to it: on PGlite, or on the PostgreSQL
 * server of DATABASE_URL, where each test database is made and dropped.
 */

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { openPostgres, type SqlBackend, type SqlConnection, type SqlFailure } from '@/server';
import { openMigrated, prepareForTests } from './template';

type Value = string | number | boolean | null;

/** The error of a refused statement. */
export class Refused extends Error {
  constructor(readonly failure: SqlFailure) {
    super(`${failure.message} (${failure.sqlState})`);
  }

  get sqlState(): string {
    return this.failure.sqlState;
  }
}

export class TestDatabase {
  constructor(
    readonly backend: SqlBackend,
    private readonly drop: () => Promise<void>,
  ) {}

  /** Runs a statement as the owner of the database, for whom there are no policies. */
  query<Row = Record<string, unknown>>(text: string, values: readonly Value[] = []): Promise<Row[]> {
    return this.transaction((connection) => connection.query<Row>(text, values));
  }

  /** Runs `work` in a transaction of the database's owner. @throws Refused */
  async transaction<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return unwrap(await this.backend.transaction(work));
  }

  /** Runs `work` as a signed-in user, or as an anonymous one, as PostgREST does. @throws Refused */
  async as<T>(userId: string | null, work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    const role = userId === null ? 'anon' : 'authenticated';
    const claims = userId === null ? { role } : { role, sub: userId };
    return unwrap(
      await this.backend.transaction(work, {
        settings: { role, 'request.jwt.claims': JSON.stringify(claims) },
      }),
    );
  }

  async close(): Promise<void> {
    await this.backend.close();
    await this.drop();
  }
}

/**
 * Opens a database of its own.
 * @param options `demo`: with supabase/seed.sql; `url`: on this server, whatever DATABASE_URL says.
 */
export async function openDatabase(options: { demo?: boolean; url?: string } = {}): Promise<TestDatabase> {
  const demo = options.demo ?? false;
  const url = options.url ?? process.env.DATABASE_URL;
  return url ? onServer(url, demo) : onPglite(demo);
}

/** @returns the SQLSTATE that `work` is refused with, or null when it passes. */
export async function refusalOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof Refused) return error.sqlState;
    throw error;
  }
}

async function onPglite(demo: boolean): Promise<TestDatabase> {
  return new TestDatabase(await openMigrated(demo), async () => {});
}

async function onServer(url: string, demo: boolean): Promise<TestDatabase> {
  const name = `convoy_test_${randomUUID().replaceAll('-', '')}`;
  await onServerItself(url, `create database ${name}`);
  const address = new URL(url);
  address.pathname = `/${name}`;
  const backend = openPostgres(address.href);
  await prepareForTests(backend, demo);
  return new TestDatabase(backend, () => onServerItself(url, `drop database ${name} with (force)`));
}

async function onServerItself(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function unwrap<T>(result: { ok: true; value: T } | { ok: false; error: SqlFailure }): T {
  if (!result.ok) throw new Refused(result.error);
  return result.value;
}
