/**
 * The one way to run checks and tests: `tsx scripts/test/run.ts <project>... [--json]`.
 *
 * Runs the checks (format and lint, import directions, types), then the named vitest projects. The
 * last line is `N passed, N failed, N skipped`; with `--json` standard output holds one JSON value
 * and everything else goes to standard error. Exits 1 on any failure, on a skip that
 * tests/platform-skips.json does not list, and when no test of a named project ran.
 */

import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { lastLine, type PlatformSkip, summarise, type VitestReport, verdict } from './report';

const root = fileURLToPath(new URL('../..', import.meta.url));

const CHECKS = [
  { name: 'format and lint', command: 'biome', args: ['ci', '--error-on-warnings', '.'] },
  { name: 'imports', command: 'depcruise', args: ['{src,tests,scripts,bench}'] },
  { name: 'types', command: 'tsc', args: [] },
];

/** Runs a tool of node_modules with its output shown as it comes. @returns its exit code. */
function run(command: string, args: string[], out: 1 | 2, env = process.env): Promise<number> {
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

async function runVitest(projects: string[], out: 1 | 2) {
  const folder = mkdtempSync(join(tmpdir(), 'convoy-tests-'));
  const file = join(folder, 'report.json');
  const memory = folderInMemory();
  const env = memory === null ? process.env : { ...process.env, TMPDIR: memory };
  try {
    const selected = projects.flatMap((project) => ['--project', project]);
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

const { values, positionals: projects } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
if (projects.length === 0) throw new Error('Name the test projects to run, for instance: unit contract');

const started = performance.now();
const out = values.json ? 2 : 1;
const say = (line: string) => (values.json ? console.error(line) : console.log(line));

const checks: { name: string; ok: boolean; ms: number }[] = [];
for (const check of CHECKS) {
  say(`\n# ${check.name}`);
  const from = performance.now();
  const ok = (await run(check.command, check.args, out)) === 0;
  checks.push({ name: check.name, ok, ms: Math.round(performance.now() - from) });
}

const skips = JSON.parse(readFileSync(join(root, 'tests/platform-skips.json'), 'utf8')) as PlatformSkip[];
const { exitCode, report } = await runVitest(projects, out);
const platform = `${process.platform}-${process.arch}`;
const summary = summarise(report, exitCode, { projects, skips, platform });
for (const check of checks) if (!check.ok) summary.failures.push(`check: ${check.name}`);
summary.failed = summary.failures.length;

const problem = verdict(summary);
if (problem !== null) say(`\n${problem}`);
say(lastLine(summary));
if (values.json) {
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  process.stdout.write(`${JSON.stringify({ ...summary, checks, seconds })}\n`);
}
process.exitCode = problem === null ? 0 : 1;
