import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionStorage } from '@/core/platform';

type Values = Record<string, string>;
type Files = Pick<typeof fs, 'mkdir' | 'open' | 'readFile' | 'rename' | 'rm' | 'writeFile'>;

/**
 * Sessions that this process could not remove, by path: it stays hidden while the file has it, so that who is signed out is not signed
 * in again before the next start.
 */
const removedInVain = new Map<string, Values>();

/** The session's key-value storage: one JSON file that only its owner may read, replaced atomically. */
export function sessionFile(folder: string, name: string, files: Files = fs): SessionStorage {
  const path = join(folder, name);
  const readAll = async (): Promise<Values> => {
    try {
      return JSON.parse(await files.readFile(path, 'utf8')) as Values;
    } catch {
      // A missing or unreadable file means no session; signing in writes a new one.
      return {};
    }
  };
  const read = async (): Promise<Values> => {
    const hidden = removedInVain.get(path) ?? {};
    return Object.fromEntries(
      Object.entries(await readAll()).filter(([key, value]) => hidden[key] !== value),
    );
  };
  const write = async (values: Values) => {
    await files.mkdir(folder, { recursive: true, mode: 0o700 });
    // Not by the process id: in containers that is often the same.
    const draft = `${path}.${randomUUID()}`;
    try {
      await files.writeFile(draft, JSON.stringify(values), { mode: 0o600 });
      await files.rename(draft, path);
      removedInVain.delete(path);
    } catch (error) {
      await files.rm(draft, { force: true });
      throw error;
    }
  };
  /** Writes less than the file holds over it: a full disk has no room for a second file. */
  const shorten = async (values: Values) => {
    const file = await files.open(path, 'r+');
    try {
      const text = JSON.stringify(values);
      await file.write(text, 0);
      await file.truncate(Buffer.byteLength(text));
    } finally {
      await file.close();
    }
  };
  return {
    getItem: async (key) => (await read())[key] ?? null,
    setItem: async (key, value) => write({ ...(await read()), [key]: value }),
    removeItem: async (key) => {
      const { [key]: removed, ...rest } = await readAll();
      if (removed === undefined) return;
      try {
        if (Object.keys(rest).length > 0) await write(rest).catch(() => shorten(rest));
        else await files.rm(path, { force: true });
      } catch (error) {
        removedInVain.set(path, { ...removedInVain.get(path), [key]: removed });
        throw error;
      }
    },
  };
}
