/** One run: the world it happens in, and how each step happens. */

import type { ConvoyError } from '@/core/errors';
import { NEXT_MIGRATION } from '../support/nextVersion';
import { type DeviceWorld, type Life, SimDevice } from './device';
import { Hand, NothingToDo } from './hand';
import { LINKS, type Link } from './links';
import { Network, type NetworkFault } from './network';
import { ADDED_OPERATIONS, LARGE_OPERATIONS, NEXT_OPERATIONS, OPERATIONS } from './operations';
import { type Operation, Oracle } from './oracle';
import type { Program, Step } from './program';
import { Random } from './random';
import { resolveSomething } from './resolving';
import type { SimServer } from './server';
import { serverStep } from './serverSteps';
import type { Stage } from './stage';
import type { WriteOperation } from './storage';
import { Tally } from './tally';
import { chooseUsers, layDown, type Workspace } from './team';
import type { Versions } from './versions';
import { turn, type VirtualTime } from './virtualTime';
import { ProtocolWitness } from './witness';

/** Something a device is doing. */
interface Task {
  life: Life;
  done: boolean;
}

/** Turns of the event loop without any progress after which only a timer can bring some. */
const IDLE_TURNS = 60;
/** A process that waits for a lock looks for it every 50 ms, and its owner may take half a minute. */
const MOST_TURNS = 200_000;
/** Of a row on its way, about. */
const BYTES_OF_ROW = 500;

export class Simulation implements Stage {
  readonly oracle = new Oracle();
  readonly witness: ProtocolWitness;
  readonly network: Network;
  readonly devices: SimDevice[] = [];
  readonly workspaces: Workspace[] = [];
  readonly tally = new Tally();
  private isMigrated = false;
  private readonly syncs = new Map<Life, Task>();
  private readonly random: Random;
  private tokens = 0;

  constructor(
    readonly server: SimServer,
    readonly time: VirtualTime,
    private readonly folder: string,
    readonly program: Program,
    private readonly versions: Versions,
  ) {
    this.random = new Random(program.seed + 7_919);
    this.witness = new ProtocolWitness(server, this.oracle);
    this.network = new Network(server, this.witness, this.tally);
  }

  async begin(): Promise<void> {
    const { program, server, time, network, folder, tally, versions } = this;
    await server.startOver(program.rows !== undefined);
    for (let n = 0; n < program.workspaces; n += 1) {
      const rows = n === 0 ? program.rows : 0;
      this.workspaces.push(await layDown(server, this.random, `Workspace ${n}`, rows));
    }
    if (program.rows) tally.add('fault', 'large workspace');
    const isLarge = program.rows !== undefined;
    const world: DeviceWorld = { isLarge, folder, versions, time, server, network, tally };
    for (const [n, user] of chooseUsers(this.random, program.devices).entries()) {
      const device = new SimDevice(world, `d${n}-${user.name}`, user, program.pageRows);
      this.devices.push(device);
      const [link] = (n === program.devices - 1 && LINKS[program.link ?? -1]) || [null];
      if (link) this.connect(device, link);
      await device.signIn();
      await this.sync(device);
    }
  }

  private connect(device: SimDevice, link: Link | null): void {
    this.tally.add('fault', 'link');
    if (link) this.network.links.set(device.name, link);
    else this.network.links.delete(device.name);
  }

  device(step: Step): SimDevice {
    return this.devices[step.device % this.devices.length] as SimDevice;
  }

