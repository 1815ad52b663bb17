/** The claims that agents of this machine have made without the server: one small file of the data folder, under a lock. */

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MachineClaim, MachineClaims } from '@/core/platform';
import type { FileLock } from './fileLock';
import { withFileLock } from './withFileLock';

const NAME = 'claims';

export function claimsFile(folder: string, locks: Map<string, FileLock> | null = null): MachineClaims {
  const path = join(folder, `${NAME}.json`);
  return {
    change: (edit) =>
      withFileLock(
        folder,
        NAME,
        async () => {
          const { claims, answer } = edit(await read(path));
          await mkdir(folder, { recursive: true, mode: 0o700 });
          // A process that dies while it writes leaves the file as it was.
          await writeFile(`${path}.new`, JSON.stringify(claims), { mode: 0o600 });
          await rename(`${path}.new`, path);
          return answer;
        },
        undefined,
        locks,
      ),
  };
}

/** A file that cannot be understood counts as empty: the claims in it end with their leases. */
async function read(path: string): Promise<MachineClaim[]> {
  try {
    const claims: unknown = JSON.parse(await readFile(path, 'utf8'));
    return Array.isArray(claims) ? (claims as MachineClaim[]).filter(isClaim) : [];
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function isClaim(claim: unknown): boolean {
  const { task_id, user_id, claim_id, until } = (claim ?? {}) as Record<string, unknown>;
  return [task_id, user_id, claim_id, until].every((value) => typeof value === 'string');
}
