/**
 * Records the checksums of new migrations: `npm run migration:record`. From then on they are frozen, so it is
 * refused while the migrations do not make the database that supabase/schemas describes.
 */

import { CHECKSUMS, migrationProblems, recordMigrations, unrecordedMigrations } from './checksums';
import { describeDifferences } from './databases';

const found = unrecordedMigrations('.').length > 0 ? await describeDifferences() : [];
if (found.length > 0) {
  console.error(
    `Not recorded: the migrations do not make what supabase/schemas describes.\n${found.join('\n')}`,
  );
  process.exitCode = 1;
} else {
  const added = recordMigrations('.');
  for (const file of added) console.log(`${file} is recorded in ${CHECKSUMS}.`);
  if (added.length === 0) console.log('There is no new migration to record.');
  for (const problem of migrationProblems('.')) {
    console.error(problem);
    process.exitCode = 1;
  }
}
