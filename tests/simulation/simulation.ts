/** One run: the world it happens in, and how each step happens. */

import { ConvoyError } from '@/core/errors';
import type { SyncResult } from '@/lib/watermelon/sync';
import { type DeviceWorld, type Life, SimDevice } from './device';
import { Network, type NetworkFault } from './network';
import { Hand, NothingToDo, OPERATIONS } from './operations';
import { type Operation, Oracle } from './oracle';
import type { Program, Step } from './program';
import { Random } from './random';
import { resolveSomething } from './resolving';
import type { SimServer } from './server';
import { serverStep } from './serverSteps';
import type { Stage } from './stage';
import { chooseUsers, layDown, type Workspace } from './team';
import { turn, type VirtualTime } from './virtualTime';
import { ProtocolWitness } from './witness';

/** Something a device is doing. */
interface Task {
  life: Life;
  done: boolean;
}

/** Turns of the event loop without any progress after which only a timer can bring some. */
const IDLE_TURNS = 60;
const MOST_TURNS = 20_000;

export class Simulation implements Stage {
  readonly oracle = new Oracle();
  readonly witness: ProtocolWitness;
  readonly network: Network;
  readonly devices: SimDevice[] = [];
  readonly workspaces: Workspace[] = [];
  /** Faults beside those of network and storage. */
  faults = 0;
  done = 0;
  private readonly syncs = new Map<Life, Task>();
  private readonly results = new Map<Life, SyncResult>();
  private readonly random: Random;
  private tokens = 0;

  constructor(
    readonly server: SimServer,
    readonly time: VirtualTime,
    private readonly folder: string,
    readonly program: Program,
  ) {
    this.random = new Random(program.seed + 7_919);
    this.witness = new ProtocolWitness(server, this.oracle);
    this.network = new Network(server, this.witness);
  }

  async begin(): Promise<void> {
    const { program, server, time, network, folder } = this;
    await server.startOver();
    for (let n = 0; n < program.workspaces; n += 1) {
      this.workspaces.push(await layDown(server, this.random, `Workspace ${n}`));
    }
    const world: DeviceWorld = { folder, time, server, network };
    for (const [n, user] of chooseUsers(this.random, program.devices).entries()) {
      const device = new SimDevice(world, `d${n}-${user.name}`, user, program.pageRows);
      this.devices.push(device);
      await device.signIn();
      await this.sync(device);
    }
  }

  device(step: Step): SimDevice {
    return this.devices[step.device % this.devices.length] as SimDevice;
  }

  /** Every fault that happened, of whatever kind. */
  get allFaults(): number {
    return this.faults + this.network.faults + this.devices.reduce((sum, { faults }) => sum + faults, 0);
  }

  async perform(step: Step): Promise<void> {
    this.time.pass(1 + (step.pick % 900));
    const device = this.device(step);
    const random = new Random(step.pick);
    trace('#', step.action, step.what ?? '', device.name);
    switch (step.action) {
      case 'work':
        return this.work(device, step.what ?? 'title', random);
      case 'sync':
        return this.sync(device);
      case 'begin sync':
        await this.beginSync(device);
        return;
      case 'advance': {
        const flight = this.network.flights[step.pick % Math.max(1, this.network.flights.length)];
        if (flight) await this.advance(flight);
        return;
      }
      case 'break connection': {
        const flight = this.network.flights[step.pick % Math.max(1, this.network.flights.length)];
        if (!flight) return;
        this.faults += 1;
        this.network.fail(flight);
        await this.untilParked(this.syncs.get(flight.from as Life));
        return;
      }
      case 'late arrival':
        if (this.network.late.length === 0) return;
        this.faults += 1;
        return this.network.arriveLate(step.pick % this.network.late.length);
      case 'network fault':
        return this.network.plan(device.name, step.what as NetworkFault);
      case 'kill':
        this.faults += 1;
        return device.kill();
      case 'die during':
        device.stepsToDeath = step.pick % 60;
        return;
      case 'restart':
        return device.close();
      case 'disk full':
        device.fullFor = 1 + (step.pick % 3);
        return;
      case 'offline':
        device.online = false;
        return;
      case 'online':
        device.online = true;
        return;
      case 'pass time':
        this.time.pass((step.pick % 90) * 60_000);
        return this.idle();
      case 'set clock':
        this.faults += 1;
        device.skew = random.pick([0, 1, -1]) * random.below(6 * 3_600_000);
        return;
      case 'resolve':
        return this.act(device, 'resolve', (life, operation) =>
          resolveSomething(this.hand(life, random, operation)),
        );
      default:
        this.faults += 1;
        return serverStep(this, step, random);
    }
  }

  /** The whole sync of a device, or the rest of one that has begun. */
  async sync(device: SimDevice): Promise<void> {
    const task = await this.beginSync(device);
    for (let moves = 0; !task.done && task.life.isAlive; moves += 1) {
      const [flight] = this.network.of(task.life);
      if (!flight) await this.untilParked(task);
      else await this.advance(flight);
      if (moves > 2_000) {
        this.oracle.violate('D5', `the sync of ${device.name} does not come to an end`);
        return device.kill();
      }
    }
  }

