/** A database that ran a release on PostgreSQL is restored from a dump, and prepared by the code of today. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { postgresBinaries, startPostgres, type TestPostgres } from '../../support/postgres';
import { ended, FILES, NO_PURGE, Release } from '../../support/releases';
import { World } from '../../support/world';
import { upgradeSuite } from './upgrade.suite';

const binaries = postgresBinaries();
const canRestore = binaries !== null && existsSync(join(binaries, 'psql'));

/** @param stopOnError whether the first statement that fails ends it */
async function psql(url: string, script: Buffer, stopOnError: boolean): Promise<void> {
  const set = ['--set', `ON_ERROR_STOP=${stopOnError ? 1 : 0}`];
  const child = spawn(join(binaries ?? '', 'psql'), ['--quiet', '--no-psqlrc', ...set, url], {
    stdio: ['pipe', 'ignore', stopOnError ? 'inherit' : 'ignore'],
  });
  child.stdin.end(script);
  await ended(child);
}

describe.skipIf(!canRestore).each(Release.all())(
  'on PostgreSQL that was restored from a dump of release $manifest.release',
  (release) => {
    let cluster: TestPostgres;
    afterAll(() => cluster?.stop());

    upgradeSuite(release, async () => {
      cluster = await startPostgres();
      const url = await cluster.createDatabase();
      // The superuser is there already.
      await psql(cluster.url, release.read(FILES.postgres.roles), false);
      await psql(url, release.read(FILES.postgres.server), true);
      const world = await World.start({ kind: 'postgres', url }, NO_PURGE);
      return { world, left: release.manifest.postgres, deviceFile: FILES.postgres.device };
    });
  },
);
