import { afterAll, beforeAll, describe } from 'vitest';
import { postgresBinaries, startPostgres, type TestPostgres } from '../../support/postgres';
import { World } from '../../support/world';
import { pokesSuite } from './pokes.suite';

describe.skipIf(postgresBinaries() === null)('on PostgreSQL', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  pokesSuite(async () => World.start({ kind: 'postgres', url: await postgres.createDatabase() }));
});
