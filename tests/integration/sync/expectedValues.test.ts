import { beforeEach, expect, it } from 'vitest';
import { PROTOCOL_VERSION } from '@/core/protocol';
import type { Task } from '@/domain/entities';
import { expectedOf } from '@/domain/writes/expected';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { Conflict, Quarantined, Task as TaskModel } from '@/lib/watermelon/models';
import { readBase } from '@/lib/watermelon/models/tracking';
import { meanwhile } from '../../support/meanwhile';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, there, world } from '../../support/twoDevices';
import { settle, type TestDevice } from '../../support/world';

devicesForEachTest();

let task: Task;
beforeEach(async () => {
  const { id } = await here.contextService.createTask({
    milestone_id: SEED.offlineMilestone,
    title: 'As read',
    description: 'one two three',
  });
  await settle(here, there);
  task = await read(here, id);
});

async function read(device: TestDevice, id = task.id): Promise<Task> {
  const found = await device.contextService.getLocalTask(id);
  if (!found) throw new Error('The task is not here.');
  return found;
}

const conflicts = async (device: TestDevice, kind = 'columns') =>
  (await device.database.of(Conflict).query().fetch()).filter((entry) => entry.kind === kind);

/** The task as every device and the server have it. */
async function everywhere(): Promise<Task> {
  await settle(here, there, here);
  const [mine, theirs] = [await read(here), await read(there)];
  expect(mine).toEqual(theirs);
  const remote = createRemoteContextService({ client: here.client });
  expect((await remote.getTaskContext(task.id))?.task).toEqual(mine);
  return mine;
}

it('an update that waits is written where the record is as it was expected (D15, U45)', async () => {
  await here.contextService.updateTask(task.id, { title: 'Mine' }, { expected: { status: 'todo' } });
  await there.contextService.updateTask(task.id, { priority: 'high' });
  await there.sync();
  expect(await everywhere()).toMatchObject({ title: 'Mine', priority: 'high' });
  expect(await conflicts(here)).toEqual([]);
});

it('nothing of an update is written or sent again where it is not, and a person decides about all of it (D15, U45)', async () => {
  const expected = expectedOf('tasks', task, { current_stage: '', title: '' });
  const changes = { title: 'Mine', description: 'one two three four', current_stage: 'IMPLEMENT' };
  await here.contextService.updateTask(task.id, changes, { expected });
  await there.contextService.updateTask(task.id, { title: 'Theirs' });
  await there.sync();

  const result = await everywhere();
  expect(result).toMatchObject({ title: 'Theirs', description: task.description, current_stage: 'PLAN' });
  const feed = (await here.contextService.getTaskContext(task.id))?.activities ?? [];
  expect(feed.map(({ activity_type }) => activity_type)).not.toContain('stage_changed');
  const open = await conflicts(here);
  expect(open).toHaveLength(1);
  expect(open[0]?.state).toBe('open');
  expect(open[0]?.columns).toMatchObject({
    title: { local: 'Mine', remote: 'Theirs', by: 'open' },
    description: { local: 'one two three four', remote: 'one two three', by: 'open' },
    current_stage: { local: 'IMPLEMENT', remote: 'PLAN', by: 'open' },
  });
  expect((await conflicts(here, 'withdrawn')).length).toBeGreaterThan(0);

  await here.settleConflict(open[0]?.id ?? '', 'mine');
  expect(await everywhere()).toMatchObject({ title: 'Mine', current_stage: 'IMPLEMENT' });
  expect(await here.database.of(Quarantined).query().fetchCount()).toBe(0);
});

it('an update that an earlier version stored, with the values beside each column, goes on to expect them (D15)', async () => {
  const expected = { title: 'As read', status: 'todo' } as const;
  await here.contextService.updateTask(task.id, { priority: 'high', description: 'four' }, { expected });
  const record = await here.database.of(TaskModel).find(task.id);
  const base = readBase(record.raw);
  expect(Object.values(base?.columns ?? {}).map((edit) => edit.expected)).toEqual([expected, expected]);
  await here.database.write(() =>
    here.database.batch(record.prepareReplace({ ...record.raw, sync_base: JSON.stringify(base) })),
  );
  await there.contextService.updateTask(task.id, { title: 'Theirs' });
  await there.sync();
  const again = await here.restart();
  await settle(again, there);
  const remote = createRemoteContextService({ client: there.client });
  expect((await remote.getTaskContext(task.id))?.task).toMatchObject({
    title: 'Theirs',
    priority: task.priority,
    description: task.description,
  });
  expect(await conflicts(again)).toMatchObject([{ state: 'open' }]);
});

