/** The predicate, the query of a device and that of the server say the same of random work. */

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ContextService } from '@/domain/contextService';
import type { Milestone, Task } from '@/domain/entities';
import { compareReady, type Readiness } from '@/domain/ready';
import { TASK_PRIORITIES } from '@/domain/vocabulary';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { Random } from '../../simulation/random';
import { SEED } from '../../support/seed';
import { type TestDevice, World } from '../../support/world';

const SEEDS = [1, 2, 3, 4, 5, 6];
const TASKS = 70;
const STAGES = [
  { name: 'A', description: '', order: 1, is_checkpoint: false },
  { name: 'B', description: '', order: 2, is_checkpoint: true },
  { name: 'C', description: '', order: 3, is_checkpoint: false },
  { name: 'D', description: '', order: 4, is_checkpoint: false },
];

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

async function run(statements: readonly (readonly [string, readonly (string | number | null)[]])[]) {
  const done = await world.stack.backend.transaction(async (connection) => {
    for (const [text, values] of statements) await connection.query(text, values);
  });
  if (!done.ok) throw new Error(done.error.message);
}

/** Work of all kinds, circles of old data and ties included. @returns its workspace and projects */
async function makeWork(seed: number) {
  const random = new Random(seed);
  const ids = (count: number) => Array.from({ length: count }, () => randomUUID());
  const [workspace, workflow] = ids(2) as [string, string];
  const [projects, milestones, tasks] = [ids(3), ids(8), ids(TASKS)];
  const users = [SEED.users.owner, SEED.users.agent, SEED.users.editor];
  const pick = <T>(from: readonly T[]): T => random.pick(from);
  const often = <T>(usual: T, others: readonly T[], chance = 0.7): T =>
    random.chance(chance) ? usual : pick(others);
  const statements: [string, (string | number | null)[]][] = [];
  const add = (text: string, ...values: (string | number | null)[]) => statements.push([text, values]);
  add(
    'insert into public.workspaces (id, workspace_id, name) values ($1, $1, $2)',
    workspace,
    `Work ${seed}`,
  );
  for (const user of users) {
    add(
      `insert into public.workspace_members (id, workspace_id, user_id, role) values ($1, $2, $3, $4)`,
      ...[randomUUID(), workspace, user, user === SEED.users.agent ? 'agent' : 'owner'],
    );
  }
  add(
    'insert into public.workflows (id, workspace_id, name, stages) values ($1, $2, $3, $4::jsonb)',
    ...[workflow, workspace, 'W', JSON.stringify(STAGES)],
  );
  for (const id of projects) {
    const status = often('active', ['planning', 'paused', 'completed', 'archived'], 0.75);
    add(
      'insert into public.projects (id, workspace_id, name, status) values ($1, $2, $3, $4)',
      ...[id, workspace, 'P', status],
    );
  }
  for (const id of milestones) {
    add(
      `insert into public.milestones (id, workspace_id, project_id, name, status, target_date) values ($1, $2, $3, 'M', $4, $5)`,
      ...[id, workspace, pick(projects)],
      often('active', ['planned', 'completed', 'cancelled'], 0.8),
      pick([null, null, '2026-05-01T12:00:00Z', '2026-06-01T12:00:00Z']),
    );
  }
  tasks.forEach((id, n) => {
    const claimant = often(null, users, 0.6);
    add(
      `insert into public.tasks (id, workspace_id, milestone_id, parent_task_id, workflow_id, title, current_stage, status,
         priority, assignee_id, sort_order, created_at, claimed_by, claimed_until, claim_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::timestamptz, $13, now() + $14::int * interval '1 hour', $15)`,
      ...[id, workspace, pick(milestones), n > 4 && random.chance(0.2) ? pick(tasks.slice(0, n)) : null],
      ...[workflow, `Task ${n}`, often('A', ['B', 'C', 'D'], 0.6)],
      often('todo', ['in_progress', 'blocked', 'done', 'cancelled'], 0.5),
      pick(TASK_PRIORITIES),
      often(null, [...users, randomUUID()], 0.75),
      pick([0, 0, 0, 1, -1]),
      `2026-01-01T00:00:00.00${pick([0, 1])}${pick(['000', '900', '100'])}Z`,
      ...[claimant, pick([-1, 1]), claimant && pick(['one', 'two', null])],
    );
  });
  add('alter table public.task_dependencies disable trigger c_dependency_cycle_of_new');
  for (let n = 0; n < TASKS / 4; n += 1) {
    const [from, to] = [pick(tasks), pick(tasks)];
    add(
      `insert into public.task_dependencies (id, workspace_id, task_id, depends_on_task_id)
       select $1, $2, $3, $4 where not exists (
         select from public.task_dependencies where task_id = $3 and depends_on_task_id = $4)`,
      ...[randomUUID(), workspace, from, to],
    );
  }
  add('alter table public.task_dependencies enable trigger c_dependency_cycle_of_new');
  for (let n = 0; n < 5; n += 1) add('update public.tasks set deleted_at = now() where id = $1', pick(tasks));
  // Tasks in the stage D have one that their workflow does not have any more.
  const left = JSON.stringify(STAGES.slice(0, 3));
  add('update public.workflows set stages = $2::jsonb where id = $1', workflow, left);
  await run(statements);
  return { workspace, projects };
}

