import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LocalStack, type StackSql, startLocalStack } from '@/server';
import { clientOf, newMember, probeSql, startProbe } from '../../integration/server/probe';

let folder: string;
let open: LocalStack[];

/** Making a database takes seconds, copying one does not. */
let template: string;
let templateKeys: string;
beforeAll(async () => {
  template = mkdtempSync(join(tmpdir(), 'convoy-data-'));
  const made = await startProbe({ data: { kind: 'folder', path: template }, demo: false });
  templateKeys = made.anonKey;
  await made.close();
});
afterAll(() => rmSync(template, { recursive: true, force: true }));

/** Puts the data folder of an earlier run in place. */
function earlierRun(): void {
  cpSync(template, folder, { recursive: true });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-data-'));
  open = [];
});
afterEach(async () => {
  for (const stack of open) await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: { sql?: StackSql; reset?: boolean; path?: string } = {}): Promise<LocalStack> {
  const { sql = probeSql(), reset, path = folder } = options;
  const stack = await startProbe({ data: { kind: 'folder', path, reset }, sql });
  open.push(stack);
  return stack;
}

/** @returns the code with which a start is refused. */
async function refusal(options: { sql?: StackSql; reset?: boolean; path?: string } = {}): Promise<string> {
  const { sql = probeSql(), reset, path = folder } = options;
  const started = await startLocalStack({ data: { kind: 'folder', path, reset }, sql });
  if (started.ok) {
    open.push(started.value);
    return 'started';
  }
  expect(started.error.message).toMatch(/--data|migration/i);
  return started.error.code;
}

const credentials = { email: 'keeper@example.com', password: 'correct horse' };

describe('a data folder', () => {
  it('keeps data, users, sessions and keys between runs, until a reset', async () => {
    earlierRun();
    const first = await start();
    const client = await newMember(first, credentials.email);
    await client.rpc('write_note', { id: 3 });
    const { data } = await client.auth.getSession();
    await first.close();

    const second = await start();
    expect(second.anonKey).toBe(first.anonKey);
    const again = clientOf(second);
    await again.auth.setSession({
      access_token: data.session?.access_token ?? '',
      refresh_token: data.session?.refresh_token ?? '',
    });
    expect((await again.rpc('count_notes')).data).toBe(3);
    expect((await again.auth.refreshSession()).error).toBeNull();
    await second.close();

    const third = await start({ reset: true });
    expect(third.anonKey).not.toBe(first.anonKey);
    const stranger = await clientOf(third).auth.signInWithPassword(credentials);
    expect(stranger.error?.code).toBe('invalid_credentials');
  });

  it('every acknowledged write is flushed to the disk', async () => {
    earlierRun();
    const stack = await start();
    const settings = await stack.backend.transaction((connection) =>
      connection.query<{ name: string; setting: string }>(
        "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'wal_sync_method') order by name",
      ),
    );
    expect(settings.ok && settings.value.map(({ setting }) => setting)).toEqual(['on', 'on', 'fsync']);
  });

  it('the demo is inserted once, in a fresh database alone', async () => {
    const sql = { ...probeSql(), seed: "insert into public.notes values (50, 'from the seed')" };
    earlierRun();
    const unseeded = await start({ sql });
    expect(unseeded.accounts).toEqual([]);
    await unseeded.close();

    const seeded = await start({ sql, reset: true });
    expect(seeded.accounts.map(({ role }) => role)).toEqual(['owner', 'editor', 'viewer', 'agent']);
    await seeded.close();
    // The same seed a second time would break a unique key.
    expect((await start({ sql })).accounts).toHaveLength(4);
  });
});

describe('a marker that a power cut tore', () => {
  it.each(['', '{"form', '\0\0\0\0'])(
    '%j is replaced whole, and the database beside it kept',
    async (torn) => {
      earlierRun();
      const marker = join(folder, 'stack.json');
      const whole = readFileSync(marker, 'utf8');
      writeFileSync(marker, torn);
      // Another name of the torn file: what is written in place shows here too.
      const old = join(folder, 'old.json');
      linkSync(marker, old);
      const keys = (await start()).anonKey;
      expect(readFileSync(marker, 'utf8')).toBe(whole);
      expect(readFileSync(old, 'utf8')).toBe(torn);
      expect(existsSync(`${marker}.partial`)).toBe(false);
      expect(keys).toBe(templateKeys);
    },
  );

  it('a marker does not make a broken database open', async () => {
    earlierRun();
    const marker = join(folder, 'stack.json');
    writeFileSync(marker, '');
    writeFileSync(join(folder, 'database/PG_VERSION'), '19\n');
    expect(await refusal()).toBe('data_broken');
    expect(readFileSync(marker, 'utf8')).toBe('');
  });

  it('a missing database is not replaced by a new one', async () => {
    earlierRun();
    writeFileSync(join(folder, 'stack.json'), '');
    rmSync(join(folder, 'database'), { recursive: true });
    expect(await refusal()).toBe('data_broken');
  });
});

describe('refused data folders', () => {
  it('locks a second stack out, reset or not, and lets it in afterwards', async () => {
    earlierRun();
    const first = await start();
    expect(await refusal()).toBe('data_locked');
    expect(await refusal({ reset: true })).toBe('data_locked');
    await first.close();
    expect(await refusal()).toBe('started');
  });

  it('leaves a folder with other files alone', async () => {
    writeFileSync(join(folder, 'thesis.txt'), 'years of work');
    expect(await refusal()).toBe('data_foreign');
    expect(await refusal({ reset: true })).toBe('data_foreign');
    expect(readdirSync(folder)).toEqual(['thesis.txt']);
  });

  it('refuses a file in place of a folder', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, '');
    expect(await refusal({ path })).toBe('data_foreign');
  });

  it('does not touch a broken database until a reset', async () => {
    earlierRun();
    const control = join(folder, 'database/global/pg_control');
    writeFileSync(control, 'garbage');
    expect(await refusal()).toBe('data_broken');
    expect(existsSync(control)).toBe(true);
    expect(await refusal({ reset: true })).toBe('started');
  });

  it('refuses to make a new database where one has gone missing', async () => {
    earlierRun();
    rmSync(join(folder, 'database'), { recursive: true });
    expect(await refusal()).toBe('data_broken');
  });

  it('starts over after a first start that was killed half-way', async () => {
    mkdirSync(join(folder, 'database.partial'));
    writeFileSync(join(folder, 'database.partial/PG_VERSION'), '18\n');
    writeFileSync(join(folder, 'lock.db'), '');
    expect(await refusal()).toBe('started');
  });

  it('refuses a folder of another format or another PostgreSQL', async () => {
    earlierRun();
    writeFileSync(join(folder, 'stack.json'), '{"format": 2, "postgres": "18"}');
    expect(await refusal()).toBe('data_newer');
    writeFileSync(join(folder, 'stack.json'), '{"format": 1, "postgres": "19"}');
    expect(await refusal()).toBe('data_newer');
    writeFileSync(join(folder, 'stack.json'), '{"format": "1"}');
    expect(await refusal()).toBe('data_broken');
  });
});

