/** The end of a run: faults and work are over, and the devices come to rest by themselves. */

import { endPauses } from './agentSteps';
import type { Life, SimDevice } from './device';
import type { Simulation } from './simulation';

/** Virtual time in which a device with work to push has to be done with it, after its last failure. */
const PUSHED_MS = 10 * 60_000;
/** Virtual time in which all devices have to be in step: what one pushes comes to another one by its timer, within nine minutes (K8). */
const IN_STEP_MS = 2 * 60 * 60_000;

/** How far a process is. */
interface Watched {
  device: SimDevice;
  life: Life;
  /** What had happened on the network when its sync began. */
  began: number;
  /** What had happened when it last found nothing to do; -1 for never. */
  quiet: number;
}

/**
 * No more faults and no more work: every device is opened as an app opens it, and syncs by its own timers until all have found
 * nothing to do, within bounded time. The first requests fail.
 */
export async function comeToRest(simulation: Simulation): Promise<void> {
  const { network, devices, oracle, time } = simulation;
  network.planned.clear();
  const watched: Watched[] = [];
  for (const device of devices) {
    Object.assign(device, { stepsToDeath: -1, full: { after: 0, writes: 0 }, online: true });
    const processes = Math.max(1, device.lives.length);
    await device.close();
    simulation.expectSession(device);
    for (const fault of ['error 500', 'lose request', 'error 429'] as const) network.plan(device.name, fault);
    for (let n = 0; n < processes; n += 1) watched.push(watch(simulation, device, await device.open(true)));
  }
  await endPauses(simulation);
  // A device that is newer than the server waits for it.
  if (devices.some(({ isNext }) => isNext)) await simulation.migrateServer();
  // Requests still in flight arrive now, after their senders stopped waiting.
  while (network.late.length > 0) await network.arriveLate(0);

  const pushedBy = time.now + simulation.mostMs(PUSHED_MS);
  const inStepBy = time.now + simulation.mostMs(IN_STEP_MS);
  let isPushed = false;
  const expectPushed = () => {
    isPushed = true;
    for (const one of watched) {
      if (one.life.device.syncStatus.pending > 0)
        oracle.violate('K11', `${told(one)} does not push by itself`);
    }
  };
  for (;;) {
    await simulation.idle();
    if (watched.every(({ quiet }) => quiet === network.news)) return untilShown(simulation);
    for (const device of devices) simulation.expectSession(device);
    const [flight] = network.flights;
    if (flight) await network.advance(flight);
    else if (!time.passToNextTimer(inStepBy)) break;
    if (!isPushed && time.now >= pushedBy) expectPushed();
  }
  if (!isPushed) expectPushed();
  const late = watched.filter(({ quiet }) => quiet !== network.news);
  oracle.violate('P-CONVERGE', `not in step within bounded time: ${late.map(told).join('; ')}`);
}

/** Lists follow after a pause (P34). */
async function untilShown(simulation: Simulation): Promise<void> {
  const { time } = simulation;
  const until = time.now + 1_000;
  do await simulation.idle();
  while (time.passToNextTimer(until));
}

function watch({ network }: Simulation, device: SimDevice, life: Life): Watched {
  const one = { device, life, began: -1, quiet: -1 };
  life.device.observeSyncStatus().subscribe(({ kind, pending, error }) => {
    if (kind === 'syncing') {
      if (one.began < 0) one.began = network.news;
      return;
    }
    if (kind === 'idle' && pending === 0 && !error && one.began === network.news) one.quiet = network.news;
    one.began = -1;
  });
  return one;
}

function told({ device, life }: Watched): string {
  const { kind, pending, error } = life.device.syncStatus;
  return `${device.name} (${kind}, ${pending} pending, ${error?.code ?? 'no error'})`;
}
