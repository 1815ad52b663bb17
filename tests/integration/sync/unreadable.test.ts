/** Rows that a device cannot store: each is set aside by itself, and nothing else waits for it. */

import { firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Columns, Json } from '@/core/protocol';
import { SEED } from '../../support/seed';
import { devicesForFile, here, there, world } from '../../support/twoDevices';
import { settle, type TestDevice } from '../../support/world';

devicesForFile();

/** Runs SQL as the server itself: what older versions took, and what a person writes by hand. */
async function sql(text: string): Promise<void> {
  const done = await world.stack.backend.transaction((connection) => connection.execute(text));
  if (!done.ok) throw new Error(done.error.message);
}

/** A JSON value in SQL, nested so deep. */
const nested = (depth: number) => `(repeat('[', ${depth}) || repeat(']', ${depth}))::jsonb`;

afterEach(async () => {
  await sql(`update public.patterns set content = '{"x": 1}' where octet_length(content::text) > 1000`);
  await settle(here, there);
});

const spoil = (id: string, value = nested(2_000)) =>
  sql(`update public.patterns set content = jsonb_build_object('x', ${value}) where id = '${id}'`);
const repair = (id: string) => sql(`update public.patterns set content = '{"x": 1}' where id = '${id}'`);

const unreadable = (device: TestDevice) => firstValueFrom(device.observeUnreadable());
const patternOn = (device: TestDevice, id: string) => device.database.findRecord('patterns', id);

async function newPattern(name: string): Promise<string> {
  const { id } = await here.contextService.createPattern({
    workspace_id: SEED.workspace,
    name,
    content: { x: 0 },
  });
  await settle(here, there);
  return id;
}