  async perform(step: Step): Promise<void> {
    this.time.pass(1 + (step.pick % 900));
    const device = this.device(step);
    const random = new Random(step.pick);
    trace(() => ['#', step.action, step.what ?? '', device.name]);
    switch (step.action) {
      case 'work':
        return this.work(device, step, random);
      case 'sync':
        return this.sync(device, step.pick);
      case 'begin sync':
        await this.beginSync(device, step.pick);
        return;
      case 'advance': {
        const flight = this.network.flights[step.pick % Math.max(1, this.network.flights.length)];
        if (flight) await this.advance(flight);
        return;
      }
      case 'break connection': {
        const flight = this.network.flights[step.pick % Math.max(1, this.network.flights.length)];
        if (!flight) return;
        this.tally.add('fault', step.action);
        this.network.fail(flight);
        await this.untilParked(this.syncs.get(flight.from as Life));
        return;
      }
      case 'late arrival':
        if (this.network.late.length === 0) return;
        this.tally.add('fault', step.action);
        return this.network.arriveLate(step.pick % this.network.late.length);
      case 'network fault':
        return this.network.plan(device.name, step.what as NetworkFault);
      case 'kill':
        if (device.lives.length === 0) return;
        this.tally.add('fault', step.action);
        return device.kill(random.chance(0.5) ? random.pick(device.lives) : undefined);
      case 'second process':
        if (device.lives.length > 1) return;
        await device.alive();
        this.tally.add('fault', step.action);
        await device.open();
        return;
      case 'die during':
        device.stepsToDeath = step.pick % 60;
        return;
      case 'restart':
        this.tally.add('fault', step.action);
        return device.close();
      case 'upgrade':
        if (device.isNext) return;
        this.tally.add('fault', step.action);
        await device.close();
        device.version = this.versions.next;
        return;
      case 'migrate server':
        return this.migrateServer();
      case 'disk full':
        device.full = { after: random.below(15), writes: 1 + random.below(3) };
        return;
      case 'link':
        return this.connect(device, random.weighted(LINKS));
      case 'offline':
        this.tally.add('fault', step.action);
        device.online = false;
        return;
      case 'online':
        device.online = true;
        return;
      case 'pass time':
        this.tally.add('fault', step.action);
        this.time.pass((step.pick % 90) * 60_000);
        return this.idle();
      case 'set clock':
        this.tally.add('fault', step.action);
        device.skew = random.pick([0, 1, -1]) * random.below(6 * 3_600_000);
        return;
      case 'resolve':
        return this.act(device, step, (life, operation) =>
          resolveSomething(this.hand(life, random, operation)),
        );
      default:
        if (await serverStep(this, step, random)) this.tally.add('fault', step.action);
        return;
    }
  }

  /** Once; devices of either version are served afterwards. */
  async migrateServer(): Promise<void> {
    if (this.isMigrated) return;
    this.isMigrated = true;
    this.tally.add('fault', 'migrate server');
    await this.server.script(NEXT_MIGRATION);
  }

