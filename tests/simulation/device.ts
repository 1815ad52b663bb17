/** A device of the simulation: a file, a clock of its own, and the processes that have the file open. */

import { join } from 'node:path';
import type { Device } from '@/lib/watermelon/device/device';
import { Lists } from './lists';
import type { Caller, Network } from './network';
import { emailOf, PASSWORD, SERVER_URL, type SimServer, type SimUser } from './server';
import { gated, readFile, type StoredRow, type WriteOperation } from './storage';
import type { Tally } from './tally';
import type { Version, Versions } from './versions';
import { turn, type VirtualTime } from './virtualTime';

/** One process of a device, from its start to its end. */
export interface Life extends Caller {
  isAlive: boolean;
  isClosing: boolean;
  wasFull: boolean;
  device: Device;
  lists: Lists;
  end: () => void;
}

export interface DeviceWorld {
  /** There are tens of thousands of rows. */
  isLarge: boolean;
  tally: Tally;
  folder: string;
  versions: Versions;
  time: VirtualTime;
  server: SimServer;
  network: Network;
}

class NoWebSocket {}

/** So many turns without an end, and time passes. */
const TURNS_TO_TIMER = 50;

export class SimDevice {
  /** Of the code that it runs. */
  version: Version;
  /** The processes that are alive, the oldest first. */
  readonly lives: Life[] = [];
  /** ms that this device's clock is ahead. */
  skew = 0;
  online = true;
  /** The process ends at this storage step from now; none planned when negative. */
  stepsToDeath = -1;
  /** After so many more writes, so many find the disk full. */
  full = { after: 0, writes: 0 };
  /** Called with every write that got to the disk. */
  onWrite: (operations: readonly WriteOperation[]) => void = () => {};
  /** Whether its storage has failed it. */
  wasHurt = false;
  private readonly session = new Map<string, string>();

  constructor(
    private readonly world: DeviceWorld,
    readonly name: string,
    readonly user: SimUser,
    private readonly pageRows: number,
  ) {
    this.version = world.versions.current;
  }

  get file(): string {
    return join(this.world.folder, `${this.name}.db`);
  }

  /** Whether this device believes that it has a session. */
  get isSignedIn(): boolean {
    return this.session.size > 0;
  }

  /** Signs in, over a network without faults. */
  async signIn(): Promise<void> {
    const client = this.client((input, init) =>
      this.world.server.fetch(new Request(input as RequestInfo, { ...init, signal: undefined })),
    );
    const { error } = await client.auth.signInWithPassword({
      email: emailOf(this.user),
      password: PASSWORD,
    });
    if (error) throw error;
  }

  /** @returns one of its processes. Starts one where there is none. */
  async alive(pick = 0): Promise<Life> {
    return this.lives[pick % Math.max(1, this.lives.length)] ?? this.open();
  }

  /** Starts a process more. */
  async open(autoSync = false): Promise<Life> {
    const armed = this.stepsToDeath;
    this.stepsToDeath = -1;
    const { folder, network, time } = this.world;
    const { version } = this;
    const { openSqlite, schema, migrations } = version;
    const opened = await openSqlite(folder, { name: this.name, schema, migrations });
    if (!opened.ok) throw new Error(opened.error.message);
    const file = opened.value;
    const life = { name: this.name, userId: this.user.id, isAlive: true, isClosing: false } as Life;
    const death = new AbortController();
    const dead = new Promise<never>((_, reject) => {
      death.signal.addEventListener('abort', () => reject(death.signal.reason));
    });
    dead.catch(() => {});
    life.end = () => {
      if (!life.isAlive) return;
      life.isAlive = false;
      this.lives.splice(this.lives.indexOf(life) >>> 0, 1);
      // Its file and its locks are let go of at once, as the operating system would.
      void file.close();
      death.abort();
      network.abandon(life);
    };
    const adapter = gated(file, version, {
      step: (where) => this.step(life, where),
      isFull: (where) => this.isFull(where),
      wrote: (operations) => this.onWrite(operations),
    });
    const fetch = network.fetchOf(life);
    const client = this.client((input, init) =>
      this.online ? fetch(input, init) : Promise.reject(new TypeError('fetch failed')),
    );
    const device = await version.openDevice({
      adapter,
      userId: this.user.id,
      transport: new version.SupabaseTransport(client),
      remote: version.createRemoteContextService({ client }),
      isOnline: () => this.online,
      now: () => Math.floor(time.now) + this.skew,
      exclusively: (work, signal) =>
        version.exclusively(
          folder,
          `${this.name}-sync`,
          () => Promise.race([work(), dead]),
          AbortSignal.any([signal, death.signal]),
        ),
      pageRows: this.pageRows,
      autoSync,
    });
    if (!device.ok) {
      life.end();
      // A person frees space and starts the device again.
      if (device.error.code === 'quota') return this.open(autoSync);
      throw new Error(device.error.message);
    }
    life.device = device.value;
    life.lists = new Lists(version, device.value, this.world.isLarge);
    this.lives.push(life);
    this.stepsToDeath = armed;
    return life;
  }

  get isNext(): boolean {
    return this.version !== this.world.versions.current;
  }

  /** Processes end without a word: all, or this one. */
  kill(life?: Life): void {
    this.stepsToDeath = -1;
    for (const one of life ? [life] : [...this.lives]) one.end();
  }

  /** All processes end as they should. */
  async close(): Promise<void> {
    for (const life of [...this.lives]) {
      life.isClosing = true;
      await this.closed(life);
      life.end();
    }
    this.kill();
  }

  /** A process may wait for a timer before it ends: WatermelonDB begins each queued write by one, and locks are asked for again. */
  private async closed(life: Life): Promise<void> {
    let isOver = false;
    const closing = life.device.close().finally(() => {
      isOver = true;
    });
    for (let turns = 1; !isOver; turns += 1) {
      await turn();
      if (turns % TURNS_TO_TIMER === 0) this.world.time.passToNextTimer();
    }
    await closing;
  }

  /** The contents of this device's disk. */
  stored(): Map<string, StoredRow[]> {
    return readFile(this.file);
  }

  private step(life: Life, where: string): boolean {
    if (!life.isAlive) return false;
    this.world.tally.add('step', where);
    if (this.stepsToDeath < 0) return true;
    this.stepsToDeath -= 1;
    if (this.stepsToDeath >= 0) return true;
    this.wasHurt = true;
    this.world.tally.add('fault', 'death at a storage step');
    this.world.tally.add('death', where);
    this.kill(life);
    return false;
  }

  private isFull(where: string): boolean {
    if (this.full.writes <= 0) return false;
    this.full.after -= 1;
    if (this.full.after >= 0) return false;
    this.full.writes -= 1;
    this.wasHurt = true;
    for (const life of this.lives) life.wasFull = true;
    this.world.tally.add('fault', 'disk full');
    this.world.tally.add('full', where);
    return true;
  }

  private client(fetch: typeof globalThis.fetch) {
    return this.version.createConvoyClient(SERVER_URL, this.world.server.anonKey, {
      fetch,
      storage: {
        getItem: (key) => this.session.get(key) ?? null,
        setItem: (key, value) => void this.session.set(key, value),
        removeItem: (key) => void this.session.delete(key),
      },
      autoRefreshToken: false,
      webSocket: NoWebSocket,
    });
  }
}
