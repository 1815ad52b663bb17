/** The conflict ledger does not grow for ever: what is settled goes after a while, what a person has to decide stays. */

import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Archived, Conflict, Quarantined } from '@/lib/watermelon';
import type { Raw } from '@/lib/watermelon/models/watermelondb';
import { KEPT_DAYS } from '@/lib/watermelon/sync/state/settledEntries';
import { temporaryFolder } from '../../support/localDatabase';
import { SEED } from '../../support/seed';
import { type TestDevice, World } from '../../support/world';

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

  it('is searched by indexes (D34, D57)', () => {
    const file = new Sqlite(join(folder.path, 'local.db'), { readonly: true });
    const plan = (where: string) =>
      file
        .prepare(`explain query plan select * from "sync_conflicts" where ${where}`)
        .all()
        .map((step) => (step as { detail: string }).detail)
        .join();
    expect(plan(`"kind" in ('gone', 'deleted') and "lost" is not null`)).toContain('sync_conflicts_kind');
    expect(plan(`"occurred_at" < 7 and "state" = 'settled'`)).toContain('sync_conflicts_occurred_at');
    file.close();
  });
});
