import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pokesSuite } from '../../integration/realtime/pokes.suite';
import { WAIT_MS } from '../../support/patience';
import { postgresBinaries, startPostgres, type TestPostgres } from '../../support/postgres';
import { SEED } from '../../support/seed';
import { World } from '../../support/world';

describe.skipIf(postgresBinaries() === null)('on PostgreSQL', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  const start = async () => World.start({ kind: 'postgres', url: await postgres.createDatabase() });

  pokesSuite(start);

  it('pokes flow again after the database was away, and missed changes are pulled (K7)', async () => {
    const world = await start();
    try {
      const timing = { idleMs: 3_600_000, idleMostMs: 3_600_000, flowingMs: 3_600_000, cutOffMs: 3_600_000 };
      const reader = await world.device('editor', { autoSync: true, pokes: true, timing });
      const writer = await world.device('owner');
      await writer.sync();
      const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: WAIT_MS, interval: 50 });
      const joined = () =>
        reader.client.realtime.getChannels().filter(({ state }) => String(state) === 'joined').length;
      await eventually(() => expect(joined()).toBe(3));

      await world.stack.backend.transaction((connection) =>
        connection.query(`
          select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'convoy realtime' and datname = current_database()
        `),
      );
      for (const title of ['While it was away', 'Later']) {
        const task = await writer.contextService.createTask({ milestone_id: SEED.offlineMilestone, title });
        expect((await writer.sync()).error).toBeNull();
        await eventually(async () =>
          expect((await reader.contextService.getLocalTask(task.id))?.title).toBe(title),
        );
      }
      await eventually(() => expect(joined()).toBe(3));
    } finally {
      await world.close();
    }
  });
});
