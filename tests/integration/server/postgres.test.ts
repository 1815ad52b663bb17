import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, startLocalStack } from '@/server';
import { postgresBinaries, startPostgres, type TestPostgres } from '../../support/postgres';
import { clientOf, newMember, probeSql, startProbe } from './probe';

describe.skipIf(postgresBinaries() === null)('on PostgreSQL', () => {
  let cluster: TestPostgres;
  let url: string;
  let stack: LocalStack;
  let member: Awaited<ReturnType<typeof newMember>>;

  beforeAll(async () => {
    cluster = await startPostgres();
    url = await cluster.createDatabase();
    stack = await startProbe({ data: { kind: 'postgres', url } });
    member = await newMember(stack, 'member@example.com');
  });
  afterAll(async () => {
    await stack?.close();
    await cluster?.stop();
  });

  it('signs in and calls functions as the user', async () => {
    const { data } = await member.auth.getUser();
    expect((await member.rpc('whoami')).data).toMatchObject({ uid: data.user?.id, role: 'authenticated' });
    expect((await member.auth.refreshSession()).error).toBeNull();
  });

  it('answers every shape as PGlite does', async () => {
    expect((await member.rpc('add', { a: 1 })).data).toBe(11);
    expect((await member.rpc('numbers')).data).toEqual([1, 2, 3]);
    expect((await member.rpc('one_note')).data).toEqual({ id: 1, body: 'one' });
    expect((await member.rpc('nothing')).status).toBe(204);
    expect((await member.rpc('hurried')).data).toBe('4321ms');
    expect((await member.rpc('write_while_stable')).error?.code).toBe('25006');
    expect((await member.rpc('write_and_fail')).error).toMatchObject({
      code: 'P0001',
      details: 'the detail',
    });
    expect((await member.rpc('count_notes')).data).toBe(2);
    expect((await clientOf(stack).rpc('members_only')).status).toBe(401);
  });

  it('starts no session while the password is being changed', async () => {
    const email = 'changing@example.com';
    await newMember(stack, email);
    const waiting = async () => {
      // In a transaction of its own: within one, this view does not change.
      const rows = await stack.backend.transaction((connection) =>
        connection.query("select 1 from pg_stat_activity where wait_event_type = 'Lock'"),
      );
      return rows.ok ? rows.value : [];
    };
    let signIn: Promise<{ error: { code?: string } | null }> | undefined;
    const changed = await stack.backend.transaction(async (connection) => {
      await connection.query("update auth.users set encrypted_password = 'another' where email = $1", [
        email,
      ]);
      signIn = clientOf(stack).auth.signInWithPassword({ email, password: 'correct horse' });
      await expect.poll(waiting).toHaveLength(1);
    });
    expect(changed.ok).toBe(true);
    expect((await signIn)?.error?.code).toBe('invalid_credentials');
  });

  it('serves many users at once without mixing them up', async () => {
    const anonymous = clientOf(stack);
    const roles = await Promise.all(
      Array.from(
        { length: 60 },
        async (_, index) => (await (index % 2 ? member : anonymous).rpc('whoami')).data.role,
      ),
    );
    expect(roles).toEqual(roles.map((_, index) => (index % 2 ? 'authenticated' : 'anon')));
  });

  it('can be started twice on one database at once, with the same keys', async () => {
    const fresh = await cluster.createDatabase();
    const stacks = await Promise.all(
      [1, 2, 3].map(() => startProbe({ data: { kind: 'postgres', url: fresh } })),
    );
    try {
      const [first, second] = stacks as [LocalStack, LocalStack];
      expect(new Set(stacks.map(({ anonKey }) => anonKey)).size).toBe(1);
      await newMember(first, 'both@example.com');
      const there = await clientOf(second).auth.signInWithPassword({
        email: 'both@example.com',
        password: 'correct horse',
      });
      expect(there.error).toBeNull();
    } finally {
      await Promise.all(stacks.map((one) => one.close()));
    }
  });

  it('reports an unreachable server', async () => {
    const started = await startLocalStack({
      data: { kind: 'postgres', url: 'postgres://nobody@127.0.0.1:1/none' },
      sql: probeSql(),
    });
    expect(started).toMatchObject({ ok: false, error: { code: 'database_unreachable' } });
  });

  it('answers 503 while its connections are cut, and recovers', async () => {
    const [row] = await ended(stack);
    expect(row).toBeDefined();
    const { error, status } = await member.rpc('whoami');
    if (error) expect(status).toBe(503);
    expect((await member.rpc('whoami')).error).toBeNull();
  });
});

/** Ends every other connection to the stack's database, as a restart of the server would. */
async function ended(stack: LocalStack): Promise<unknown[]> {
  const done = await stack.backend.transaction((connection) =>
    connection.query(`
      select count(pg_terminate_backend(pid))::int as ended from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()
    `),
  );
  return done.ok ? done.value : [];
}
