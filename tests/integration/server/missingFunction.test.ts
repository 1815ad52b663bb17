import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { reactionTo } from '@/core/errors';
import { createConvoyClient } from '@/lib/supabase/client';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import type { SqlBackend } from '@/server';
import { postgresBinaries, startPostgres, type TestPostgres } from '../../support/postgres';
import { postgrestInstalled, startPostgrest, type TestPostgrest } from '../../support/postgrest';
import { SEED } from '../../support/seed';
import { type SignedIn, type TestDevice, World } from '../../support/world';

async function sql(backend: SqlBackend, text: string): Promise<Record<string, string>[]> {
  const done = await backend.transaction((connection) => connection.query<Record<string, string>>(text));
  if (!done.ok) throw new Error(done.error.message);
  return done.value;
}

/** Drops a function, as if the migration that makes it had not been applied. @returns how to apply it */
async function without(backend: SqlBackend, signature: string): Promise<() => Promise<unknown>> {
  const [made] = await sql(backend, `select pg_get_functiondef('${signature}'::regprocedure) as text`);
  await sql(backend, `drop function ${signature}`);
  return async () => {
    await sql(backend, made?.text ?? '');
    await sql(backend, `grant execute on function ${signature} to authenticated`);
  };
}

const SIGNATURES = {
  sync_pull: 'public.sync_pull(jsonb)',
  sync_push: 'public.sync_push(jsonb)',
  get_bounded_context: 'public.get_bounded_context(uuid, jsonb)',
};
type Name = keyof typeof SIGNATURES;
const NAMES = Object.keys(SIGNATURES) as Name[];

/** A server without one function; the same two expectations for whoever serves it. */
function suite(
  open: () => { world: World; member: SignedIn; device: TestDevice; reload: () => Promise<void> },
) {
  it.each(NAMES)(
    'a server that lacks %s is told as schema_mismatch, and served as soon as it has it (U16)',
    async (name) => {
      const { world, member, device, reload } = open();
      const task = { milestone_id: SEED.offlineMilestone, title: `while ${name} is missing` };
      const call = async () => {
        if (name === 'get_bounded_context') {
          return createRemoteContextService({ client: member.client })
            .getTaskContext(SEED.busyTask)
            .then(
              () => null,
              (error) => error.detail,
            );
        }
        return (await device.sync()).error;
      };
      const apply = await without(world.stack.backend, SIGNATURES[name]);
      try {
        await reload();
        await device.contextService.createTask(task);
        await vi.waitFor(async () => expect(await call()).toMatchObject({ code: 'schema_mismatch' }), 10_000);
        const error = await call();
        expect(error).toMatchObject({ kind: 'protocol', code: 'schema_mismatch' });
        expect(error.message).toContain(name);
        // Nothing is set aside, split or given another device id: the work waits for the server.
        expect(reactionTo(error)).toBe('stop');
        if (name === 'sync_push') expect(device.syncStatus).toMatchObject({ kind: 'error', quarantined: 0 });
      } finally {
        await apply();
        await reload();
      }
      await vi.waitFor(async () => expect(await call()).toBeNull(), 10_000);
      expect(await device.sync()).toMatchObject({ status: 'ok', rejected: 0 });
      expect(device.syncStatus).toMatchObject({ pending: 0, quarantined: 0 });
      const [stored] = await sql(
        world.stack.backend,
        `select count(*)::text as n from public.tasks where title = '${task.title}'`,
      );
      expect(stored?.n).toBe('1');
    },
  );
}

describe('on the local stack', () => {
  let world: World;
  let member: SignedIn;
  let device: TestDevice;

  beforeAll(async () => {
    world = await World.start();
    member = await world.signIn('owner');
    device = await world.device(member);
  });
  afterAll(() => world.close());
  // The stack reads the catalogue again by itself.
  suite(() => ({ world, member, device, reload: async () => undefined }));
});

describe.skipIf(!postgrestInstalled() || postgresBinaries() === null)('beside the real PostgREST', () => {
  let cluster: TestPostgres;
  let postgrest: TestPostgrest;
  let world: World;
  let member: SignedIn;
  let device: TestDevice;

  beforeAll(async () => {
    cluster = await startPostgres();
    const url = await cluster.createDatabase();
    world = await World.start({ kind: 'postgres', url });
    postgrest = await startPostgrest(url, world.stack.jwtSecret);
    const rest = `${world.stack.url}/rest/v1`;
    const client = createConvoyClient(world.stack.url, world.stack.anonKey, {
      persistSession: false,
      autoRefreshToken: false,
      fetch: (input, init) => fetch(String(input).replace(rest, postgrest.url), init),
    });
    const credentials = { email: 'owner@convoy.example', password: SEED.password };
    const { data, error } = await client.auth.signInWithPassword(credentials);
    if (error) throw error;
    member = { client, userId: data.user.id };
    device = await world.device(member);
  });
  afterAll(async () => {
    await world?.close();
    await postgrest?.stop();
    await cluster?.stop();
  });
  const reload = async () => {
    await sql(world.stack.backend, "notify pgrst, 'reload schema'");
  };
  suite(() => ({ world, member, device, reload }));
});