describe('migrations', () => {
  const sql = probeSql();
  const second = { version: '20250102000000', name: 'second', sql: 'create table public.later (id int)' };
  const withSecond = { ...sql, migrations: [...sql.migrations, second] };

  it('applies new migrations once, and records them as the Supabase CLI does', async () => {
    earlierRun();
    await (await start({ sql: withSecond })).close();
    const stack = await start({ sql: withSecond });
    const rows = await stack.backend.transaction((connection) =>
      connection.query('select version, name from supabase_migrations.schema_migrations order by version'),
    );
    expect(rows.ok && rows.value).toEqual([
      { version: '20250101000000', name: 'probe' },
      { version: '20250102000000', name: 'second' },
    ]);
  });

  it('refuses a changed migration, and a database that is ahead', async () => {
    earlierRun();
    await (await start({ sql: withSecond })).close();
    const changed = { ...sql, migrations: [...sql.migrations, { ...second, sql: 'select 1' }] };
    expect(await refusal({ sql: changed })).toBe('migration_changed');
    expect(await refusal({ sql })).toBe('data_newer');
    expect(await refusal({ sql: withSecond })).toBe('started');
  });

  it('rolls a failing migration back whole, and goes on when it has been repaired', async () => {
    earlierRun();
    const failing = { ...second, sql: `${second.sql}; select 1 / 0` };
    expect(await refusal({ sql: { ...sql, migrations: [...sql.migrations, failing] } })).toBe(
      'migration_failed',
    );
    expect(await refusal({ sql: withSecond })).toBe('started');
  });
});

it('hides the details of auth failures from clients, and logs them', async () => {
  const log = vi.fn();
  const stack = await startProbe({ log });
  open.push(stack);
  await stack.backend.transaction((connection) =>
    connection.execute('drop table local_stack.sessions cascade'),
  );
  const { error } = await clientOf(stack).auth.signUp(credentials);
  expect(error?.name).toBe('AuthRetryableFetchError');
  expect(log.mock.lastCall?.[0]).toMatch(/42P01/);
});
