import { afterAll, beforeAll, describe } from 'vitest';
import { postgresBinaries, startPostgres, type TestPostgres } from '../../support/postgres';
import { World } from '../../support/world';
import { convergenceSuite } from './convergence.suite';

describe.skipIf(postgresBinaries() === null)('on PostgreSQL', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  convergenceSuite(async () => World.start({ kind: 'postgres', url: await postgres.createDatabase() }));
});
