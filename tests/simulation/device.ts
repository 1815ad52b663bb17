/** A device of the simulation: a file, a clock of its own, and at most one living process on it. */

import { join } from 'node:path';
import { createConvoyClient } from '@/lib/supabase/client';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { type Device, openDevice } from '@/lib/watermelon/device';
import { migrations, schema } from '@/lib/watermelon/models';
import { openSqlite } from '@/platform/node/sqlite';
import type { Caller, Network } from './network';
import { emailOf, PASSWORD, SERVER_URL, type SimServer, type SimUser } from './server';
import { gated, readFile, type StoredRow, type WriteOperation } from './storage';
import type { VirtualTime } from './virtualTime';

/** One process of a device, from its start to its end. */
export interface Life extends Caller {
  isAlive: boolean;
  device: Device;
  end: () => void;
}

export interface DeviceWorld {
  folder: string;
  time: VirtualTime;
  server: SimServer;
  network: Network;
}

class NoWebSocket {}

export class SimDevice {
  life: Life | null = null;
  /** ms that this device's clock is ahead. */
  skew = 0;
  online = true;
  /** The process ends at this storage step from now; none planned when negative. */
  stepsToDeath = -1;
  /** Writes that find the disk full from now on. */
  fullFor = 0;
  /** Called with every write that got to the disk. */
  onWrite: (operations: readonly WriteOperation[]) => void = () => {};
  /** Storage faults that happened. */
  faults = 0;
  private readonly session = new Map<string, string>();

  constructor(
    private readonly world: DeviceWorld,
    readonly name: string,
    readonly user: SimUser,
    private readonly pageRows: number,
  ) {}

  get file(): string {
    return join(this.world.folder, `${this.name}.db`);
  }

  /** Signs in, over the network as it is when nothing goes wrong. */
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

  async open(autoSync = false): Promise<Life> {
    if (this.life?.isAlive) return this.life;
    const armed = this.stepsToDeath;
    this.stepsToDeath = -1;
    const opened = await openSqlite(this.world.folder, { name: this.name, schema, migrations });
    if (!opened.ok) throw new Error(opened.error.message);
    const file = opened.value;
    const life = { name: this.name, userId: this.user.id, isAlive: true } as Life;
    life.end = () => {
      if (!life.isAlive) return;
      life.isAlive = false;
      // Its file and its lock are let go of at once, as the operating system would.
      void file.close();
      this.world.network.abandon(life);
    };
    const adapter = gated(file, {
      step: () => this.step(life),
      isFull: () => {
        if (this.fullFor <= 0) return false;
        this.fullFor -= 1;
        this.faults += 1;
        return true;
      },
      wrote: (operations) => this.onWrite(operations),
    });
    const client = this.client(this.world.network.fetchOf(life));
    const device = await openDevice({
      adapter,
      userId: this.user.id,
      transport: new SupabaseTransport(client),
      remote: createRemoteContextService({ client }),
      isOnline: () => this.online,
      now: () => this.world.time.now + this.skew,
      pageRows: this.pageRows,
      autoSync,
    });
    if (!device.ok) throw new Error(device.error.message);
    life.device = device.value;
    this.life = life;
    this.stepsToDeath = armed;
    return life;
  }

  /** The process ends without a word. */
  kill(): void {
    this.stepsToDeath = -1;
    this.life?.end();
    this.life = null;
  }

  /** The process ends as it should. */
  async close(): Promise<void> {
    const { life } = this;
    if (life?.isAlive) await life.device.close();
    this.kill();
  }

  /** What is on this device's disk. */
  stored(): Map<string, StoredRow[]> {
    return readFile(this.file);
  }

  private step(life: Life): boolean {
    if (!life.isAlive) return false;
    if (this.stepsToDeath < 0) return true;
    this.stepsToDeath -= 1;
    if (this.stepsToDeath >= 0) return true;
    this.faults += 1;
    this.kill();
    return false;
  }

  private client(fetch: typeof globalThis.fetch) {
    return createConvoyClient(SERVER_URL, this.world.server.anonKey, {
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
