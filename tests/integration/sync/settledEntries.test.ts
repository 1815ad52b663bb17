/** The conflict ledger does not grow for ever: what is settled goes after a while, what a person has to decide stays. */

import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Archived, Conflict, Quarantined } from '@/lib/watermelon';
import { DeviceState } from '@/lib/watermelon/models';
import { Q, type Raw } from '@/lib/watermelon/models/watermelondb';
import { KEPT_DAYS } from '@/lib/watermelon/sync/state/settledEntries';
import { temporaryFolder } from '../../support/localDatabase';
import { SEED } from '../../support/seed';
import { settle, type TestDevice, World } from '../../support/world';

const DAY_MS = 24 * 60 * 60_000;
const folder = temporaryFolder();
let world: World;
let device: TestDevice;
/** How far the clock of the device is ahead of the server's, ms. */
let ahead = 0;
beforeAll(async () => {
  world = await World.start();
  device = await world.device('owner', { folder: folder.path, now: () => Date.now() + ahead });
  await device.sync();
});
afterAll(async () => {
  await world.close();
  folder.remove();
});

const COMMON = { record_table: 'tasks', record_id: SEED.busyTask, workspace_id: SEED.workspace };

/** Writes entries of these kinds and ages, as syncs of long ago did. */
async function keep(entries: readonly { id: string; days: number; more?: Partial<Raw> }[]): Promise<void> {
  const { database } = device;
  await database.write(async () => {
    const old = await database.of(Conflict).query().fetch();
    await database.batch([
      ...old.map((entry) => entry.prepareDestroyPermanently()),
      ...entries.map(({ id, days, more }) =>
        database.of(Conflict).prepareCreateFromDirtyRaw({
          id,
          _status: 'synced',
          kind: 'columns',
          state: 'settled',
          columns: '{}',
          lost: null,
          device_id: SEED.busyTask,
          occurred_at: Date.now() - days * DAY_MS,
          ...COMMON,
          ...more,
        }),
      ),
    ]);
  });
}

/** A sync that does something, so that it ends with an entry of the log. */
async function syncWithNews(): Promise<void> {
  await device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'news' });
  expect(await device.sync()).toMatchObject({ status: 'ok' });
}

/** Makes the ledger one that an earlier version wrote, or one that was upgraded so many days ago. */
async function setLedgerStart(days: number | undefined): Promise<void> {
  const { database } = device;
  const [state] = await database.of(DeviceState).query(Q.where('id', 'device')).fetch();
  const ledger = days === undefined ? undefined : { after: 1_000, since: Date.now() - days * DAY_MS };
  await database.write(() =>
    (state as DeviceState).update((draft) => {
      draft.value = { ...(draft.value as object), ledger };
    }),
  );
  device = await device.restart();
}

const kept = async () => (await device.database.of(Conflict).query().fetch()).map(({ id }) => id).sort();

beforeEach(() => {
  ahead = 0;
});

describe('the conflict ledger', () => {
  const lost = JSON.stringify({ id: SEED.busyTask, title: 'lost' });

  it('loses what was settled, and lost edits that no restore brings back, once they are old enough (D57)', async () => {
    await keep([
      { id: 'settled', days: KEPT_DAYS - 1 },
      { id: 'settled-old', days: KEPT_DAYS + 1 },
      { id: 'lost', days: KEPT_DAYS - 1, more: { kind: 'gone', lost } },
      { id: 'lost-old', days: KEPT_DAYS + 1, more: { kind: 'gone', lost } },
      { id: 'withdrawn-old', days: KEPT_DAYS + 1, more: { kind: 'withdrawn' } },
    ]);
    await syncWithNews();
    expect(await kept()).toEqual(['lost', 'settled']);
  });

  it('keeps open conflicts, as the quarantine and the archive keep theirs, however old (D57, P-NOLOSS)', async () => {
    await keep([{ id: 'open-old', days: 10 * KEPT_DAYS, more: { state: 'open' } }]);
    const { database } = device;
    const occurred_at = Date.now() - 10 * KEPT_DAYS * DAY_MS;
    const old = { id: 'old', _status: 'synced', operation: 'update', occurred_at, ...COMMON } as const;
    await database.write(() =>
      database.batch([
        database
          .of(Quarantined)
          .prepareCreateFromDirtyRaw({ ...old, change: '{}', code: 'cycle', group_id: 'g' }),
        database.of(Archived).prepareCreateFromDirtyRaw({ ...old, reason: 'access_lost', values: '{}' }),
      ]),
    );
    await syncWithNews();
    expect(await kept()).toEqual(['open-old']);
    expect(await database.of(Quarantined).query().fetchCount()).toBe(1);
    expect(await database.of(Archived).query().fetchCount()).toBe(1);
  });

  it('loses nothing by a clock that is ahead (D57)', async () => {
    await keep([{ id: 'settled', days: 1 }]);
    ahead = 2 * KEPT_DAYS * DAY_MS;
    await syncWithNews();
    await syncWithNews();
    expect(await kept()).toEqual(['settled']);
  });

  it('loses nothing by a clock that was behind and is set right (D57, P-NOLOSS)', async () => {
    await keep([{ id: 'settled', days: 1 }]);
    const other = await world.device('owner');
    const { id } = await device.contextService.createTask({
      milestone_id: SEED.offlineMilestone,
      title: 'to be lost',
    });
    await settle(device, other);
    ahead = -(KEPT_DAYS + 40) * DAY_MS;
    await syncWithNews();
    await other.contextService.deleteTask(id);
    await other.sync();
    await device.contextService.updateTask(id, { title: 'lost' });
    await device.sync();
    const before = await kept();
    expect(before.length).toBeGreaterThan(1);
    ahead = 0;
    // Fails before it has heard the server's time.
    device.transport.setOffline(true);
    await device.sync();
    device.transport.setOffline(false);
    await syncWithNews();
    await syncWithNews();
    expect(await kept()).toEqual(before);
  });

  it('spares entries that were written by device time, until they are old for sure (D57, P-NOLOSS)', async () => {
    await keep([{ id: 'of before', days: KEPT_DAYS + 40 }]);
    await setLedgerStart(undefined);
    await syncWithNews();
    await syncWithNews();
    expect(await kept()).toEqual(['of before']);
    await setLedgerStart(KEPT_DAYS + 1);
    await syncWithNews();
    expect(await kept()).toEqual([]);
  });

  it('is searched by indexes (D34, D57)', () => {
    const file = new Sqlite(join(folder.path, 'local.db'), { readonly: true });
    const plan = (where: string) =>
      file
        .prepare(`explain query plan select * from "sync_conflicts" where ${where}`)
        .all()
        .map((step) => (step as { detail: string }).detail)
        .join();
    expect(plan(`"kind" in ('gone', 'deleted') and "lost" is not null`)).toContain('sync_conflicts_kind');
    expect(plan(`"occurred_at" < 7 and "state" = 'settled' and +"rowid" > 0`)).toContain(
      'sync_conflicts_occurred_at',
    );
    file.close();
  });
});
