/** How the test commands run vitest and the checks. */

import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlatformSkip, VitestReport } from './report';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** As tests/platform-skips.json names platforms. */
export const platform = `${process.platform}-${process.arch}`;

export function readSkips(): PlatformSkip[] {
  return JSON.parse(readFileSync(join(root, 'tests/platform-skips.json'), 'utf8')) as PlatformSkip[];
}

/** Runs a tool of node_modules with its output shown as it comes. @returns its exit code. */
export function run(command: string, args: string[], out: 1 | 2, env = process.env): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(root, 'node_modules/.bin', command), args, {
      cwd: root,
      env,
      stdio: ['ignore', out, 2],
      shell: process.platform === 'win32',
    });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** Bytes that have to be free in memory before tests keep their databases there. */
const ROOM = 4 * 2 ** 30;

/** @returns a folder in memory, where the machine has one: thousands of small databases need no disk. */
function folderInMemory(): string | null {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    if (bavail * bsize < ROOM) return null;
    const folder = mkdtempSync('/dev/shm/convoy-');
    // PostgreSQL runs as a user of its own.
    chmodSync(folder, 0o755);
    return folder;
  } catch {
    return null;
  }
}

/**
 * @param selected vitest's arguments: which projects and files
 * @param out the stream for its output
 * @returns its exit code, and its report where it left one
 */
export async function runVitest(
  selected: string[],
  out: 1 | 2,
  variables: NodeJS.ProcessEnv = {},
): Promise<{ exitCode: number; report: VitestReport | null }> {
  const folder = mkdtempSync(join(tmpdir(), 'convoy-tests-'));
  const file = join(folder, 'report.json');
  const memory = folderInMemory();
  const env = { ...process.env, ...variables, ...(memory === null ? {} : { TMPDIR: memory }) };
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const exitCode = await run('vitest', ['run', ...selected, ...reporters], out, env);
    return { exitCode, report: readJson<VitestReport>(file) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    if (memory !== null) rmSync(memory, { recursive: true, force: true });
  }
}

function readJson<T>(file: string): T | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return null;
  }
}
