/** The data layer's README is its specification: every block of it exists, compiles, and runs. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeDatabase, initDatabase, sync, Task } from '@/lib/watermelon';
import { databaseName } from '@/lib/watermelon/accounts/databases';
import { Database } from '@/lib/watermelon/models/watermelondb';
import { createPlatform } from '@/platform/node';
import { GeneratedModules, typeErrors } from '../support/compile';
import { type DemoStack, startDemoStack } from '../support/demoStack';
import { openAdapter, temporaryFolder } from '../support/localDatabase';
import { SEED } from '../support/seed';
import { signInByDefault } from '../support/signedInDefault';

const FOLDER = 'src/lib/watermelon';
const README = readFileSync(`${FOLDER}/README.md`, 'utf8');
const blocks = [...README.matchAll(/```(\w*)\n([\s\S]*?)```/g)].map(([, language, text]) => ({
  language: language ?? '',
  text: text ?? '',
}));
const code = blocks.filter(({ language }) => language === 'typescript').map(({ text }) => text);

/** The examples leave types out where they do not matter; everything else is checked. */
const LOOSE = {
  strict: false,
  noImplicitAny: false,
  strictPropertyInitialization: false,
  noImplicitOverride: false,
};

const generated = new GeneratedModules('specification');
let demo: DemoStack;
let signOut: () => void;

function block(starting: string): string {
  const found = code.find((text) => text.includes(starting));
  if (!found) throw new Error(`The README has no block with ${starting}`);
  return found;
}

const written: string[] = [];

/** Runs a block, with what it takes for granted around it; the last test checks the types of all. */
async function run<T>(name: string, source: string): Promise<T> {
  const path = generated.write(name, source);
  written.push(path);
  return (await import(path)) as T;
}

beforeAll(async () => {
  demo = await startDemoStack();
  signOut = await signInByDefault(demo.stack, 'owner');
});
afterAll(async () => {
  await closeDatabase();
  signOut();
  await demo.stack.close();
  generated.remove();
});