  /** A whole sync of a device, or the rest of one that has begun. A sync of another process on its database goes first. */
  async sync(device: SimDevice, pick = 0): Promise<void> {
    const task = await this.beginSync(device, pick);
    for (let moves = 0; !task.done && task.life.isAlive; moves += 1) {
      const [flight] = [...this.network.of(task.life), ...this.network.ofAny(device.lives)];
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

  /** @returns how long something may take at most that takes so long where bytes take no time, ms */
  mostMs(ms: number): number {
    if (this.network.links.size === 0) return ms;
    const slowest = Math.min(...[...this.network.links.values()].flatMap(({ up, down }) => [up, down]));
    // What breaks off is carried more than once.
    const bytes = 5 * BYTES_OF_ROW * (1_000 + (this.program.rows ?? 0));
    return ms + (bytes / slowest) * 1_000;
  }

  private hand(life: Life, random: Random, operation: Operation): Hand {
    this.tokens += 1;
    const isAlone = () => {
      const device = this.devices.find(({ lives }) => lives.includes(life));
      return device?.lives.length === 1 && this.syncs.get(life)?.done !== false;
    };
    return new Hand(life, random, operation, this.oracle, `w${this.tokens}q`, isAlone);
  }

  private work(device: SimDevice, step: Step, random: Random): Promise<void> {
    return this.act(device, step, async (life, operation) => {
      const { name } = operation;
      const known = OPERATIONS[name]?.[1] ?? LARGE_OPERATIONS[name] ?? ADDED_OPERATIONS[name];
      const work = known ?? (device.isNext ? NEXT_OPERATIONS[operation.name] : undefined);
      if (!work) throw new NothingToDo();
      await work(this.hand(life, random, operation));
    });
  }

  /** An action of a person on a device. An expected failure is no operation; a successful write is a promise. */
  private async act(
    device: SimDevice,
    { pick, action, what = action }: Step,
    work: (life: Life, operation: Operation) => Promise<void>,
  ): Promise<void> {
    const life = await device.alive(pick);
    const operation = this.oracle.begin(device.name, what);
    let isWritten = false;
    const note = (written: readonly WriteOperation[]) => {
      isWritten = true;
      this.oracle.note(operation, written);
    };
    device.onWrite = note;
    const task = this.start(life, async () => {
      try {
        await work(life, operation);
        operation.acknowledged = true;
        trace(() => ['   ', JSON.stringify(operation)]);
        this.tally.add('work', what);
      } catch (thrown) {
        if (thrown instanceof NothingToDo || isExpected(thrown)) {
          trace(() => ['   ', String(thrown)]);
          // A process that dies after its write has overwritten the old values, though the write was not acknowledged.
          if (!isWritten) operation.writes = [];
          return;
        }
        throw thrown;
      } finally {
        if (device.onWrite === note) device.onWrite = () => {};
      }
    });
    // A sync of the same device may be waiting for the network all the while.
    await this.untilParked(task, () => this.network.of(life).some(({ kind }) => kind === 'other'));
  }

  private async beginSync(device: SimDevice, pick: number): Promise<Task> {
    const life = await device.alive(pick);
    const running = this.syncs.get(life);
    if (running && !running.done) return running;
    this.expectSession(device);
    const task = this.start(life, async () => {
      const result = await life.device.sync();
      if (result.error?.kind === 'unexpected' && !device.wasHurt) {
        this.oracle.violate('D5', `the sync of ${device.name} failed: ${result.error.message}`);
      }
    });
    this.syncs.set(life, task);
    await this.untilParked(task, () => this.network.ofAny(device.lives).length > 0);
    return task;
  }

  /** No fault is a refusal of its token by the server, so nobody has to sign in again. */
  expectSession(device: SimDevice): void {
    if (!device.isSignedIn) this.oracle.violate('K20', `the session of ${device.name} has ended`);
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
    trace(() => [
      '   ',
      flight.from.name,
      flight.kind,
      flight.stage,
      flight.stage === 'sent'
        ? flight.body.replace(/.*changes/, '').slice(0, 900)
        : (flight.answer?.body ?? '').slice(0, 700),
    ]);
    await this.network.advance(flight);
    if (flight.stage === 'answered') return;
    const life = flight.from as Life;
    const lives = this.devices.find((device) => device.lives.includes(life))?.lives ?? [];
    await this.untilParked(this.syncs.get(life), undefined, () => this.network.ofAny(lives).length > 0);
  }

  /**
   * Lets a device go on until it waits for the network, is done, or has died.
   * @param isBehind whether it may have to wait for another process of its device, which waits for the network
   */
  private async untilParked(
    task: Task | undefined,
    waits = () => task !== undefined && this.network.of(task.life).length > 0,
    isBehind = () => false,
  ): Promise<void> {
    if (!task) return this.idle();
    const isParked = () => task.done || !task.life.isAlive || waits();
    let idle = 0;
    for (let turns = 0; turns < MOST_TURNS; turns += 1) {
      await turn();
      if (isParked()) return;
      idle += 1;
      if (idle < IDLE_TURNS) continue;
      idle = 0;
      if (isBehind()) return;
      if (!this.time.passToNextTimer()) break;
    }
    this.oracle.violate('D5', `${task.life.name} waits for nothing`);
    task.life.end();
  }
}

/** Describes each step, for a run that a person examines. */
const isTraced = process.env.SIM_TRACE !== undefined;
function trace(words: () => unknown[]): void {
  if (isTraced) process.stderr.write(`${words().join(' ')}\n`);
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

/** Refusals are values shown to a person; so is a full disk. */
function isExpected(thrown: unknown): boolean {
  // By name: each version has a class of its own.
  return (
    thrown instanceof Error &&
    thrown.name === 'ConvoyError' &&
    EXPECTED_KINDS.has((thrown as ConvoyError).detail.kind)
  );
}
