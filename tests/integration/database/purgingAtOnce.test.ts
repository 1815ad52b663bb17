/** What a purge does while others hold clocks or rows: only several connections at once can show it. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type TestDatabase } from '../../support/database';
import { postgresBinaries, startPostgres, type TestPostgres } from '../../support/postgres';
import { createTeam } from '../../support/syncUser';

describe.skipIf(postgresBinaries() === null)('on PostgreSQL, with several connections', () => {
  let postgres: TestPostgres;
  let database: TestDatabase;
  beforeAll(async () => {
    postgres = await startPostgres();
    database = await openDatabase({ url: postgres.url });
  });
  afterAll(async () => {
    await database?.close();
    await postgres?.stop();
  });

  const count = async (from: string): Promise<number> => {
    const [found] = await database.query<{ n: number }>(`select count(*)::int as n from ${from}`);
    return found?.n ?? -1;
  };

  it('a workspace whose clock somebody holds holds up neither other workspaces nor the ledger (P15, P20)', async () => {
    const [held, deleted] = [await createTeam(database), await createTeam(database)];
    for (const { owner, make, project } of [held, deleted]) {
      await owner.push([make.update('projects', project, null, { name: 'on' })]);
    }
    await deleted.owner.push([deleted.make.delete('workspaces', deleted.workspace, null)]);
    await database.query(`update convoy.scope_revisions set created_at = created_at - interval '1 year'`);
    await database.query(`update convoy.devices set updated_at = updated_at - interval '2 years'`);
    await database.transaction(async (connection) => {
      await connection.query('select 1 from convoy.scope_clocks where scope_id = $1::uuid for update', [
        held.workspace,
      ]);
      for (let calls = 0; calls < 2; calls += 1) {
        const [done] = await database.query<{ left: number }>('select convoy.purge()::int as left');
        expect(done?.left).toBeGreaterThan(0);
      }
    });
    expect(await count('convoy.devices')).toBe(0);
    const live = `public.workspace_members where deleted_at is null and workspace_id =`;
    expect(await count(`${live} '${deleted.workspace}'`)).toBe(0);
    expect(await count(`${live} '${held.workspace}'`)).toBeGreaterThan(0);
    expect(await count(`convoy.scope_clocks where scope_id = '${held.workspace}' and purged_to > 0`)).toBe(0);
  });
});
