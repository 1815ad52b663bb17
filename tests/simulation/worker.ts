/** A process that runs what it is sent, one program after another. Its clock and its timers are the simulation's. */

import { nextVersion } from './nextVersion';
import { changesSchema, makeProgram, type Program } from './program';
import { type Outcome, run } from './run';
import { SimServer } from './server';
import { shrink } from './shrink';

export type Order = { seed: number; shrink: boolean } | { program: Program; shrink: false };

export interface Done {
  outcome: Outcome;
  /** The shortest program that breaks the same rule, where it was requested. */
  shrunk: Program | null;
}

/** After so many runs the database is thrown away: it never cleans up behind itself. */
const RUNS_PER_SERVER = 150;

let server: Promise<SimServer> | null = null;
let runs = 0;

async function freshServer(): Promise<SimServer> {
  runs += 1;
  if (server && runs % RUNS_PER_SERVER === 0) {
    await (await server).close();
    server = null;
  }
  server ??= SimServer.start();
  return server;
}

async function obey(order: Order): Promise<Done> {
  const program = 'program' in order ? order.program : makeProgram(order.seed);
  const again = async (one: Program) => {
    if (!changesSchema(one)) return run(await freshServer(), one);
    await nextVersion();
    const own = await SimServer.start();
    return run(own, one).finally(() => own.close());
  };
  const outcome = await again(program);
  const [first] = outcome.violations;
  return { outcome, shrunk: first && order.shrink ? await shrink(program, first.rule, again) : null };
}

// Library warnings about requests that were meant to fail are dropped.
for (const name of ['log', 'info', 'warn', 'error'] as const) console[name] = () => {};

let last: Promise<unknown> = Promise.resolve();
process.on('message', (order: Order) => {
  last = last.then(async () => process.send?.(await obey(order)));
});
process.on('disconnect', () => process.exit());
