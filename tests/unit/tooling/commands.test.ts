import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

describe('the commands that the documents name', () => {
  it('include the one that continuous integration tests with', () => {
    const last = read('.ci/run').trimEnd().split('\n').at(-1);
    expect(last).toMatch(/^npm ci && .*npm test$/);
    expect(read('README.md').split('\n')).toContain(last);
  });

  it('are scripts of package.json', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...read('README.md').matchAll(/npm (?:run (?:--silent )?)?([a-z][\w:-]*|<command>)/g)].map(
      ([, name]) => name,
    );
    const builtIn = new Set(['ci', 'install', '<command>']);
    expect(named.filter((name) => name && !builtIn.has(name) && !(name in scripts))).toEqual([]);
  });
});

describe('the lockfile', () => {
  it('names no registry, so that it installs from any', () => {
    expect(read('package-lock.json')).not.toContain('"resolved"');
  });
});
