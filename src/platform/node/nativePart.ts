import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

let known: { nativeBinding?: string } | null = null;

/**
 * Where better-sqlite3's native part is: by itself it looks through a dozen places, which takes longer than loading it.
 * @returns what its constructor takes; nothing where it is not in the usual place
 */
export function nativePart(): { nativeBinding?: string } {
  if (known) return known;
  const main = createRequire(import.meta.url).resolve('better-sqlite3');
  const path = join(main, '../../build/Release/better_sqlite3.node');
  known = existsSync(path) ? { nativeBinding: path } : {};
  return known;
}
