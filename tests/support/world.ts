/** A server and devices: the real local stack, real supabase-js, real local databases. */

import { type ConvoyClient, createConvoyClient } from '@/lib/supabase/client';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { type Device, openDevice } from '@/lib/watermelon';
import { createPlatform } from '@/platform/node';
import { type DataSource, type LocalStack, startLocalStack } from '@/server';
import { FaultyTransport } from './faultyTransport';
import { openAdapter, temporaryFolder } from './localDatabase';

export interface TestDevice extends Device {
  transport: FaultyTransport;
  client: ConvoyClient;
  /** Without the network: every request fails. */
  online(is: boolean): void;
  /** Closes the device and opens its database again, as after a restart of the process. */
  restart(): Promise<TestDevice>;
}

export interface TestDeviceOptions {
  userId?: string;
  client: ConvoyClient;
  folder?: string;
  now?: () => number;
  /** Default false: tests sync when they say so. */
  autoSync?: boolean;
  pageRows?: number;
}

/** Everything that one test file opens, closed in the end. */
export class World {
  private readonly closing: (() => unknown)[] = [];

  private constructor(readonly stack: LocalStack) {}

  static async start(options: { data?: DataSource; demo?: boolean } = {}): Promise<World> {
    const started = await startLocalStack({
      data: options.data ?? { kind: 'memory' },
      demo: options.demo ?? true,
    });
    if (!started.ok) throw new Error(started.error.message);
    const world = new World(started.value);
    world.closing.push(() => started.value.close());
    return world;
  }

  async close(): Promise<void> {
    for (const close of this.closing.reverse()) await close();
  }

  /** @returns a client of nobody. */
  anonymous(): ConvoyClient {
    return createConvoyClient(this.stack.url, this.stack.anonKey, {
      persistSession: false,
      autoRefreshToken: false,
      webSocket: createPlatform({ folder: '/nonexistent' }).webSocket,
    });
  }

  /** Signs a demo account in, by its role. */
  async signIn(role: string): Promise<{ client: ConvoyClient; userId: string }> {
    const client = this.anonymous();
    const { data, error } = await client.auth.signInWithPassword({
      email: `${role}@convoy.example`,
      password: 'convoy-demo',
    });
    if (error) throw error;
    return { client, userId: data.user.id };
  }

  /** Signs a new user up. */
  async signUp(email: string): Promise<{ client: ConvoyClient; userId: string }> {
    const client = this.anonymous();
    const { data, error } = await client.auth.signUp({ email, password: 'correct horse battery' });
    if (error) throw error;
    if (!data.user) throw new Error('no user');
    return { client, userId: data.user.id };
  }

  /** A new device of a demo account (by role) or of a signed-in client. */
  async device(
    who: string | { client: ConvoyClient; userId: string },
    options: Partial<TestDeviceOptions> = {},
  ) {
    const { client, userId } = typeof who === 'string' ? await this.signIn(who) : who;
    return this.open({ ...options, client, userId });
  }

  private async open(options: TestDeviceOptions & { userId: string }): Promise<TestDevice> {
    const temporary = options.folder === undefined ? temporaryFolder() : null;
    const folder = options.folder ?? (temporary?.path as string);
    const transport = new FaultyTransport(new SupabaseTransport(options.client));
    let isOnline = true;
    const listeners = new Set<(online: boolean) => void>();
    const opened = await openDevice({
      adapter: await openAdapter(folder),
      userId: options.userId,
      transport,
      remote: createRemoteContextService({ client: options.client }),
      isOnline: () => isOnline,
      onConnectivity: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      autoSync: options.autoSync ?? false,
      now: options.now,
      pageRows: options.pageRows,
    });
    if (!opened.ok) throw new Error(opened.error.message);
    const device = opened.value;
    this.closing.push(async () => {
      await device.close();
      temporary?.remove();
    });
    return Object.assign(Object.create(device) as Device, {
      transport,
      client: options.client,
      online: (is: boolean) => {
        isOnline = is;
        for (const listener of listeners) listener(is);
      },
      restart: async () => {
        await device.close();
        return this.open({ ...options, folder });
      },
    });
  }
}

/** Syncs the devices in turn until none has anything left. */
export async function settle(...devices: Device[]): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    for (const device of devices) {
      const result = await device.sync();
      if (result.error) throw new Error(`${result.error.code}: ${result.error.message}`);
    }
  }
}
