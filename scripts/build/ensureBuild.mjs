/**
 * Builds when there is no build or the sources differ from those it was made of. By content, not by
 * time: a checkout of another branch sets times anew. Plain JavaScript, so that `npm start` pays for
 * no compiler.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const stamp = join(root, 'dist/.sources');
const results = ['dist/web/index.html', 'dist/node/convoy.js'];
const sources = [
  'src',
  'public',
  'index.html',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'vite.config.ts',
  'vite.server.config.ts',
];

/** @param {string} path relative to the root @returns {string[]} the files under it, sorted */
function filesUnder(path) {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [path];
  return readdirSync(full)
    .sort()
    .flatMap((name) => filesUnder(`${path}/${name}`));
}

function sourcesHash() {
  const hash = createHash('sha256');
  for (const file of sources.flatMap(filesUnder)) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** @returns {boolean} whether dist/ matches the sources now */
export function ensureBuild() {
  const wanted = sourcesHash();
  const current =
    results.every((file) => existsSync(join(root, file))) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === wanted;
  if (current) return true;

  console.error('Building Convoy, which takes half a minute ...');
  const { status, error, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: root,
    // Tests run the shipped build too.
    env: { ...process.env, NODE_ENV: 'production' },
    // A person is told of a build that fails; standard output belongs to the program that is about to start.
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    console.error(`${stdout ?? ''}${stderr ?? ''}${error ? `${error}\n` : ''}The build failed: see above.`);
    return false;
  }
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stamp, wanted);
  return true;
}
