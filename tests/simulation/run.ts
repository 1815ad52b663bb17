/** Runs one program from its beginning to the verdict. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkEverything } from './checks';
import type { SimDevice } from './device';
import type { Violation } from './oracle';
import type { Program } from './program';
import { Random } from './random';
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
/** Rounds of all devices until nothing is left to do. */
const MOST_ROUNDS = 12;

/** Where devices keep their files: in memory, where the machine offers that. */
const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
let runs = 0;

export async function run(server: SimServer, program: Program, versions: Versions): Promise<Outcome> {
  // Every run has days of its own: ids made from the clock must not meet those of the last one.
  runs = (runs + 1) % 3_000;
  const time = new VirtualTime(EPOCH + runs * 48 * HOUR, new Random(program.seed + 104_729));
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

/** No more faults and no more work: every device syncs until all are quiet. */
async function comeToRest(simulation: Simulation): Promise<void> {
  const { network, devices, oracle, time } = simulation;
  network.planned.clear();
  for (const device of devices) {
    Object.assign(device, { stepsToDeath: -1, full: { after: 0, writes: 0 }, online: true });
    await simulation.sync(device);
  }
  // A device that is newer than the server waits for it.
  if (devices.some(({ isNext }) => isNext)) await simulation.migrateServer();
  // Requests still in flight arrive now, after their senders stopped waiting.
  while (network.late.length > 0) await network.arriveLate(0);
  if (simulation.program.automatic) await restByThemselves(simulation);
  // Quiet is when every device, one after the other, found nothing to do.
  const busy = new Map<SimDevice, string>(devices.map((device) => [device, 'has not synced']));
  for (let turn = 0; turn < MOST_ROUNDS * devices.length; turn += 1) {
    const device = devices[turn % devices.length] as SimDevice;
    // Longer than supabase-js rests after a token that it could not refresh.
    time.pass(20_000);
    const life = await device.alive(turn);
    const before = simulation.witness.requests;
    await simulation.sync(device, turn);
    const { pending, error } = life.device.syncStatus;
    const moved = simulation.moved(life);
    if (pending === 0 && !error && !moved) {
      busy.delete(device);
      if (busy.size === 0) return;
      continue;
    }
    const requests = simulation.witness.requests - before;
    const what = `${pending} pending, ${error?.code ?? 'no error'}: ${error?.message ?? moved}, ${requests} requests`;
    for (const other of devices) if (!busy.has(other)) busy.set(other, 'synced before');
    busy.set(device, what);
  }
  const reasons = [...busy].map(([{ name }, what]) => `${name} (${what})`);
  oracle.violate('P-CONVERGE', `not quiet after ${MOST_ROUNDS} rounds: ${reasons.join(', ')}`);
}

/** Virtual time in which a device with work to push has to be done with it, after its last failure. */
const REST_MS = 10 * 60_000;

/** The devices sync on their own timers, some requests fail at first, and within bounded time all is pushed. */
async function restByThemselves(simulation: Simulation): Promise<void> {
  const { network, devices, oracle, time } = simulation;
  network.mayEndSessions = false;
  for (const device of devices) {
    await device.close();
    for (const fault of ['error 500', 'lose request', 'error 429'] as const) network.plan(device.name, fault);
    await device.open(true);
  }
  const until = time.now + REST_MS;
  for (;;) {
    await simulation.idle();
    const [flight] = network.flights;
    if (flight) await network.advance(flight);
    else if (!time.passToNextTimer(until)) break;
  }
  for (const device of devices) {
    const { pending = 0, kind, error } = device.lives[0]?.device.syncStatus ?? {};
    if (pending > 0 || kind !== 'idle') {
      oracle.violate(
        'K11',
        `${device.name} does not come to rest by itself: ${kind}, ${pending} pending, ${error?.code}`,
      );
    }
    device.kill();
  }
  network.planned.clear();
}
