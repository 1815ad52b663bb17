import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYNCED_TABLES } from '@/domain/schema';
import { World } from '../../support/world';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

describe('first sync', () => {
  it('the demo is pulled whole, and a second sync pulls nothing (P4)', async () => {
    const device = await world.device('owner');
    const first = await device.sync();
    expect(first).toMatchObject({ status: 'ok', error: null });
    // Nothing was deleted in the demo.
    const filled = SYNCED_TABLES.filter((table) => table !== 'deletions');
    const counts = await Promise.all(filled.map((table) => device.database.get(table).query().fetchCount()));
    expect(counts.every((count) => count > 0)).toBe(true);
    expect(first.pulled).toBe(counts.reduce((sum, count) => sum + count, 0));
    const second = await device.sync();
    expect(second).toMatchObject({ status: 'ok', pulled: 0, pushed: 0 });
  });
});
