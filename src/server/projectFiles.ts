/** Finds the SQL files and the built app, from source and from the bundle alike. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Migration {
  /** The leading digits of the file name: as the Supabase CLI counts versions, or the place of a schema file. */
  version: string;
  name: string;
  sql: string;
}

export interface StackSql {
  /** The parts of Supabase that migrations need: roles, `auth.users`, `auth.uid()`. */
  bootstrap: string;
  /** The stack's own tables: settings, sessions. */
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

/** The history of the SQL, which databases go through step by step; or what is true now, by topic. */
export type SqlSource = 'migrations' | 'schemas';

/**
 * Reads the SQL that makes a database a Convoy database, sorted by version.
 * @param source the schema files make the same database as the migrations, in one go; nothing can be upgraded with them
 */
export function readStackSql(root: string = packageRoot(), source: SqlSource = 'migrations'): StackSql {
  const seed = join(root, 'supabase/seed.sql');
  return {
    bootstrap: readFileSync(join(root, 'src/server/database/bootstrap.sql'), 'utf8'),
    auth: readFileSync(join(root, 'src/server/auth/auth.sql'), 'utf8'),
    migrations: readMigrations(join(root, 'supabase', source)),
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
