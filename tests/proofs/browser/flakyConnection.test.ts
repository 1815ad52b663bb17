import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FlakyProxy } from '../../support/flakyProxy';
import { comment, createTask, openMilestone, syncNow, untilFetched, WebApp } from '../../support/webApp';

/** Made while the connection keeps breaking off. */
const TASKS = 4;
const COMMENTS = 8;

describe('a connection that keeps breaking off, in the browser', () => {
  let app: WebApp;
  let network: FlakyProxy;
  beforeAll(async () => {
    app = await WebApp.start();
    network = await FlakyProxy.start({ to: app.stack.url, seed: 7 });
  });
  afterAll(async () => {
    await network.close();
    await app.close();
  });

  it('devices converge without a reload, and no record is there twice (P-ONCE, P-NOLOSS, P-CONVERGE)', async () => {
    const context = await app.newProfile({ at: network.url });
    const page = await app.signIn('editor', context);
    await openMilestone(page, 'Field app', 'Inspections work offline');
    await untilFetched(page);
    // Small enough to break off most pushes and pulls in the middle, large enough to let one through at times.
    network.become({ request: [300, 6_000], answer: [300, 6_000] });
    for (let made = 1; made <= TASKS; made += 1) await createTask(page, `Through the storm ${made}`);
    await page.getByRole('main').getByRole('link', { name: 'Through the storm 1' }).click();
    for (let made = 1; made <= COMMENTS; made += 1) await comment(page, `Said in the storm ${made}`);
    expect(network.cuts.request + network.cuts.answer).toBeGreaterThan(0);
    network.become(null);
    // It would try again by itself, within a minute.
    await syncNow(page);

    const [row] = await app.query<{ tasks: string; activities: string }>(`
      select count(distinct t.id) as tasks, count(a.id) as activities
      from public.tasks t join public.activity_feed a on a.task_id = t.id
      where t.title like 'Through the storm %'`);
    expect([Number(row?.tasks), Number(row?.activities)]).toEqual([TASKS, TASKS + COMMENTS]);
    await context.close();
  });
});
