import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionStorage } from '@/core/platform';

/** The session's key-value storage: one JSON file that only its owner may read, replaced atomically. */
export function sessionFile(folder: string, name: string): SessionStorage {
  const path = join(folder, name);
  const read = async (): Promise<Record<string, string>> => {
    try {
      return JSON.parse(await readFile(path, 'utf8')) as Record<string, string>;
    } catch {
      // A missing or unreadable file means no session; signing in writes a new one.
      return {};
    }
  };
  const write = async (values: Record<string, string>) => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // Not by the process id: in containers that is often the same.
    const draft = `${path}.${randomUUID()}`;
    try {
      await writeFile(draft, JSON.stringify(values), { mode: 0o600 });
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  };
  return {
    getItem: async (key) => (await read())[key] ?? null,
    setItem: async (key, value) => write({ ...(await read()), [key]: value }),
    removeItem: async (key) => {
      const { [key]: removed, ...rest } = await read();
      if (removed === undefined) return;
      if (Object.keys(rest).length > 0) await write(rest);
      else await rm(path, { force: true });
    },
  };
}
