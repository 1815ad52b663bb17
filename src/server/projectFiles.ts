/** The SQL files and the built app, found the same way from source and from the bundle. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Migration {
  /** The leading digits of the file name, as the Supabase CLI counts versions. */
  version: string;
  name: string;
  sql: string;
}

export interface StackSql {
  /** What Supabase brings along: roles, `auth.users`, `auth.uid()`. */
  bootstrap: string;
  /** What the stack itself keeps: settings, sessions. */
  auth: string;
  migrations: Migration[];
  seed: string | null;
}

const MIGRATION_FILE = /^(\d+)_(.+)\.sql$/;

/** @returns the nearest folder above this file that holds package.json. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('No package.json above the local stack.');
    folder = parent;
  }
  return folder;
}

/** Reads the SQL that makes a database a Convoy database. Migrations come sorted by version. */
export function readStackSql(root: string = packageRoot()): StackSql {
  const seed = join(root, 'supabase/seed.sql');
  return {
    bootstrap: readFileSync(join(root, 'src/server/database/bootstrap.sql'), 'utf8'),
    auth: readFileSync(join(root, 'src/server/auth/auth.sql'), 'utf8'),
    migrations: readMigrations(join(root, 'supabase/migrations')),
    seed: existsSync(seed) ? readFileSync(seed, 'utf8') : null,
  };
}

function readMigrations(folder: string): Migration[] {
  return readdirSync(folder)
    .sort()
    .flatMap((file) => {
      const [, version, name] = MIGRATION_FILE.exec(file) ?? [];
      if (version === undefined || name === undefined) return [];
      return [{ version, name, sql: readFileSync(join(folder, file), 'utf8') }];
    });
}
