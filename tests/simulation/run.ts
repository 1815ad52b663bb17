/** Runs one program from its beginning to the verdict. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkEverything } from './checks';
import type { Violation } from './oracle';
import type { Program } from './program';
import { Random } from './random';
import { comeToRest } from './rest';
import type { SimServer } from './server';
import { Simulation } from './simulation';
import type { Counts } from './tally';
import type { Versions } from './versions';
import { VirtualTime } from './virtualTime';

export interface Outcome {
  seed: number;
  operations: number;
  faults: number;
  violations: Violation[];
  /** Steps that were taken before the first violation. */
  steps: number;
  /** Requests that the devices made. */
  requests: number;
  /** Of everything, by kind. */
  counts: Counts;
}

const EPOCH = Date.UTC(2026, 0, 5, 8);
const HOUR = 3_600_000;

/** Where devices keep their files: in memory, where the machine offers that. */
const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
let runs = 0;

export async function run(server: SimServer, program: Program, versions: Versions): Promise<Outcome> {
  // Every run has days of its own: ids made from the clock must not meet those of the last one.
  runs = (runs + 1) % 3_000;
  const [bytes, fractions] = [new Random(program.seed + 104_729), new Random(program.seed + 1_299_709)];
  const time = new VirtualTime(EPOCH + runs * 48 * HOUR, bytes, fractions);
  const folder = mkdtempSync(join(SCRATCH, 'convoy-simulation-'));
  const putBack = time.install();
  const simulation = new Simulation(server, time, folder, program, versions);
  let steps = 0;
  try {
    await simulation.begin();
    for (const step of program.steps) {
      await simulation.perform(step);
      steps += 1;
      if (simulation.oracle.violations.length > 0) break;
    }
    if (simulation.oracle.violations.length === 0) await comeToRest(simulation);
    if (simulation.oracle.violations.length === 0) await checkEverything(simulation);
  } catch (thrown) {
    const reason = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    simulation.oracle.violate('unexpected', reason);
  } finally {
    for (const device of simulation.devices) device.kill();
    putBack();
    rmSync(folder, { recursive: true, force: true });
  }
  const { tally, oracle, witness } = simulation;
  const { requests } = witness;
  const { violations } = oracle;
  const [operations, faults] = [tally.sum('work'), tally.sum('fault')];
  return { seed: program.seed, operations, faults, violations, steps, requests, counts: tally.counts };
}
