/** The cases of `npm run prove:limits`: large work that once stopped a sync for good. */

import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { PROTOCOL_VERSION, type PushChange, SCHEMA_VERSION } from '@/core/protocol';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { Task } from '@/lib/watermelon';
import { manyTasks } from '../../tests/support/manyTasks';
import { SEED } from '../../tests/support/seed';
import type { SlowProxy } from '../../tests/support/slowProxy';
import type { SignedIn, TestDevice, World } from '../../tests/support/world';

export interface Stage {
  world: World;
  size: number;
  /** A connection in front of the server, slow where the case is about that. */
  proxy: SlowProxy;
  /** Counts requests; each case reports those of its own work alone. */
  count: () => void;
}

/** @returns null where all went well, else what went wrong. */
type Run = (stage: Stage) => Promise<string | null>;

export interface LimitCase {
  name: string;
  /** The unit of `size`. */
  of: string;
  size: number;
  run: Run;
}

const sql = async (
  world: World,
  text: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> => {
  const done = await world.stack.backend.transaction((connection) =>
    connection.query(text, values as string[]),
  );
  if (!done.ok) throw new Error(done.error.message);
  return done.value as Record<string, unknown>[];
};

const countOf = async (world: World, where: string): Promise<number> =>
  Number((await sql(world, `select count(*) as n from ${where}`))[0]?.n);

/**
 * Syncs until a sync ends well with nothing pending. @returns null, or why it never did
 * @param most syncs in a row that may bring nothing further
 */
async function syncToEnd(device: TestDevice, most = 6): Promise<string | null> {
  let last = 'not synced';
  for (let idle = 0; idle < most; ) {
    const { status, error, pushed, pulled } = await device.sync();
    if (status === 'ok' && device.syncStatus.pending === 0) return null;
    idle = pushed + pulled > 0 ? 0 : idle + 1;
    last = error ? `${error.code}: ${error.message}` : `${status}, ${device.syncStatus.pending} pending`;
  }
  return last;
}

/** Pushes changes as a device that holds nothing, as often as the server says to. */
async function push({ client, userId }: SignedIn, changes: readonly PushChange[]): Promise<string | null> {
  const most = 40 + Math.ceil(changes.length / 500);
  const transport = new SupabaseTransport(client);
  const device_id = randomUUID();
  let left = [...changes];
  for (let batch = 1; left.length > 0 && batch <= most; batch += 1) {
    const answered = await transport.push(
      {
        protocol: PROTOCOL_VERSION,
        schema: SCHEMA_VERSION,
        user_id: userId,
        device_id,
        batch,
        key: randomUUID(),
        cursors: {},
        skip: {},
        changes: left.slice(0, 1_000).map((one, group) => ({ ...one, group })),
      },
      new AbortController().signal,
    );
    if (!answered.ok) return `${answered.error.code}: ${answered.error.message}`;
    const { outcomes } = answered.value;
    const untried = left.slice(0, 1_000).filter((_, index) => outcomes[index]?.outcome === 'blocked');
    left = [...untried, ...left.slice(1_000)];
  }
  return left.length > 0 ? `${left.length} changes are left` : null;
}

/**
 * Takes the steps of deletions and restores until none are left (U44). While the purge of the stack takes one, others take none.
 * @returns null, or why they did not end
 */
async function takeSteps(world: World, { client, userId }: SignedIn): Promise<string | null> {
  const transport = new SupabaseTransport(client);
  for (;;) {
    const answered = await transport.step(
      { protocol: PROTOCOL_VERSION, schema: SCHEMA_VERSION, user_id: userId },
      new AbortController().signal,
    );
    if (!answered.ok) return `${answered.error.code}: ${answered.error.message}`;
    if (answered.value.left) continue;
    if ((await countOf(world, 'convoy.unfinished_deletions')) === 0) return null;
    await setTimeout(100);
  }
}

const change = (
  table: string,
  op: PushChange['op'],
  values: PushChange['values'],
  id: string = randomUUID(),
): PushChange => ({
  table,
  op,
  id,
  workspace_id: SEED.workspace,
  base: null,
  group: 0,
  values,
  ...(op === 'insert' && { edited_at: {} }),
});

/** Tasks with twice as many dependencies, each on tasks before it. */
async function linkedTasks({ world, size }: Stage): Promise<void> {
  await manyTasks(world.stack.backend, size, 'Linked');
  await sql(
    world,
    `with t as (
       select id, row_number() over (order by id) as n from public.tasks where title like 'Linked %'
     )
     insert into public.task_dependencies (id, workspace_id, task_id, depends_on_task_id)
       select gen_random_uuid(), $1::uuid, a.id, b.id
       from t a cross join lateral (values (a.n - 1), (a.n / 2)) v (n) join t b on b.n = v.n and b.n < a.n
       on conflict do nothing`,
    [SEED.workspace],
  );
}

const CASES: LimitCase[] = [
  {
    name: 'restore a milestone',
    of: 'tasks, with twice as many dependencies',
    size: 3_000,
    run: async (stage) => {
      const { world } = stage;
      await linkedTasks(stage);
      const owner = await world.signIn('owner', stage.proxy.url);
      const links = await countOf(world, 'public.task_dependencies where deleted_at is null');
      const deletion = randomUUID();
      const deleted = change('milestones', 'delete', { deletion_id: deletion }, SEED.offlineMilestone);
      const failed = (await push(owner, [deleted])) ?? (await takeSteps(world, owner));
      if (failed) return failed;
      stage.count();
      const restored = change('deletions', 'update', { restored_at: new Date().toISOString() }, deletion);
      const problem = (await push(owner, [restored])) ?? (await takeSteps(world, owner));
      if (problem) return problem;
      const back = await countOf(world, 'public.task_dependencies where deleted_at is null');
      return back === links ? null : `${links - back} dependencies are missing`;
    },
  },
  {
    name: 'delete a milestone',
    of: 'tasks',
    size: 70_000,
    run: async (stage) => {
      await manyTasks(stage.world.stack.backend, stage.size);
      const owner = await stage.world.signIn('owner', stage.proxy.url);
      stage.count();
      const deletion = change('milestones', 'delete', {}, SEED.offlineMilestone);
      const problem = (await push(owner, [deletion])) ?? (await takeSteps(stage.world, owner));
      const left = await countOf(
        stage.world,
        "public.tasks where title like 'Bulk %' and deleted_at is null",
      );
      return problem ?? (left === 0 ? null : `${left} tasks are left`);
    },
  },
  {
    name: 'push links in a chain',
    of: 'links',
    size: 5_000,
    run: async (stage) => {
      await manyTasks(stage.world.stack.backend, stage.size + 1);
      const rows = await sql(
        stage.world,
        "select id::text as id from public.tasks where title like 'Bulk %' order by id",
      );
      const owner = await stage.world.signIn('owner', stage.proxy.url);
      stage.count();
      const changes = rows.slice(1).map(({ id }, n) =>
        change('task_dependencies', 'insert', {
          task_id: id as string,
          depends_on_task_id: rows[n]?.id as string,
        }),
      );
      return push(owner, changes);
    },
  },
  {
    name: 'push changes of which every second is refused',
    of: 'changes',
    size: 1_000,
    run: async (stage) => {
      const owner = await stage.world.signIn('owner', stage.proxy.url);
      stage.count();
      const changes = Array.from({ length: stage.size }, (_, n) =>
        change('tasks', 'insert', {
          milestone_id: SEED.offlineMilestone,
          title: `half ${n}`,
          status: n % 2 === 0 ? 'todo' : 'no such status',
        }),
      );
      const problem = await push(owner, changes);
      const made = await countOf(stage.world, "public.tasks where title like 'half %'");
      return problem ?? (made === Math.ceil(stage.size / 2) ? null : `${made} were made`);
    },
  },
  {
    name: 'push unsynced records',
    of: 'records',
    size: 12_500,
    run: async (stage) => {
      const device = await stage.world.device(await stage.world.signIn('owner', stage.proxy.url));
      await device.sync();
      for (let from = 0; from < stage.size; from += 500) {
        const number = Math.min(500, stage.size - from);
        await device.database.write(() =>
          device.database.batch(
            Array.from({ length: number }, (_, n) =>
              device.database.of(Task).prepareCreate((task) => {
                Object.assign(task._raw, {
                  workspace_id: SEED.workspace,
                  milestone_id: SEED.offlineMilestone,
                  current_stage: 'PLAN',
                  status: 'todo',
                  priority: 'medium',
                  title: `unsynced ${from + n}`,
                });
              }),
            ),
          ),
        );
      }
      stage.count();
      const problem = await syncToEnd(device);
      const made = await countOf(stage.world, "public.tasks where title like 'unsynced %'");
      return problem ?? (made === stage.size ? null : `${made} arrived`);
    },
  },
  {
    name: 'push over a slow link',
    of: 'changes of 4.6 KB',
    size: 58,
    run: async (stage) => {
      const device = await stage.world.device(await stage.world.signIn('owner', stage.proxy.url));
      await device.sync();
      for (let n = 0; n < stage.size; n += 1) {
        const description = randomUUID().repeat(128).slice(0, 4_600);
        await device.contextService.createTask({
          milestone_id: SEED.offlineMilestone,
          title: `slow ${n}`,
          description,
        });
      }
      stage.proxy.become({ up: 6_000 });
      stage.count();
      const problem = await syncToEnd(device);
      const made = await countOf(stage.world, "public.tasks where title like 'slow %'");
      return problem ?? (made === stage.size ? null : `${made} arrived`);
    },
  },
  {
    name: 'pull over a slow link',
    of: 'rows of 500 bytes that do not compress',
    size: 2_000,
    run: async (stage) => {
      await sql(
        stage.world,
        `insert into public.tasks (id, workspace_id, milestone_id, title, description)
           select gen_random_uuid(), $1::uuid, $2::uuid, 'far ' || n,
             (select string_agg(md5(random()::text || n || k), '') from generate_series(1, 16) k)
           from generate_series(1, $3::int) n`,
        [SEED.workspace, SEED.offlineMilestone, stage.size],
      );
      const device = await stage.world.device(await stage.world.signIn('owner', stage.proxy.url));
      stage.proxy.become({ down: 20_000 });
      stage.count();
      const problem = await syncToEnd(device);
      const [found] = await device.database.readAll([
        { sql: `select count(*) from "tasks" where "title" like 'far %'`, args: [] },
      ]);
      const here = Number(found?.[0]?.[0]);
      return problem ?? (here === stage.size ? null : `${here} rows are here`);
    },
  },
  {
    name: 'purge',
    of: 'tombstones',
    size: 15_000,
    run: async (stage) => {
      const { world } = stage;
      await manyTasks(world.stack.backend, stage.size);
      for (let from = 0; from < stage.size; from += 5_000) {
        await sql(
          world,
          `update public.tasks set deleted_at = now() where id in (
             select id from public.tasks where title like 'Bulk %' and deleted_at is null limit 5000)`,
        );
      }
      await sql(world, "update convoy.scope_revisions set created_at = created_at - interval '1 year'");
      stage.count();
      for (let calls = 0; calls < 100; calls += 1) {
        const [done] = await sql(world, 'select convoy.purge() as left');
        if (Number(done?.left) === 0) break;
      }
      const left = await countOf(world, "public.tasks where title like 'Bulk %'");
      return left === 0 ? null : `${left} tombstones are left`;
    },
  },
];

export const LIMIT_CASES: readonly LimitCase[] = CASES;
