import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveHooks } from '../support/hooks/bundle';
import type { Probe } from '../support/hooks/probe';
import { SEED } from '../support/seed';
import { seen, WebApp } from '../support/webApp';

const TITLE = 'Let two inspectors share one tablet';
const OTHER = 'Survive a clock that is wrong by hours';
const PULL = '**/rest/v1/rpc/sync_pull';
const PUSH = '**/rest/v1/rpc/sync_push';

let app: WebApp;
let page: Page;
let taskId: string;
let otherId: string;

beforeAll(async () => {
  app = await WebApp.start();
  taskId = await idOf(TITLE);
  otherId = await idOf(OTHER);
  const context = await app.newProfile();
  await serveHooks(context);
  page = await context.newPage();
  // Nothing is pulled until a test says so.
  await page.route(PULL, (route) => route.abort());
  await page.goto(`/tasks/${taskId}`);
  await page.waitForFunction(() => 'startProbe' in window);
  await page.evaluate((password) => window.startProbe('editor@convoy.example', password), SEED.password);
});
afterAll(() => app.close());

async function idOf(title: string): Promise<string> {
  const found = await app.stack.backend.transaction((connection) =>
    connection.query<{ id: string }>('select id::text from public.tasks where title = $1', [title]),
  );
  if (!found.ok || !found.value[0]) throw new Error(`There is no task ${title}.`);
  return found.value[0].id;
}

/** Waits until what a hook returns has this value. */
async function eventually<T>(read: (probe: Probe) => T, expected: unknown): Promise<void> {
  const text = read.toString();
  await expect
    .poll(() =>
      page.evaluate((source) => new Function('probe', `return (${source})(probe)`)(window.probe), text),
    )
    .toEqual(expected);
}

const setRole = (from: string, to: string) =>
  app.sql(
    `update public.workspace_members set role = '${to}' where role = '${from}' and display_name = 'Editor'`,
  );

