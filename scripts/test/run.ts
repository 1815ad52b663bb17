/**
 * The one way to run checks and tests: `tsx scripts/test/run.ts <project>... [--json]`.
 *
 * Runs the checks (format and lint, import directions, types), then the named vitest projects. The
 * last line is `N passed, N failed, N skipped`; with `--json` standard output holds one JSON value
 * and everything else goes to standard error. Exits 1 on any failure, on a skip that
 * tests/platform-skips.json does not list, and when no test of a named project ran.
 */

import { readOptions } from '../support/options';
import { lastLine, summarise, verdict } from './report';
import { platform, readSkips, run, runVitest } from './tools';

const CHECKS = [
  { name: 'format and lint', command: 'biome', args: ['ci', '--error-on-warnings', '.'] },
  { name: 'imports', command: 'depcruise', args: ['{src,tests,scripts,bench}'] },
  { name: 'types', command: 'tsc', args: [] },
];

const { values, positionals: projects } = readOptions({
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

const selected = projects.flatMap((project) => ['--project', project]);
const { exitCode, report } = await runVitest(selected, out);
const summary = summarise(report, exitCode, { projects, skips: readSkips(), platform });
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
