import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHROMIUM } from '../../support/browser';
import { findExecutables } from '../../support/executables';
import { FIREFOX } from '../../support/firefox';

describe.each([CHROMIUM, FIREFOX])('the $name that tests use', (kind) => {
  let folder: string;
  let executable: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'convoy-browser-'));
    executable = join(folder, kind.commands[0] as string);
    writeFileSync(executable, '#!/bin/sh\n');
    chmodSync(executable, 0o755);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('is the one that its variable of the environment names', () => {
    expect(findExecutables(kind, { [kind.variable]: executable, PATH: '' })).toEqual([executable]);
  });

  it('a wrong variable is an error, not a reason to guess', () => {
    const env = { [kind.variable]: join(folder, 'nowhere'), PATH: folder };
    expect(() => findExecutables(kind, env)).toThrow(kind.variable);
  });

  it('is otherwise found on the PATH', () => {
    expect(findExecutables(kind, { PATH: folder })[0]).toBe(executable);
  });
});