describe('the specification', () => {
  it('the README has nine blocks, and each of them is tested here', () => {
    expect(blocks.filter(({ language }) => language === '')).toHaveLength(1);
    expect(code).toHaveLength(8);
  });

  it('lists files that exist', () => {
    const tree = blocks.find(({ language }) => language === '')?.text ?? '';
    let folder = '';
    const listed: string[] = [];
    for (const line of tree.split('\n').slice(1)) {
      const name = /[├└]── (\S+)/.exec(line)?.[1];
      if (!name || name === '...') continue;
      const nested = line.startsWith('│');
      if (name.endsWith('/')) folder = name;
      else listed.push(nested ? folder + name : name);
    }
    expect(listed).toHaveLength(13);
    expect(listed.filter((file) => !existsSync(`${FOLDER}/${file}`))).toEqual([]);
    expect(readdirSync(`${FOLDER}/models`)).toEqual(
      expect.arrayContaining(['taskDependency.ts', 'workflow.ts']),
    );
  });

  it('Initialization: initDatabase() opens the database once', async () => {
    await run('initialization', block('await initDatabase()'));
    expect(await initDatabase()).toBe(await initDatabase());
    expect((await (await initDatabase()).sync()).status).toBe('ok');
  });

  it('Transparent API: getTaskContext answers from the local database', async () => {
    const source = block('async function getContext').replace('// Use context...', 'return context;');
    const { getContext } = await run<{ getContext(id: string): Promise<{ task: { id: string } }> }>(
      'transparent',
      `${source}\nexport { getContext };`,
    );
    expect((await getContext(SEED.busyTask)).task.id).toBe(SEED.busyTask);
  });

  it('Database Models: the Task of the example reads the same values as the real Task', async () => {
    const example = block('class Task extends Model');
    const imports = `import { bool, date, Model, text } from '@/lib/watermelon/models/watermelondb';\n`;
    // WatermelonDB's own declarations want the association types as literals and name an accessor so.
    const source = example
      .replace('static associations = {', 'static associations: any = {')
      .replace("@text('sync_status') syncStatus;", "// @ts-ignore\n  @text('sync_status') syncStatus;");
    const module = await run<{ Task: typeof Task }>('task', `${imports}${source}\nexport { Task };`);
    const columns = [...example.matchAll(/@(\w+)\('(\w+)'\) (\w+);/g)];
    expect(columns).toHaveLength(12);

    const device = await initDatabase();
    const [task] = await device.database.get<Task>('tasks').query().fetch();
    const raw = task?._raw as unknown as Record<string, unknown>;
    const folder = temporaryFolder();
    const database = new Database({
      adapter: await openAdapter(folder.path),
      modelClasses: [module.Task] as never,
    });
    const same = database.get<Task>('tasks').prepareCreateFromDirtyRaw(raw as never);
    for (const [, , column, property] of columns) {
      expect(raw).toHaveProperty(column ?? '');
      expect((property as string) in (task as object)).toBe(true);
      expect((same as never)[property as never]).toEqual((task as never)[property as never]);
    }
    expect(Task.associations).toMatchObject(module.Task.associations as object);
    folder.remove();
  });

  it('Local Context Service: a task that is missing locally is fetched from Supabase', async () => {
    const prelude = `import { getLocalTask, getRemoteTaskContext } from '@/lib/watermelon/contextService';
import type { TaskContext } from '@/domain/entities';\n`;
    const { getTaskContext } = await run<{ getTaskContext(id: string): Promise<unknown> }>(
      'fallback',
      prelude + block('First try to get the task'),
    );
    const { client } = await demo.signIn('editor');
    const { createRemoteContextService } = await import('@/lib/supabase/contextService');
    // While this holds the lock of its syncs, the device does not pull the task.
    const lock = `sync-${databaseName((await initDatabase()).userId)}`;
    const ask = async () => {
      const elsewhere = await createRemoteContextService({ client }).createTask({
        milestone_id: SEED.offlineMilestone,
        title: 'Not here yet',
      });
      return getTaskContext(elsewhere.id);
    };
    const context = await createPlatform().exclusively(lock, ask, new AbortController().signal);
    expect(context).toMatchObject({ task: { title: 'Not here yet' } });
  });

  it('Using the Context Service: reads, stage moves and new tasks work as written', async () => {
    const device = await initDatabase();
    const task = await device.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'To implement',
    });
    const values = { taskId: task.id, milestoneId: SEED.offlineMilestone };
    Object.assign(globalThis, values);
    const declared = 'declare const taskId: string;\ndeclare const milestoneId: string;\n';
    await run('usage', declared + block("updateTaskStage(taskId, 'IMPLEMENT')"));
    expect((await device.contextService.getLocalTask(task.id))?.current_stage).toBe('IMPLEMENT');
    const tasks = await device.contextService.getTasks(SEED.offlineMilestone);
    expect(tasks.some(({ title }) => title === 'New Task')).toBe(true);
  });

  it('Manual Synchronization: sync() pushes every local change to Supabase', async () => {
    await run('manual', block('await sync();'));
    expect(await sync()).toMatchObject({ status: 'ok', pushed: 0 });
    expect((await initDatabase()).syncStatus.pending).toBe(0);
  });

  it('Writing on a copy: what was read is expected (U45)', async () => {
    const device = await initDatabase();
    const { contextService, userId: me } = device;
    const { id: taskId } = await contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'To claim',
    });
    const values = { taskId, me };
    Object.assign(globalThis, values);
    const declared = Object.keys(values).map((name) => `declare const ${name}: string;\n`);
    await run('copy', declared.join('') + block('expectedOf('));
    expect(await contextService.getLocalTask(taskId)).toMatchObject({
      description: 'What was found out',
      assignee_id: me,
    });
  });

  it('Agents and short keys: an agent is made, paused and revoked, and a reference is looked for', async () => {
    const { contextService } = await initDatabase();
    const workspaceId = SEED.workspace;
    Object.assign(globalThis, { workspaceId });
    await run('agents', `declare const workspaceId: string;\n${block('createAgent(workspaceId')}`);
    await sync();
    const former = await contextService.getFormerMembers(workspaceId);
    expect(former).toMatchObject([{ display_name: 'Builder', kind: 'agent' }]);
  });

  it('every block compiles', () => {
    expect(written).toHaveLength(code.length);
    expect(typeErrors(written, LOOSE)).toEqual([]);
  });
});