describe('a row that a device cannot store', () => {
  it('stops neither a device that has the record nor a new one, and is told with its reason (P33)', async () => {
    const id = await newPattern('deep');
    await spoil(id);
    const task = await here.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'behind it',
    });
    const fresh = await world.device('owner');
    for (const device of [here, there, fresh]) {
      expect(await device.sync()).toMatchObject({ status: 'ok', error: null });
      expect(await device.contextService.getLocalTask(task.id)).toMatchObject({ title: 'behind it' });
      expect(await unreadable(device)).toMatchObject([
        { table: 'patterns', id, workspaceId: SEED.workspace, column: 'content', reason: 'depth' },
      ]);
    }
    // What was here stays as it was.
    expect(await patternOn(there, id)).toMatchObject({ name: 'deep', content: { x: 0 } });
    expect(await patternOn(fresh, id)).toBeNull();

    await repair(id);
    for (const device of [here, there, fresh]) {
      expect(await device.sync()).toMatchObject({ status: 'ok' });
      expect(await patternOn(device, id)).toMatchObject({ content: { x: 1 } });
      expect(await unreadable(device)).toEqual([]);
    }
  });

  it('is forgotten when it is deleted, and when its workspace is lost', async () => {
    const id = await newPattern('deleted');
    await spoil(id);
    await settle(there);
    expect(await unreadable(there)).toHaveLength(1);
    await sql(
      `update public.patterns set deleted_at = now(), deletion_id = gen_random_uuid() where id = '${id}'`,
    );
    await settle(there);
    expect(await unreadable(there)).toEqual([]);

    const viewer = await world.device('viewer');
    const second = await newPattern('lost');
    await spoil(second);
    await settle(viewer);
    expect(await unreadable(viewer)).toHaveLength(1);
    await sql(`update public.workspace_members set deleted_at = now(), deletion_id = gen_random_uuid()
      where user_id = '${viewer.userId}'`);
    await settle(viewer);
    expect(await unreadable(viewer)).toEqual([]);
    await repair(second);
    await settle(here, there);
  });

  it('is asked for again when the device is opened, and stored if it can be by then', async () => {
    const id = await newPattern('asked');
    await spoil(id);
    let device = await world.device('owner');
    await settle(device);
    const asks = () =>
      device.transport.requests.flatMap(({ request }) => ('wanted' in request ? [request.wanted] : []));
    expect(asks().filter(Boolean)).toEqual([]);
    // A person repairs it by hand, without a new revision.
    await sql(`set local session_replication_role = replica;
      update public.patterns set content = '{"x": 2}' where id = '${id}'`);
    await settle(device);
    expect(await patternOn(device, id)).toBeNull();
    device = await device.restart();
    await settle(device);
    expect(asks().filter(Boolean)).toEqual([[{ table: 'patterns', id }]]);
    expect(await patternOn(device, id)).toMatchObject({ content: { x: 2 } });
    expect(await unreadable(device)).toEqual([]);
    await repair(id);
  });

  it('that a push brings leaves the other outcomes alone; an edit of the same column waits in the quarantine', async () => {
    const [merged, conflicting] = [await newPattern('merged'), await newPattern('conflicting')];
    there.online(false);
    await there.contextService.updatePattern(merged, { description: 'mine' });
    await there.contextService.updatePattern(conflicting, { content: { x: 'mine' } });
    const task = await there.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'too' });
    for (const id of [merged, conflicting]) await spoil(id);
    there.online(true);
    const result = await there.sync();
    expect(result).toMatchObject({ status: 'ok', error: null });
    expect(await there.countUnsynced()).toMatchObject({ pending: 0, refused: 1 });
    expect((await there.exportUnsynced()).quarantine).toMatchObject([
      { record_id: conflicting, code: 'unreadable', change: expect.stringContaining('mine') },
    ]);
    expect((await unreadable(there)).map(({ id }) => id).sort()).toEqual([merged, conflicting].sort());
    for (const { id } of (await there.exportUnsynced()).quarantine as { id: string }[])
      expect(await there.retryQuarantined(id)).toBe(true);
    for (const id of [merged, conflicting]) await repair(id);
    await settle(here, there);
    expect(await unreadable(there)).toEqual([]);
    expect(await patternOn(here, merged)).toMatchObject({ description: 'mine', content: { x: 1 } });
    expect((await here.contextService.getLocalTask(task.id))?.title).toBe('too');
  });

  it('is spared by the sweep of a resync, and not pushed as if the server had lost it (P13)', async () => {
    const id = await newPattern('resynced');
    await spoil(id);
    await settle(there);
    await sql(`update convoy.scope_clocks set tag = tag where scope_id = '${SEED.workspace}';
      update convoy.scope_revisions set tag = 'other' where scope_id = '${SEED.workspace}';
      update convoy.scope_clocks set tag = 'another' where scope_id = '${SEED.workspace}'`);
    await settle(there);
    expect(await there.countUnsynced()).toMatchObject({ pending: 0, refused: 0 });
    expect(await patternOn(there, id)).toMatchObject({ content: { x: 0 } });
    expect(await unreadable(there)).toMatchObject([{ id, reason: 'depth' }]);
    // What the server has was never seen here: an edit does not write over it, and what was here is kept.
    expect((await there.exportUnsynced()).archive).toMatchObject([
      { record_id: id, reason: 'history_changed', values: expect.stringContaining('resynced') },
    ]);
    await there.contextService.updatePattern(id, { content: { x: 'mine' } });
    await settle(there);
    expect((await there.exportUnsynced()).quarantine).toMatchObject([{ record_id: id, code: 'unreadable' }]);
    await repair(id);
    await settle(here, there);
    expect(await patternOn(there, id)).toMatchObject({ content: { x: 1 } });
  });
});

/** Columns of a row that are not of their types, as a server of another make may send them. */
const MISSHAPEN: [what: string, column: string, value: unknown][] = [
  ['a number for a text', 'title', 7],
  ['an object for a text', 'description', { text: 'x' }],
  ['null where there has to be a value', 'title', null],
  ['a text for a number', 'sort_order', '1'],
  ['a text that is no time', 'created_at', 'yesterday'],
  ['a list for an id', 'milestone_id', []],
];

describe('a row with a column of another type', () => {
  it.each(MISSHAPEN)('(%s) is set aside by itself (P33)', async (_what, column, value) => {
    const [bad, good] = [
      await here.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'bad' }),
      await here.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'good' }),
    ];
    await settle(here);
    const device = await world.device('owner');
    device.transport.changePages((answer) => {
      const tasks = answer.rows.tasks as Columns | undefined;
      const at = tasks?.id.indexOf(bad.id) ?? -1;
      if (tasks && at >= 0) (tasks[column] as Json[])[at] = value as Json;
    });
    expect(await device.sync()).toMatchObject({ status: 'ok', error: null });
    expect(await device.contextService.getLocalTask(good.id)).toMatchObject({ title: 'good' });
    expect(await unreadable(device)).toMatchObject([{ table: 'tasks', id: bad.id, column, reason: 'type' }]);
    const again = await device.restart();
    await settle(again);
    expect(await again.contextService.getLocalTask(bad.id)).toMatchObject({ title: 'bad' });
    expect(await unreadable(again)).toEqual([]);
  });
});
