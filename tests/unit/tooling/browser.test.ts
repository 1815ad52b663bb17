import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBrowsers } from '../../support/browser';

describe('the browser that tests use', () => {
  let folder: string;
  let executable: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'convoy-browser-'));
    executable = join(folder, 'chromium');
    writeFileSync(executable, '#!/bin/sh\n');
    chmodSync(executable, 0o755);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('is the one that CHROMIUM_PATH names', () => {
    expect(findBrowsers({ CHROMIUM_PATH: executable, PATH: '' })).toEqual([executable]);
  });

  it('a wrong CHROMIUM_PATH is an error, not a reason to guess', () => {
    expect(() => findBrowsers({ CHROMIUM_PATH: join(folder, 'nowhere'), PATH: folder })).toThrow(
      /CHROMIUM_PATH/,
    );
  });

  it('is otherwise found on the PATH', () => {
    expect(findBrowsers({ PATH: folder })[0]).toBe(executable);
  });
});
