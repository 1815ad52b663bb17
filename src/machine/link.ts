/**
 * `convoy.json`: which workspace and project a folder of code belongs to. It is committed, and holds addresses and ids only; who
 * works in it is of the machine. Found from subfolders, and from worktrees of a repository, which hold it too.
 */

import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, ok, type Result } from '@/core/result';
import { isUuid } from '@/core/text';
import type { MachineError } from './errors';

export const LINK_FILE = 'convoy.json';

export interface Link {
  /** The address of the backend. */
  url: string;
  workspace_id: string;
  /** Absent: the whole workspace. */
  project_id?: string;
}

export interface FoundLink extends Link {
  /** The file. */
  path: string;
}

/**
 * @param folder where to begin; then the folders above it
 * @returns the link; null where there is none; `bad_link` where a file of that name holds no link
 */
export async function findLink(folder: string): Promise<Result<FoundLink | null, MachineError>> {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, LINK_FILE);
    const isThere = await stat(path).then(
      (found) => found.isFile(),
      () => false,
    );
    if (isThere) return readLink(path);
    if (dirname(at) === at) return ok(null);
  }
}

async function readLink(path: string): Promise<Result<FoundLink | null, MachineError>> {
  const link = asLink(await readFile(path, 'utf8'));
  if (link) return ok({ ...link, path });
  const message = `${path} names no project. Write it anew by: convoy link`;
  return fail({ kind: 'machine', code: 'bad_link', message });
}

/** Values that others wrote: only addresses of the web, and ids. */
function asLink(text: string): Link | null {
  try {
    const { url, workspace_id, project_id } = JSON.parse(text) as Partial<Record<keyof Link, unknown>>;
    if (typeof url !== 'string' || !/^https?:$/.test(new URL(url).protocol)) return null;
    if (!isUuid(workspace_id)) return null;
    if (project_id === undefined) return { url, workspace_id };
    return isUuid(project_id) ? { url, workspace_id, project_id } : null;
  } catch {
    return null;
  }
}

/** @returns the file that was written */
export async function writeLink(folder: string, { url, workspace_id, project_id }: Link): Promise<string> {
  const path = join(folder, LINK_FILE);
  const link = { url, workspace_id, ...(project_id && { project_id }) };
  await writeFile(path, `${JSON.stringify(link, null, 2)}\n`);
  return path;
}