  /** Until nothing is on its way any more. */
  async idle(): Promise<void> {
    for (let turns = 0; turns < IDLE_TURNS; turns += 1) await turn();
  }

  /** @returns what the last sync of this life did, or nothing when it found nothing to do. */
  moved(life: Life): string {
    const {
      status = 'ok',
      pushed = 0,
      pulled = 0,
      conflicts = 0,
      rejected = 0,
    } = this.results.get(life) ?? {};
    if (status === 'ok' && pushed + pulled + conflicts + rejected === 0) return '';
    return `${status}, ${pushed} pushed, ${pulled} pulled, ${conflicts} conflicts, ${rejected} rejected`;
  }

  async alive(device: SimDevice): Promise<Life> {
    return device.life?.isAlive ? device.life : device.open();
  }

  private hand(life: Life, random: Random, operation: Operation): Hand {
    this.tokens += 1;
    return new Hand(life, random, operation, this.oracle, `w${this.tokens}q`);
  }

  private work(device: SimDevice, name: string, random: Random): Promise<void> {
    return this.act(device, name, async (life, operation) => {
      const [, work] = OPERATIONS[name] as (typeof OPERATIONS)[string];
      await work(this.hand(life, random, operation));
    });
  }

  /** Something a person does on a device. What fails as it may is no operation; what was written is promised. */
  private async act(
    device: SimDevice,
    name: string,
    work: (life: Life, operation: Operation) => Promise<void>,
  ): Promise<void> {
    const life = await this.alive(device);
    const operation = this.oracle.begin(device.name, name);
    device.onWrite = (written) => this.oracle.note(operation, written);
    const task = this.start(life, async () => {
      try {
        await work(life, operation);
        operation.acknowledged = true;
        trace('   ', JSON.stringify(operation));
        this.done += 1;
      } catch (thrown) {
        if (thrown instanceof NothingToDo || isExpected(thrown)) {
          trace('   ', String(thrown));
          operation.writes = [];
          return;
        }
        throw thrown;
      }
    });
    await this.untilParked(task);
    device.onWrite = () => {};
  }

  private async beginSync(device: SimDevice): Promise<Task> {
    const life = await this.alive(device);
    const running = this.syncs.get(life);
    if (running && !running.done) return running;
    const task = this.start(life, async () => {
      const result = await life.device.sync();
      this.results.set(life, result);
      if (result.error?.kind === 'unexpected' && device.faults === 0) {
        this.oracle.violate('D5', `the sync of ${device.name} failed: ${result.error.message}`);
      }
    });
    this.syncs.set(life, task);
    await this.untilParked(task);
    return task;
  }

  private start(life: Life, work: () => Promise<void>): Task {
    const task: Task = { life, done: false };
    void work().then(
      () => {
        task.done = true;
      },
      (thrown: unknown) => {
        task.done = true;
        if (!life.isAlive) return;
        const reason = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
        this.oracle.violate('unexpected', `${life.name}: ${reason}`);
      },
    );
    return task;
  }

  private async advance(flight: Network['flights'][number]): Promise<void> {
    trace(
      '   ',
      flight.from.name,
      flight.kind,
      flight.stage,
      flight.stage === 'sent'
        ? flight.body.replace(/.*changes/, '').slice(0, 900)
        : (flight.answer?.body ?? '').slice(0, 700),
    );
    await this.network.advance(flight);
    if (flight.stage !== 'answered') await this.untilParked(this.syncs.get(flight.from as Life));
  }

  /** Lets a device go on until it waits for the network, is done, or has died. */
  private async untilParked(task: Task | undefined): Promise<void> {
    if (!task) return this.idle();
    const isParked = () => task.done || !task.life.isAlive || this.network.of(task.life).length > 0;
    let idle = 0;
    for (let turns = 0; turns < MOST_TURNS; turns += 1) {
      await turn();
      if (isParked()) return;
      idle += 1;
      if (idle < IDLE_TURNS) continue;
      idle = 0;
      if (!this.time.passToNextTimer()) break;
    }
    this.oracle.violate('D5', `${task.life.name} waits for nothing`);
    task.life.end();
  }
}

/** Tells what happens, where a run is looked at closely. */
export function trace(...words: unknown[]): void {
  if (process.env.SIM_TRACE) console.log(...words);
}

const EXPECTED_KINDS = new Set([
  'validation',
  'rejected',
  'storage',
  'unavailable',
  'transport',
  'auth',
  'conflict',
]);

/** Refusals are values that a person is told; a full disk is one too. */
function isExpected(thrown: unknown): boolean {
  return thrown instanceof ConvoyError && EXPECTED_KINDS.has(thrown.detail.kind);
}
