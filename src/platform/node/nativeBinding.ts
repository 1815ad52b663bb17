import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

let known: { nativeBinding?: string } | null = null;

/**
 * Locates better-sqlite3's native binding: its own search through a dozen paths takes longer than loading it.
 * @returns the option for its constructor; empty where the binding is not in the usual place
 */
export function nativeBinding(): { nativeBinding?: string } {
  if (known) return known;
  const main = createRequire(import.meta.url).resolve('better-sqlite3');
  const path = join(main, '../../build/Release/better_sqlite3.node');
  known = existsSync(path) ? { nativeBinding: path } : {};
  return known;
}
