/** The inbox of a device: what is set aside here is in it, and it follows what is written. */

import { firstValueFrom } from 'rxjs';
import { filter } from 'rxjs/operators';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SEED } from '../../support/seed';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
let here: TestDevice;
let there: TestDevice;

beforeAll(async () => {
  world = await World.start();
  here = await world.device('owner');
  there = await world.device('editor');
  await settle(here, there);
});
afterAll(() => world.close());

async function sharedTask(title: string) {
  const { id } = await here.contextService.createTask({
    milestone_id: SEED.offlineMilestone,
    title,
    description: 'red',
  });
  await settle(here, there);
  return id;
}

const inbox = () => there.contextService.getInbox();

it('has open conflicts, until a person settles them (I6)', async () => {
  const id = await sharedTask('In conflict');
  await here.contextService.updateTask(id, { description: 'green' });
  await there.contextService.updateTask(id, { description: 'blue' });
  await here.sync();
  await settle(there, here);
  const [conflict] = (await inbox()).conflicts.filter(({ record_id }) => record_id === id);
  expect(conflict).toMatchObject({
    table: 'tasks',
    task_id: id,
    name: 'In conflict',
    columns: ['description'],
  });
  expect((await here.contextService.getInbox()).conflicts).toEqual([]);
});

it('has what the server refused, and why (I6, V3)', async () => {
  const id = await sharedTask('Refused');
  const first = await here.contextService.requestReview(id, { text: 'One.', stage: 'PLAN_REVIEW' });
  await settle(here, there);
  await there.contextService.approveReview(id, first.id);
  await here.contextService.requestReview(id, { text: 'Two.' });
  await here.sync();
  await settle(there, here);
  const refused = (await inbox()).refused.filter(({ task_id }) => task_id === id);
  expect(refused.map(({ code }) => code)).toContain('review_outdated');
});

it('has edits whose record others deleted (I6, D8)', async () => {
  const id = await sharedTask('Deleted');
  await here.contextService.deleteTask(id);
  await there.contextService.updateTask(id, { description: 'Not seen by anybody.' });
  await here.sync();
  await settle(there, here);
  const [lost] = (await inbox()).deleted.filter(({ record_id }) => record_id === id);
  expect(lost).toMatchObject({ table: 'tasks', name: 'Deleted', columns: ['description'] });
});

it('is told again when something begins to wait, and when it ends (I2)', async () => {
  const id = await sharedTask('Watched');
  const waits = (isThere: boolean) =>
    firstValueFrom(
      there.contextService
        .observeInbox()
        .pipe(filter(({ reviews }) => reviews.some(({ task }) => task.id === id) === isThere)),
    );
  const begun = waits(true);
  await here.contextService.requestReview(id, { text: 'Look.', stage: 'PLAN_REVIEW' });
  await settle(here, there);
  const found = (await begun).reviews.find(({ task }) => task.id === id);
  expect(found?.request?.text).toBe('Look.');
  const ended = waits(false);
  await there.contextService.approveReview(id, found?.request?.id ?? '');
  await ended;
});
