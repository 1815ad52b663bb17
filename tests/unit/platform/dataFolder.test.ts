import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataFolder, stackFolder } from '@/platform/node/dataFolder';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoy-folders-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the data of the local stack', () => {
  it('is in one place, wherever it is started', () => {
    const [one, other] = [join(folder, 'one'), join(folder, 'other')];
    expect(stackFolder(undefined, one)).toEqual(stackFolder(undefined, other));
    expect(stackFolder(undefined, one)).toEqual({ path: join(dataFolder(), 'stack') });
  });

  it('is where it is named, seen from the folder in which it is started', () => {
    expect(stackFolder('mine', folder)).toEqual({ path: join(folder, 'mine') });
    expect(stackFolder(join(folder, 'mine'), '/')).toEqual({ path: join(folder, 'mine') });
  });

  it('of an earlier version is found where it is, and an empty folder is none', () => {
    const earlier = join(folder, '.convoy', 'data');
    mkdirSync(earlier, { recursive: true });
    expect(stackFolder(undefined, folder, 'usual')).toEqual({ path: 'usual' });
    writeFileSync(join(earlier, 'stack.json'), '{}');
    expect(stackFolder(undefined, folder, 'usual')).toEqual({ path: earlier, insteadOf: 'usual' });
    expect(stackFolder('mine', folder, 'usual')).toEqual({ path: join(folder, 'mine') });
  });
});
