/** Records the checksums of new migrations: `npm run migration:record`. From then on they are frozen. */

import { CHECKSUMS, migrationProblems, recordMigrations } from './checksums';

const added = recordMigrations('.');
for (const file of added) console.log(`${file} is recorded in ${CHECKSUMS}.`);
if (added.length === 0) console.log('There is no new migration to record.');
for (const problem of migrationProblems('.')) {
  console.error(problem);
  process.exitCode = 1;
}