it('of two devices that take a task offline, the one that syncs first has it, whoever was later (D15, U45)', async () => {
  const claim = (device: TestDevice) =>
    device.contextService.updateTask(
      task.id,
      { assignee_id: device.userId, sort_order: 1 },
      { expected: { assignee_id: null } },
    );
  await claim(there);
  await claim(here);
  await there.sync();
  expect(await everywhere()).toMatchObject({ assignee_id: there.userId });
  expect(await conflicts(here)).toMatchObject([{ state: 'open' }]);
});

it('a screen checks where it writes, and its edits merge as usual afterwards (D15)', async () => {
  const options = { expected: { description: task.description }, merges: true };
  await here.contextService.updateTask(task.id, { description: 'zero one two three' }, options);
  await there.contextService.updateTask(task.id, { description: 'one two three four' });
  await there.sync();
  expect(await everywhere()).toMatchObject({ description: 'zero one two three four' });
  const stale = here.contextService.updateTask(task.id, { description: 'x' }, options);
  await expect(stale).rejects.toMatchObject({
    detail: { code: 'stale', present: { description: 'zero one two three four' } },
  });
});

it('what is edited on top of such an update depends on the same (D15)', async () => {
  const { contextService } = here;
  await contextService.updateTask(task.id, { assignee_id: here.userId }, { expected: { title: 'As read' } });
  await contextService.updateTask(task.id, { assignee_id: there.userId });
  await contextService.updateTask(task.id, { priority: 'high' });
  await there.contextService.updateTask(task.id, { title: 'Theirs' });
  await there.sync();
  expect(await everywhere()).toMatchObject({ title: 'Theirs', assignee_id: null, priority: 'high' });
  expect(await conflicts(here)).toMatchObject([
    { state: 'open', columns: { assignee_id: { local: there.userId, remote: null } } },
  ]);
});

it('an update that expects what this device wrote before goes after it, however often it is edited in flight (D15)', async () => {
  const { contextService } = here;
  await contextService.updateTask(task.id, { title: 'One' }, { expected: { title: 'As read' } });
  await contextService.updateTask(task.id, { title: 'Two' }, { expected: { title: 'One' } });
  await meanwhile(here, 'push', async () => {
    await contextService.updateTask(task.id, { title: 'Three' }, { expected: { title: 'Two' } });
    await contextService.updateTask(task.id, { status: 'blocked' }, { expected: { title: 'Three' } });
  });
  expect(await everywhere()).toMatchObject({ title: 'Three', status: 'blocked' });
  expect(await conflicts(here)).toEqual([]);
});

it('an update whose answer was lost, and whose batch was dropped, does not meet itself (D15, D56)', async () => {
  await here.contextService.updateTask(task.id, { title: 'Mine' }, { expected: { title: 'As read' } });
  here.transport.next('push', { what: 'lose_response' });
  await here.sync();
  await here.contextService.updateTask(task.id, { title: 'Mine too' }, { expected: { title: 'Mine' } });
  await takeNumber();
  expect(await everywhere()).toMatchObject({ title: 'Mine too' });
  expect(await conflicts(here)).toEqual([]);
});

/** Another copy of this device has taken its number. */
const takeNumber = () =>
  world.stack.backend.transaction((connection) =>
    connection.query('update convoy.devices set batch = batch + 100, hash = null where user_id = $1::uuid', [
      here.userId,
    ]),
  );

/** The push is not heard of, and the pull goes through. */
async function pullAlone(): Promise<void> {
  const message = 'It did not go through.';
  here.transport.failNext('push', { kind: 'transport', code: 'http', message, status: 502, sqlState: null });
  await here.sync();
}

it.each([
  ['as it is', async () => {}],
  ['while it is in flight and was pulled before', pullAlone],
  ['after its batch was dropped', takeNumber],
] as const)(
  'a new record depends on what others may have made of it, %s (D15)',
  async (_case, meanwhileDo) => {
    const { id } = await here.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'New',
      description: 'Old',
    });
    here.transport.next('push', { what: 'lose_response' });
    await here.sync();
    await there.sync();
    await there.contextService.updateTask(id, {
      assignee_id: there.userId,
      sort_order: 1,
    });
    await there.sync();
    await here.contextService.updateTask(id, { description: 'Edited' });
    const values = { title: 'Mine', status: 'in_progress' } as const;
    await here.contextService.updateTask(id, values, {
      expected: { assignee_id: null, description: 'Edited' },
    });
    await meanwhileDo();
    await settle(here, there, here);
    const mine = await read(here, id);
    expect(mine).toEqual(await read(there, id));
    expect(mine).toMatchObject({ title: 'New', status: 'todo', assignee_id: there.userId });
    expect(await conflicts(here)).toMatchObject([{ state: 'open', columns: { title: { local: 'Mine' } } }]);
  },
);

