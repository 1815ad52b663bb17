import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sessionFile } from '@/platform/node/sessionFile';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-session-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the file of a session', () => {
  it('is whole after writers of one process id, as those of two containers, wrote at once', async () => {
    const storages = Array.from({ length: 20 }, () => sessionFile(folder, 'session.json'));
    await Promise.all(storages.map((storage, n) => storage.setItem('token', `${n}`)));
    expect(Number(await storages[0]?.getItem('token'))).toBeLessThan(20);
    expect(readdirSync(folder)).toEqual(['session.json']);
  });

  it('is not written when there is nothing to remove', async () => {
    const storage = sessionFile(folder, 'session.json');
    await storage.setItem('token', 'a');
    const before = statSync(join(folder, 'session.json')).ino;
    await storage.removeItem('verifier');
    expect(statSync(join(folder, 'session.json')).ino).toBe(before);
    await storage.removeItem('token');
    expect(readdirSync(folder)).toEqual([]);
  });

  const full = async () => {
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  };

  it('loses the session, and nothing else, though the disk has no room for a second file', async () => {
    const storage = sessionFile(folder, 'session.json', { ...fs, writeFile: full });
    const roomy = sessionFile(folder, 'session.json');
    await roomy.setItem('mark', 'stays');
    await roomy.setItem('session', 'a token');
    await storage.removeItem('session');
    expect([await roomy.getItem('session'), await roomy.getItem('mark')]).toEqual([null, 'stays']);
    expect(readdirSync(folder)).toEqual(['session.json']);
  });

  it('that cannot be changed at all rejects, hides the session from this process, and loses it with the next write', async () => {
    const storage = sessionFile(folder, 'session.json', { ...fs, writeFile: full, open: full, rm: full });
    const roomy = sessionFile(folder, 'session.json');
    for (const more of [{}, { mark: 'stays' }]) {
      for (const [key, value] of Object.entries({ session: 'a token', ...more })) {
        await roomy.setItem(key, value);
      }
      await expect(storage.removeItem('session')).rejects.toThrow('ENOSPC');
      await expect(storage.removeItem('session'), 'again').rejects.toThrow('ENOSPC');
      expect(readFileSync(join(folder, 'session.json'), 'utf8')).toContain('a token');
      for (const one of [storage, roomy]) expect(await one.getItem('session')).toBeNull();
      await roomy.setItem('other', 'x');
      expect(readFileSync(join(folder, 'session.json'), 'utf8')).not.toContain('a token');
      await roomy.setItem('session', 'a token');
      expect(await storage.getItem('session'), 'of a new sign-in').toBe('a token');
    }
  });
});
