/** Records whose ids are UUIDs of no version that RFC 9562 names: PostgreSQL takes them, and so does every device. */

import { describe, expect, it } from 'vitest';
import { IdMapping } from '@/lib/watermelon/models';
import { SEED } from '../../support/seed';
import { devicesForEachTest, here, there, world } from '../../support/twoDevices';
import { settle } from '../../support/world';

devicesForEachTest();

const IDS = ['11111111-1111-1111-1111-111111111111', 'ffffffff-ffff-ffff-ffff-fffffffffffe'];

async function onServer(sql: string, ...values: string[]) {
  const done = await world.stack.backend.transaction((connection) => connection.query(sql, values));
  if (!done.ok) throw new Error(done.error.message);
  return done.value;
}

const makeTask = (id: string) =>
  onServer(
    'insert into public.tasks (id, workspace_id, milestone_id, title) values ($1, $2, $3, $4)',
    id,
    SEED.workspace,
    SEED.offlineMilestone,
    'made elsewhere',
  );

const taskOnServer = async (id: string) =>
  (await onServer('select title, deleted_at is not null as gone from public.tasks where id = $1', id))[0];

describe('an id of any version', () => {
  it.each(IDS)('%s is renamed, kept and deleted like any other (U4)', async (id) => {
    await makeTask(id);
    await settle(here, there);
    await here.contextService.updateTask(id, { title: 'renamed' });
    await settle(here, there);
    expect(await taskOnServer(id)).toEqual({ title: 'renamed', gone: false });
    expect((await here.contextService.getLocalTask(id))?.title).toBe('renamed');
    expect((await there.contextService.getLocalTask(id))?.title).toBe('renamed');
    await there.contextService.deleteTask(id);
    await settle(there, here);
    expect(await taskOnServer(id)).toMatchObject({ gone: true });
    expect(await here.contextService.getLocalTask(id)).toBeNull();
  });

  it('an id that an earlier version minted for such a record is forgotten (U4)', async () => {
    const id = '22222222-2222-2222-2222-222222222222';
    await makeTask(id);
    await settle(here);
    await here.database.write(() =>
      here.database.batch(
        here.database.of(IdMapping).prepareCreate((mapping) => {
          mapping.recordTable = 'tasks';
          mapping.localId = id;
          mapping.remoteId = '01900000-dead-7000-8000-00000000beef';
        }),
      ),
    );
    const again = await here.restart();
    await again.contextService.updateTask(id, { title: 'renamed' });
    await settle(again);
    expect(await taskOnServer(id)).toEqual({ title: 'renamed', gone: false });
    expect((await again.contextService.getLocalTask(id))?.title).toBe('renamed');
  });
});
