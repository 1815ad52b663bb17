/** Reads a file of settings, and replaces it at once. */

import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readFile, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fail, ok, type Result } from '@/core/result';
import type { Edited, EditFault } from './edit';

const MARK = '\ufeff';

export interface PlannedFile {
  /** As it was named; what is written is the file that links lead to. */
  path: string;
  before: string;
  after: string;
  /** null: there is none yet. */
  bytes: Buffer | null;
}

/** @returns what the file becomes, or why it is left alone */
export async function planFile(
  path: string,
  edit: (text: string) => Edited,
): Promise<Result<PlannedFile, EditFault>> {
  const bytes = await contentOf(path);
  if (bytes instanceof Error) return fail({ message: `It cannot be read (${bytes.code}).` });
  const text = decoded(bytes);
  if (text === null) return fail({ message: 'It is no text in UTF-8.' });
  const mark = text.startsWith(MARK) ? MARK : '';
  const edited = edit(text.slice(mark.length));
  if (!edited.ok) return edited;
  const after = mark + edited.value;
  if (after !== text && bytes !== null && ((await stat(path)).mode & 0o222) === 0) {
    return fail({ message: 'It may not be written to. Allow that, by chmod u+w, or change it by hand.' });
  }
  return ok({ path, before: text, after, bytes });
}

/** @returns null: there is no such file; an error: there is one, and it cannot be read */
function contentOf(path: string): Promise<Buffer | NodeJS.ErrnoException | null> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? null : error));
}

function decoded(bytes: Buffer | null): string | null {
  try {
    return bytes === null ? '' : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Writes what was planned, unless the file has changed since. */
export async function writePlanned({ path, after, bytes }: PlannedFile): Promise<Result<null, EditFault>> {
  const now = await contentOf(path);
  if (now instanceof Error) return fail({ message: `It cannot be read (${now.code}).` });
  const isSame = now === null || bytes === null ? now === bytes : now.equals(bytes);
  if (!isSame)
    return fail({ message: 'It was changed meanwhile, and is left as it is. Run the command again.' });
  const target = await targetOf(path);
  const draft = `${target}.${randomUUID()}`;
  try {
    await mkdir(dirname(target), { recursive: true });
    const mode = await stat(target).then(
      (found) => found.mode & 0o7777,
      () => undefined,
    );
    await writeFile(draft, after, mode === undefined ? {} : { mode });
    await rename(draft, target);
    return ok(null);
  } catch (error) {
    await rm(draft, { force: true });
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === '') throw error;
    return fail({ message: `It cannot be written (${code}).` });
  }
}

/** @returns the file that a path leads to, through links; also where there is none yet */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const isLink = await lstat(path).then(
      (found) => found.isSymbolicLink(),
      () => false,
    );
    return isLink ? targetOf(resolve(dirname(path), await readlink(path))) : path;
  }
}