const sorted = ({ reasons, ...others }: Readiness) => ({
  ...others,
  reasons: reasons.map((reason) => JSON.stringify(reason)).sort(),
});

/** @returns what the predicate makes of all tasks of the device: the one that is next */
async function byPredicate(
  device: TestDevice,
  scope: { workspace: string; project?: string },
  claim?: string,
) {
  const service = device.contextService;
  const dates = new Map<string, Milestone>();
  const tasks: Task[] = [];
  for (const project of await service.getProjects(scope.workspace)) {
    if (scope.project !== undefined && project.id !== scope.project) continue;
    for (const milestone of await service.getMilestones(project.id)) {
      dates.set(milestone.id, milestone);
      tasks.push(...(await service.getTasks(milestone.id)));
    }
  }
  const ready: Task[] = [];
  for (const task of tasks) {
    if ((await service.getReadiness(task.id, claim))?.ready) ready.push(task);
  }
  const ranked = ready.map((task) => ({
    ...task,
    target_date: dates.get(task.milestone_id)?.target_date ?? null,
  }));
  const [first] = ranked.sort(compareReady({ userId: device.userId, now: Date.now() }));
  return { first: first?.title ?? null, tasks, ready: ready.length };
}

it.each(SEEDS)('with random work from seed %i (N1, N2, N3, N4, N6, N8)', async (seed) => {
  const { workspace, projects } = await makeWork(seed);
  let someReady = 0;
  for (const account of ['owner', 'agent']) {
    const device = await world.device(account);
    await device.sync();
    const remote: ContextService = createRemoteContextService({ client: device.client });
    for (const claim of [undefined, 'one', 'other']) {
      for (const project of [undefined, ...projects]) {
        const { first, tasks, ready } = await byPredicate(
          device,
          { workspace, ...(project && { project }) },
          claim,
        );
        someReady += ready;
        const options = {
          workspace_id: workspace,
          ...(project && { project_id: project }),
          ...(claim && { claim_id: claim }),
        };
        const [here, there] = [
          await device.contextService.getNextTask(options),
          await remote.getNextTask(options),
        ];
        expect(here.task?.title ?? null).toBe(first);
        expect(there.task?.title ?? null).toBe(first);
        if (here.task === null && there.task === null) {
          expect(there.open).toBe(here.open);
          expect(there.waiting.map(({ title }) => title)).toEqual(here.waiting.map(({ title }) => title));
        }
        if (project !== undefined || claim === 'other') continue;
        for (const { id } of tasks) {
          const [mine, theirs] = [
            await device.contextService.getReadiness(id, claim),
            await remote.getReadiness(id, claim),
          ];
          // A device has nothing of a task that was deleted elsewhere.
          const passed = theirs?.passed.filter(({ status }) => status !== 'deleted') ?? [];
          expect(theirs && sorted({ ...theirs, passed })).toEqual(mine && sorted(mine));
        }
      }
    }
  }
  expect(someReady).toBeGreaterThan(0);
});
