/** Writes a migration from what changed in supabase/schemas: `npm run migration:new -- <name>`. */

import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { readStackSql } from '@/server';
import { assembleMigration, migrationText } from './assemble';
import { openFrom } from './databases';

const command = new Command('migration:new')
  .description(
    'Writes a migration with the functions that differ between supabase/migrations and supabase/schemas.',
  )
  .argument('<name>', 'what it does, as in add_labels')
  .parse();
const [name = ''] = command.args;

if (!/^[a-z][a-z0-9_]*$/.test(name)) {
  command.error('A migration is named in small letters, digits and underscores, as in add_labels.');
}
const schemas = readStackSql(undefined, 'schemas');
const [from, to] = [await openFrom(readStackSql()), await openFrom(schemas)];
const assembled = await assembleMigration(from, to, schemas.migrations);
await Promise.all([from.close(), to.close()]);
if (assembled.sql === '' && assembled.ddl.length === 0) {
  console.log('supabase/schemas describes what the migrations make. There is nothing to write.');
} else {
  const version = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const file = `supabase/migrations/${version}_${name}.sql`;
  writeFileSync(file, migrationText(name, assembled));
  console.log(`${file} is written.`);
  for (const { object } of assembled.ddl) console.log(`  DDL to write: ${object}`);
  console.log('When it is finished: npm run migration:record, then npm run verify.');
}
