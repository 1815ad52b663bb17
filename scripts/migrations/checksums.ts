/**
 * The checksums of the migrations that were shipped. A migration is frozen: databases have gone through it, and
 * a Supabase project never applies it a second time.
 */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Lines of `<sha256>  <file>`, as `sha256sum` writes them. */
export const CHECKSUMS = 'supabase/migrations.sha256';
const MIGRATIONS = 'supabase/migrations';

/** Line ends are left out: a checkout on Windows is no change. */
function checksum(sql: string): string {
  return createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex');
}

/** @returns the checksum of each migration file, by name */
function present(root: string): Map<string, string> {
  const folder = join(root, MIGRATIONS);
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));
  return new Map(files.sort().map((file) => [file, checksum(readFileSync(join(folder, file), 'utf8'))]));
}

function recorded(root: string): Map<string, string> {
  const path = join(root, CHECKSUMS);
  if (!existsSync(path)) return new Map();
  const lines = readFileSync(path, 'utf8').split(/\r?\n/).filter(Boolean);
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}

/** @returns what is wrong with the migrations of a tree, a line each; nothing where all are as they were recorded */
export function migrationProblems(root: string): string[] {
  const [now, before] = [present(root), recorded(root)];
  const last = [...before.keys()].at(-1) ?? '';
  const problems: string[] = [];
  for (const [file, sum] of before) {
    if (!now.has(file)) problems.push(`${file} is gone. Databases have gone through it: put it back.`);
    else if (now.get(file) !== sum) {
      problems.push(
        `${file} was changed. Put it back, and the change into a new migration (npm run migration:new).`,
      );
    }
  }
  for (const file of now.keys()) {
    if (before.has(file)) continue;
    problems.push(
      file < last
        ? `${file} sorts before ${last}, which was recorded: databases that have that one would apply it out of order.`
        : `${file} is not recorded in ${CHECKSUMS}. Record it when it is finished: npm run migration:record.`,
    );
  }
  return problems;
}

/** @returns the names of the migrations that are not recorded yet */
export function unrecordedMigrations(root: string): string[] {
  const before = recorded(root);
  return [...present(root).keys()].filter((file) => !before.has(file));
}

/**
 * Adds the migrations that are not recorded yet. What is recorded stays as it is.
 * @returns the names that were added
 */
export function recordMigrations(root: string): string[] {
  const [now, before] = [present(root), recorded(root)];
  const added = unrecordedMigrations(root);
  const lines = [...before, ...added.map((file) => [file, now.get(file)] as const)];
  writeFileSync(join(root, CHECKSUMS), lines.map(([file, sum]) => `${sum}  ${file}\n`).join(''));
  return added;
}
