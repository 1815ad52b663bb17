import { expect, it } from 'vitest';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, there, world } from '../../support/twoDevices';
import { settle } from '../../support/world';

devicesForEachTest();

const SECRET = 'Never to be seen';
const create = (values: object = {}) =>
  here.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: SECRET, ...values });

/** Whatever the server and the other device have that names the title. */
async function traces(): Promise<unknown[]> {
  const answered = await world.stack.backend.transaction((connection) =>
    connection.query(
      `select 'task' as what, title as told from public.tasks where title = $1
       union all select activity_type, details::text from public.activity_feed where details::text like '%' || $1 || '%'`,
      [SECRET],
    ),
  );
  if (!answered.ok) throw new Error('The server did not answer.');
  return answered.value;
}

const kept = async () => {
  const rows = await here.database.records('activity_feed').query().fetch();
  return rows.filter(({ raw }) => String(raw.details).includes(SECRET)).map(({ raw }) => raw.activity_type);
};

it('a task that is made and deleted before its first sync leaves no trace of its title (U30)', async () => {
  const parent = await create({ title: 'Parent' });
  await settle(here, there);
  const alone = await create();
  const below = await create({ parent_task_id: parent.id });
  await here.contextService.updateTask(below.id, { title: `${SECRET} either` });
  await here.contextService.addTaskActivity(below.id, 'comment', { text: SECRET });
  await here.contextService.deleteTask(alone.id);
  await here.contextService.deleteTask(below.id);
  await settle(here, there);
  expect(await traces()).toEqual([]);
  expect(await kept()).toEqual([]);
});

it('nor in what others of its tasks tell of it, whatever else they tell of (U30)', async () => {
  const task = await create({ title: 'Has dependencies' });
  const other = await create({ title: 'Stays' });
  await settle(here, there);
  const secret = await create();
  const second = await create();
  await here.contextService.addTaskDependency(task.id, secret.id);
  await here.contextService.addTaskDependency(task.id, other.id);
  await here.contextService.addTaskDependency(task.id, second.id);
  await here.contextService.removeTaskDependency(task.id, second.id);
  await here.contextService.deleteTask(secret.id);
  await here.contextService.deleteTask(second.id);
  await settle(here, there);
  expect(await traces()).toEqual([]);
  expect(await kept()).toEqual([]);
  const feed = (await there.contextService.getTaskContext(task.id))?.activities ?? [];
  expect(feed.filter(({ activity_type }) => activity_type.startsWith('dependency'))).toHaveLength(1);
});

it('nor where it goes with its milestone, or is restored and deleted again (U30, D14)', async () => {
  const milestone = await here.contextService.createMilestone({ project_id: SEED.fieldApp, name: 'Short' });
  await settle(here, there);
  await create({ milestone_id: milestone.id });
  const twice = await create();
  await here.contextService.deleteTask(twice.id);
  const [deletion] = await here.contextService.getDeletions(SEED.workspace);
  await here.contextService.restoreDeletion(deletion?.id ?? '');
  await here.contextService.deleteTask(twice.id);
  await here.contextService.deleteMilestone(milestone.id);
  await settle(here, there);
  expect(await traces()).toEqual([]);
  expect(await kept()).toEqual([]);
});

it('until then its deletion is not told on its own device either, and a task that was sent tells of it (U30)', async () => {
  const never = await create();
  await here.contextService.deleteTask(never.id);
  expect(await kept()).toEqual([]);
  const sent = await create({ title: 'Sent' });
  here.transport.next('push', { what: 'lose_response' });
  await here.sync();
  await here.contextService.deleteTask(sent.id);
  await settle(here, there);
  const rows = await there.database.records('activity_feed').query().fetch();
  expect(rows.filter(({ raw }) => raw.entity_id === sent.id).map(({ raw }) => raw.activity_type)).toEqual([
    'task_deleted',
  ]);
});
