/** Runs many seeds in several processes at once. */

import { type ChildProcess, spawn } from 'node:child_process';
import { builtScript } from '../support/builtScript';
import { ADDED_OPERATIONS, LARGE_OPERATIONS, NEXT_OPERATIONS, OPERATIONS } from './operations';
import { FAULT_KINDS, type Program } from './program';
import type { Outcome } from './run';
import { type Counts, type Kind, merged, ofKind } from './tally';
import type { Done, Order } from './worker';

export interface PoolOptions {
  /** The orders of a series run in one process, one after the other. */
  series: readonly (readonly Order[])[];
  workers?: number;
  /** No more of a series is begun after such an outcome. */
  stopAt?: (done: Done) => boolean;
  onDone?: (done: Done) => void;
}

export interface Report {
  seeds: number;
  /** Acknowledged work. */
  operations: number;
  faults: number;
  violations: number;
  seconds: number;
  coverage: Coverage;
}

/** What happened at all, and how often. */
export interface Coverage {
  work: Counts;
  faults: Counts;
  /** Storage steps, told apart by what they do to which tables: all, those where a process died, those with a full disk. */
  steps: number;
  deathsAt: number;
  fullAt: number;
}

/** @returns orders for so many seeds, with what they have in common */
export function seedsFrom(
  first: number,
  count: number,
  common: { mutant?: string; shrink: boolean },
): (Order & { seed: number })[] {
  return Array.from({ length: count }, (_, n) => ({ ...common, seed: first + n }));
}

/** A run takes about a second, shrinking one a minute or two; what takes longer will never end. Real time, ms. */
const MOST_MS = 600_000;

/** @returns the outcomes in order of arrival, and the sums. */
export async function runAll(options: PoolOptions): Promise<{ report: Report; done: Done[] }> {
  const { series, workers = 2, stopAt = () => false, onDone = () => {} } = options;
  const started = performance.now();
  const waiting = [...series];
  const done: Done[] = [];
  const script = await builtScript('tests/simulation/worker.ts');
  const work = async () => {
    let child: ChildProcess | null = null;
    for (let orders = waiting.shift(); orders; orders = waiting.shift()) {
      for (const order of orders) {
        child ??= start(script);
        const one = await ask(child, order);
        if (child.killed || child.exitCode !== null || child.signalCode !== null) child = null;
        done.push(one);
        onDone(one);
        if (stopAt(one)) break;
      }
    }
    child?.disconnect();
  };
  await Promise.all(Array.from({ length: Math.min(workers, series.length) }, work));
  const sum = (pick: (outcome: Outcome) => number) =>
    done.reduce((total, { outcome }) => total + pick(outcome), 0);
  const report = {
    seeds: done.length,
    operations: sum(({ operations }) => operations),
    faults: sum(({ faults }) => faults),
    violations: sum(({ violations }) => violations.length),
    seconds: Math.round((performance.now() - started) / 100) / 10,
    coverage: coverageOf(done.map(({ outcome }) => outcome.counts)),
  };
  return { report, done };
}

function coverageOf(all: readonly Counts[]): Coverage {
  const counts = merged(all);
  const distinct = (kind: Kind) => Object.keys(ofKind(counts, kind)).length;
  return {
    work: {
      ...none(
        [OPERATIONS, LARGE_OPERATIONS, NEXT_OPERATIONS, ADDED_OPERATIONS].flatMap((work) =>
          Object.keys(work),
        ),
      ),
      ...ofKind(counts, 'work'),
    },
    faults: { ...none(FAULT_KINDS), ...ofKind(counts, 'fault') },
    steps: distinct('step'),
    deathsAt: distinct('death'),
    fullAt: distinct('full'),
  };
}

const none = (kinds: readonly string[]): Counts => Object.fromEntries(kinds.map((kind) => [kind, 0]));

function start(script: string): ChildProcess {
  return spawn(process.execPath, [script], {
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/** A process that dies or never answers has broken a promise too. */
function ask(child: ChildProcess, order: Order): Promise<Done> {
  return new Promise((found) => {
    const seed = 'seed' in order ? order.seed : order.program.seed;
    const finish = (done: Done) => {
      clearTimeout(timer);
      child.off('exit', onExit);
      child.off('message', finish);
      found(done);
    };
    const broken = (what: string) =>
      finish({
        order,
        outcome: {
          seed,
          operations: 0,
          faults: 0,
          steps: 0,
          requests: 0,
          counts: {},
          violations: [{ rule: 'unexpected', what }],
        },
        shrunk: null,
      });
    const onExit = (code: number | null) => broken(`the process ended with ${code}`);
    const timer = setTimeout(() => {
      child.off('exit', onExit);
      child.kill('SIGKILL');
      broken('the run does not come to an end');
    }, MOST_MS);
    child.on('message', finish);
    child.on('exit', onExit);
    child.send(order);
  });
}

/** The facts that a person needs to look into a violation. */
export function describe({ outcome, shrunk }: Done): string {
  const lines = outcome.violations.slice(0, 5).map(({ rule, what }) => `  ${rule}: ${what}`);
  const steps = (program: Program) => program.steps.map((step) => `  ${JSON.stringify(step)}`).join('\n');
  return [
    `seed ${outcome.seed}, after ${outcome.steps} steps:`,
    ...lines,
    ...(shrunk
      ? [
          `the shortest list of steps that breaks the same rule (${shrunk.devices} devices, ${shrunk.workspaces} workspaces, pages of ${shrunk.pageRows}):`,
          steps(shrunk),
        ]
      : []),
  ].join('\n');
}