describe('the hooks, in a page of their own over a real local database', () => {
  it('useMemoryBank shows the server’s context while the task is not on this device, and useTaskContext returns null', async () => {
    await seen(page.getByRole('heading', { name: TITLE }));
    await eventually(({ now }) => now.local, null);
    await eventually(({ now }) => [now.bank.isLoading, now.bank.error], [false, null]);
    await eventually(({ now }) => now.bank.context?.project?.name, 'Field app');
  });

  it('useMemoryBank: showMore asks the server for more of a task that is not on this device', async () => {
    await app.sql(
      `insert into public.activity_feed (id, workspace_id, task_id, activity_type)
       select gen_random_uuid(), workspace_id, id, 'comment' from public.tasks, generate_series(1, 25)
       where id = '${taskId}'`,
    );
    expect(await page.evaluate(() => window.probe.now.bank.refreshContext())).toBe(true);
    await eventually(({ now }) => now.bank.context?.activities.length, 20);
    await eventually(({ now }) => now.bank.context?.left_out.activities?.because, 'items');
    await page.evaluate(() => window.probe.now.bank.showMore('activities'));
    await eventually(({ now }) => (now.bank.context?.activities.length ?? 0) > 24, true);
    await eventually(({ now }) => now.bank.context?.left_out, {});
    await eventually(({ now }) => now.local, null);
  });

  it('useSyncStatus and useSyncLog follow a sync, after which useTaskContext has the task (D27)', async () => {
    await eventually(({ now }) => now.status.kind, 'offline');
    await page.unroute(PULL);
    await page.evaluate(() => void window.probe.device.sync());
    await eventually(({ now }) => now.local?.task.title, TITLE);
    await eventually(
      ({ now }) => [now.status.kind, now.status.pending, now.status.lastSyncedAt !== null],
      ['idle', 0, true],
    );
    await eventually(
      ({ now }) => now.log?.some(({ status, pulled }) => status === 'ok' && pulled > 50),
      true,
    );
    await eventually(
      ({ now }) => now.log?.some(({ error }) => error?.code === 'offline' && error.message !== ''),
      true,
    );
  });

  it('useMemoryBank: refreshContext resolves, and the context follows local edits', async () => {
    expect(await page.evaluate(() => window.probe.now.bank.refreshContext())).toBe(true);
    await page.evaluate(
      (id) => window.probe.device.contextService.updateTask(id, { priority: 'urgent' }).then(() => undefined),
      taskId,
    );
    await eventually(({ now }) => now.bank.context?.task.priority, 'urgent');
  });

  it('useTaskStageManagement moves the task, and useTaskActivityHistory lists the move and adds comments', async () => {
    await eventually(({ task }) => task.stages.whyNot, null);
    const total = await page.evaluate(() => window.probe.task.history.total);
    expect(await page.evaluate(() => window.probe.task.stages.moveTo('PLAN_REVIEW'))).toBe(true);
    await eventually(
      ({ task }) => task.stages.stages.filter(({ place }) => place === 'here').map(({ name }) => name),
      ['PLAN_REVIEW'],
    );
    await eventually(({ task }) => task.history.activities[0]?.activity_type, 'stage_changed');
    expect(await page.evaluate(() => window.probe.task.history.comment('From a hook'))).toBe(true);
    await eventually(({ task }) => task.history.activities[0]?.details, { text: 'From a hook' });
    await eventually(({ task }) => task.history.total, total + 2);
    expect(await page.evaluate(() => window.probe.task.stages.moveTo('NOWHERE'))).toBe(false);
    await eventually(({ task }) => (task.stages.error as { code?: string } | null)?.code, 'unknown_stage');
  });

  it('useMemoryBankNavigation opens another task, and no render shows one task under the address of the other', async () => {
    await eventually(
      ({ task }) => task.navigation.trail.map(({ name }) => name),
      ['Lighthouse', 'Field app', 'Inspections work offline'],
    );
    await page.evaluate((id) => window.probe.task.navigation.openTask(id), otherId);
    await seen(page.getByRole('heading', { name: OTHER }));
    expect(new URL(page.url()).pathname).toBe(`/tasks/${otherId}`);
    const mixedUp = await page.evaluate(() =>
      window.probe.renders.filter(([asked, shown]) => shown !== null && shown !== asked),
    );
    expect(mixedUp).toEqual([]);
    await page.goBack();
    await seen(page.getByRole('heading', { name: TITLE }));
  });

  it('useConflicts lists the settled conflict of two edits of one column (D10)', async () => {
    await page.evaluate(() => window.probe.device.sync().then(() => undefined));
    await eventually(({ now }) => now.status.pending, 0);
    await page.route(PUSH, (route) => route.abort());
    await page.evaluate(
      (id) => window.probe.device.contextService.updateTask(id, { title: 'Mine' }).then(() => undefined),
      taskId,
    );
    await app.sql(`update public.tasks set title = 'Theirs' where id = '${taskId}'`);
    await page.unroute(PUSH);
    await page.evaluate(() => window.probe.device.sync().then(() => undefined));
    // The activity of the edit that lost is in the ledger too.
    await eventually(
      ({ now }) =>
        now.conflicts?.flatMap(({ columns: { title } }) => (title ? [[title.local, title.remote]] : [])),
      [['Mine', 'Theirs']],
    );
  });

  it('useQuarantine lists refused changes by group (D7)', async () => {
    await page.evaluate(() => window.probe.device.sync().then(() => undefined));
    await eventually(({ now }) => now.status.pending, 0);
    await setRole('editor', 'viewer');
    await page.evaluate(
      (id) => window.probe.device.contextService.updateTask(id, { priority: 'low' }).then(() => undefined),
      taskId,
    );
    await page.evaluate(() => window.probe.device.sync().then(() => undefined));
    await eventually(
      ({ now }) => now.quarantine?.map((group) => group.map(({ recordTable }) => recordTable).sort()),
      [['activity_feed', 'tasks']],
    );
    await eventually(({ now }) => now.status.quarantined, 2);
    await eventually(({ now }) => now.bank.context?.task.priority, 'urgent');
    await setRole('viewer', 'editor');
    await page.evaluate(() => window.probe.device.sync().then(() => undefined));
    await eventually(({ now }) => now.quarantine, []);
    await eventually(({ now }) => now.bank.context?.task.priority, 'low');
  });
});