it('a new record that nobody else has touched meanwhile takes such an update (D15)', async () => {
  const { id } = await here.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'New' });
  await here.contextService.updateTask(id, { title: 'One' }, { expected: { title: 'New' } });
  here.transport.next('push', { what: 'lose_response' });
  await here.sync();
  await here.contextService.updateTask(
    id,
    { title: 'Two' },
    { expected: { title: 'One', assignee_id: null } },
  );
  await here.contextService.updateTask(id, { status: 'blocked' }, { expected: { title: 'Two' } });
  await settle(here, there, here);
  const mine = await read(here, id);
  expect(mine).toEqual(await read(there, id));
  expect(mine).toMatchObject({ title: 'Two', status: 'blocked' });
  expect(await conflicts(here)).toEqual([]);
});

/** The server has a rule that devices do not know. */
const refuseTitle = (title: string) =>
  world.stack.backend.transaction((connection) =>
    connection.query(`alter table public.tasks add constraint no_title check (title <> '${title}')`),
  );

it.each([
  ['of an action that wrote other records too', { assignee_id: SEED.users.owner }, { status: 'blocked' }],
  ['that is itself such an action', {}, { assignee_id: SEED.users.owner }],
  ['where both are', { assignee_id: SEED.users.owner }, { current_stage: 'IMPLEMENT' }],
] as const)(
  'an update that expects what the server then refuses is refused with it, %s (D3, D15)',
  async (_case, refused, update) => {
    const { contextService } = here;
    await refuseTitle('Refused');
    await contextService.updateTask(task.id, { title: 'Refused', priority: 'high', ...refused });
    await contextService.updateTask(task.id, update, { expected: { priority: 'high' } });
    const { title, priority, status, assignee_id, current_stage } = task;
    expect(await everywhere()).toMatchObject({ title, priority, status, assignee_id, current_stage });
    expect(await here.database.of(Quarantined).query().fetchCount()).toBeGreaterThan(0);
  },
);

it('an update that expects nothing of what is refused is written (D3, D15)', async () => {
  const { contextService } = here;
  await refuseTitle('Refused');
  await contextService.updateTask(task.id, { title: 'Refused', assignee_id: here.userId });
  await contextService.updateTask(task.id, { status: 'blocked' }, { expected: { priority: 'medium' } });
  expect(await everywhere()).toMatchObject({ title: 'As read', assignee_id: null, status: 'blocked' });
});

it('a device waits with such an update for a server that knows what it expects (U16, U45)', async () => {
  const served = (protocol: number) =>
    world.stack.backend.transaction((connection) =>
      connection.query('update convoy.served_versions set protocol = $1', [protocol]),
    );
  await there.contextService.updateTask(task.id, { title: 'Theirs' });
  await there.sync();
  await here.contextService.updateTask(task.id, { title: 'Mine' }, { expected: { title: 'As read' } });
  await served(5);
  const { error } = await here.sync();
  const remote = createRemoteContextService({ client: here.client });
  const refused = remote.updateTask(task.id, { title: 'x' }, { expected: { title: 'Theirs' } });
  await expect(refused).rejects.toMatchObject({ detail: { kind: 'protocol', code: 'schema_mismatch' } });
  await served(PROTOCOL_VERSION);
  expect(error).toMatchObject({ kind: 'protocol', code: 'schema_mismatch' });
  expect(await read(here)).toMatchObject({ title: 'Mine' });
  expect(await everywhere()).toMatchObject({ title: 'Theirs' });
  expect(await conflicts(here)).toMatchObject([{ state: 'open' }]);
});

it('the remote service is told by the server what others wrote after it had looked (U45)', async () => {
  const transport = new SupabaseTransport(here.client);
  const push = transport.push.bind(transport);
  transport.push = async (...args) => {
    await there.contextService.updateTask(task.id, {
      title: 'Theirs',
      assignee_id: there.userId,
    });
    await there.sync();
    return push(...args);
  };
  const remote = createRemoteContextService({ client: here.client, transport });
  const expected = { title: 'As read', assignee_id: null };
  await expect(remote.updateTask(task.id, { priority: 'high' }, { expected })).rejects.toMatchObject({
    detail: {
      code: 'stale',
      columns: ['assignee_id', 'title'],
      present: { title: 'Theirs', assignee_id: there.userId },
    },
  });
  expect(await everywhere()).toMatchObject({ title: 'Theirs', priority: 'medium' });
});
