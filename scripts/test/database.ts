/**
 * Runs the database tests on one version of PostgreSQL: `npm run test:database -- --postgres 18 [file]...`.
 *
 * Tests that speak SQL use a server of this run instead of PGlite, and those that start a server of their own start
 * the same version. The last line and the exit code are those of `npm test`.
 */

import { startPostgres } from '../../tests/support/postgres';
import { MAJOR_VARIABLE, PACKAGED_MAJORS } from '../../tests/support/postgresBinaries';
import { readOptions } from '../support/options';
import { lastLine, summarise, verdict } from './report';
import { platform, readSkips, runVitest } from './tools';

/** The database tests, and those of other folders that start PostgreSQL. */
const FILES = [
  'tests/integration/database',
  'tests/integration/server/postgres',
  'tests/proofs/database',
  'tests/proofs/server/supabaseCli',
  'pokes.postgres',
  'convergence.postgres',
];

const { values, positionals } = readOptions({
  options: { postgres: { type: 'string', default: String(PACKAGED_MAJORS[0]) } },
  allowPositionals: true,
});
const major = Number(values.postgres);
if (!Number.isInteger(major)) throw new Error('Name a major version, for instance: --postgres 18');

// Without autovacuum, as in PGlite: statistics that change meanwhile change plans, and with them what a test counts.
const settings = { fsync: 'off', max_connections: '200', autovacuum: 'off' };
const server = await startPostgres(settings, major);
try {
  const files = positionals.length > 0 ? positionals : FILES;
  const expected = positionals.length > 0 ? [] : ['integration', 'proofs'];
  const variables = { DATABASE_URL: server.url, [MAJOR_VARIABLE]: String(major) };
  const { exitCode, report } = await runVitest(
    ['--project', 'integration', '--project', 'proofs', ...files],
    1,
    variables,
  );
  const summary = summarise(report, exitCode, { projects: expected, skips: readSkips(), platform });
  const problem = verdict(summary);
  if (problem !== null) console.log(`\n${problem}`);
  console.log(`PostgreSQL ${major}: ${lastLine(summary)}`);
  process.exitCode = problem === null ? 0 : 1;
} finally {
  await server.stop();
}
