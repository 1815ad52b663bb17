/**
 * The database that most SQL tests begin with: all migrations, and a workspace with a member of each role.
 * Test files of one process run one after the other, so that each finds its own database in these variables.
 */

import { afterAll, beforeAll, beforeEach } from 'vitest';
import { openDatabase, type TestDatabase } from './database';
import { createTeam, type Team } from './syncUser';

export let database: TestDatabase;
export let team: Team;

async function newTeam(): Promise<void> {
  team = await createTeam(database);
}

/** The tests of the file share a database without a workspace. */
export function databaseForFile(): void {
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database.close());
}

/** Every test of the file gets a new workspace; they share the database. */
export function teamForEachTest(): void {
  databaseForFile();
  beforeEach(newTeam);
}

/** The tests of the file share the database and the workspace. */
export function teamForFile(): void {
  databaseForFile();
  beforeAll(newTeam);
}
