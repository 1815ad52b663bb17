/** A process that runs what it is sent, one program after another. Its clock and its timers are the simulation's. */

import { NOTHING_PLANTED, type Planted, planted } from './planted';
import { changesSchema, makeProgram, type Program } from './program';
import { type Outcome, run } from './run';
import { SimServer } from './server';
import { shrink } from './shrink';
import { versionsWith } from './versions';

export type Order = ({ seed: number; shrink: boolean } | { program: Program; shrink: false }) & {
  /** The bug that is planted. */
  mutant?: string;
};

export interface Done {
  order: Order;
  outcome: Outcome;
  /** The shortest program that breaks the same rule, where it was requested. */
  shrunk: Program | null;
}

/** After so many runs the database is thrown away: it never cleans up behind itself. */
const RUNS_PER_SERVER = 150;

/** The server of the latest runs, and the SQL that was planted in it. */
let current: { server: SimServer; sql: string; runs: number } | null = null;

async function serverWith(sql: readonly string[]): Promise<SimServer> {
  const text = sql.join('\n');
  if (current && (current.sql !== text || current.runs >= RUNS_PER_SERVER)) {
    await current.server.close();
    current = null;
  }
  current ??= { server: await SimServer.start(sql), sql: text, runs: 0 };
  current.runs += 1;
  return current.server;
}

async function runProgram(program: Program, { code, sql }: Planted): Promise<Outcome> {
  const evolves = changesSchema(program);
  const versions = await versionsWith(code, evolves);
  // A large workspace leaves more behind than is worth clearing away.
  if (!evolves && !program.rows) return run(await serverWith(sql), program, versions);
  const own = await SimServer.start(sql);
  return run(own, program, versions).finally(() => own.close());
}

async function obey(order: Order): Promise<Done> {
  const program = 'program' in order ? order.program : makeProgram(order.seed);
  const bug = order.mutant === undefined ? NOTHING_PLANTED : planted(order.mutant);
  const again = (one: Program) => runProgram(one, bug);
  const outcome = await again(program);
  const [first] = outcome.violations;
  if (first && order.shrink) {
    // Of a large workspace this takes many minutes.
    const { seed } = outcome;
    process.stderr.write(
      `seed ${seed} breaks ${first.rule}: ${first.what}\nlooking for its shortest steps\n`,
    );
  }
  const shrunk = first && order.shrink ? await shrink(program, first.rule, again) : null;
  return { order, outcome, shrunk };
}

// Library warnings about requests that were meant to fail are dropped.
for (const name of ['log', 'info', 'warn', 'error'] as const) console[name] = () => {};

let last: Promise<unknown> = Promise.resolve();
process.on('message', (order: Order) => {
  last = last.then(async () => process.send?.(await obey(order)));
});
process.on('disconnect', () => process.exit());
