import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeDatabase, initDatabase, type SyncLogEntry, type SyncLogItem, syncLog } from '@/lib/watermelon';
import { SEED } from '../../support/seed';
import { settle, type TestDevice, World } from '../../support/world';

let world: World;
let device: TestDevice;

beforeAll(async () => {
  world = await World.start();
  device = await world.device('owner');
});
afterAll(async () => {
  await closeDatabase();
  await world.close();
});

describe('the sync log', () => {
  it('lists the work of each sync, newest first, and is read through the public API (D27)', async () => {
    await device.sync();
    await device.contextService.createTask({ milestone_id: SEED.offlineMilestone, title: 'logged' });
    await device.sync();
    await initDatabase({ open: async () => device });
    const [push, first] = await syncLog();
    expect(push).toMatchObject({ status: 'ok', pushed: 2, error: null });
    expect(push?.sent_bytes).toBeGreaterThan(0);
    expect(push?.received_bytes).toBeGreaterThan(0);
    expect(first?.pulled).toBeGreaterThan(50);
    expect(Date.parse(push?.started_at ?? '')).toBeGreaterThanOrEqual(Date.parse(first?.started_at ?? ''));
  });

  it('leaves out syncs that found nothing, keeps failures with their reason, and is observed (D27)', async () => {
    const seen: SyncLogItem[][] = [];
    const subscription = device.observeSyncLog().subscribe((log) => seen.push(log));
    const before = (await device.syncLog()).length;
    await settle(device);
    expect(await device.syncLog()).toHaveLength(before);
    device.transport.loseNextRequest('pull');
    await device.sync();
    const [failed] = await device.syncLog();
    expect(failed?.status).not.toBe('ok');
    expect(failed?.error?.message).not.toBe('');
    await expect.poll(() => seen.at(-1)?.[0]?.id).toBe(failed?.id);
    subscription.unsubscribe();
  });

  it('keeps the last 200 entries (D27)', async () => {
    const entries = device.database.get<SyncLogEntry>('sync_log');
    await device.database.write(async () => {
      const old = Array.from({ length: 250 }, (_, n) =>
        entries.prepareCreateFromDirtyRaw({ id: `old-${n}`, _status: 'synced', started_at: n, status: 'ok' }),
      );
      await device.database.batch(old);
    });
    device.transport.loseNextRequest('pull');
    await device.sync();
    const log = await device.syncLog();
    expect(log).toHaveLength(200);
    expect(log.at(-1)?.id).not.toBe('old-0');
    expect(log[0]?.status).not.toBe('ok');
  });
});
