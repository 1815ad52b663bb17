import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
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
});
