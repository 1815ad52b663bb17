/** A server and devices: the real local stack, real supabase-js, real local databases. */

import { fail } from '@/core/result';
import type { MemberKind } from '@/domain/vocabulary';
import type { ConvoyClient } from '@/lib/supabase/client';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { SupabaseInvitations } from '@/lib/supabase/invitations';
import { type PokeOptions, SupabasePokes } from '@/lib/supabase/pokes';
import { SupabaseTransport, type TransportOptions } from '@/lib/supabase/transport';
import { type Device, type DeviceOptions, openDevice, type SyncStatus } from '@/lib/watermelon';
import type { DataSource, LocalStack, LocalStackOptions } from '@/server';
import { type DemoStack, startDemoStack } from './demoStack';
import { FaultyTransport, OFFLINE } from './faultyTransport';
import { openAdapter, temporaryFolder } from './localDatabase';

export interface TestDevice extends Device {
  transport: FaultyTransport;
  client: ConvoyClient;
  /** Without the network: every request fails. */
  online(is: boolean): void;
  /** Closes the device and opens its database again, as after a restart of the process. */
  restart(options?: Partial<TestDeviceOptions>): Promise<TestDevice>;
}

export type { SyncStatus };

/** A client that is signed in. */
export interface SignedIn {
  client: ConvoyClient;
  userId: string;
}

export interface TestDeviceOptions {
  /** Of the user. Default: `human`. */
  kind?: MemberKind;
  userId?: string;
  client: ConvoyClient;
  folder?: string;
  /** Name of the database in the folder. */
  database?: string;
  now?: () => number;
  /** Default false: tests sync when they say so. */
  autoSync?: boolean;
  /** Whether the device listens for pokes, and how. Default false. */
  pokes?: boolean | PokeOptions;
  timing?: DeviceOptions['timing'];
  pageRows?: number;
  transferMs?: number;
  groupBounds?: DeviceOptions['groupBounds'];
  /** Of the requests of syncs. */
  patience?: TransportOptions;
  /** Keeps devices on one folder from syncing at once. */
  exclusively?: DeviceOptions['exclusively'];
  /** Claims that agents of one machine share. */
  claims?: DeviceOptions['claims'];
}

/** Everything that one test file opens, closed in the end. */
export class World {
  private readonly closing: (() => unknown)[] = [];

  private constructor(private readonly demo: DemoStack) {}

  get stack(): LocalStack {
    return this.demo.stack;
  }

  /** @param data where the server keeps its data; in memory by default */
  static async start(data?: DataSource, options: Partial<LocalStackOptions> = {}): Promise<World> {
    const world = new World(await startDemoStack(data, options));
    world.closing.push(() => world.stack.close());
    return world;
  }

  async close(): Promise<void> {
    for (const close of this.closing.reverse()) await close();
  }

  /** Signs in a demo account by its role, or signs a new one up. @param url of a proxy in front of the stack */
  signIn(account: string, url?: string): Promise<SignedIn> {
    return this.demo.signIn(account, url);
  }

  /** A new device of an account, or of a client that is signed in. */
  async device(who: string | SignedIn, options: Partial<TestDeviceOptions> = {}): Promise<TestDevice> {
    const { client, userId } = typeof who === 'string' ? await this.signIn(who) : who;
    return this.open({ ...options, client, userId });
  }

  private async open(options: TestDeviceOptions & { userId: string }): Promise<TestDevice> {
    const temporary = options.folder === undefined ? temporaryFolder() : null;
    const folder = options.folder ?? (temporary?.path as string);
    const transport = new FaultyTransport(new SupabaseTransport(options.client, options.patience));
    let isOnline = true;
    const invitations = new SupabaseInvitations(options.client);
    const accept = invitations.accept.bind(invitations);
    invitations.accept = async (...args) => (isOnline ? accept(...args) : fail(OFFLINE));
    const listeners = new Set<(online: boolean) => void>();
    const opened = await openDevice({
      adapter: await openAdapter(folder, options.database),
      userId: options.userId,
      transport,
      remote: createRemoteContextService({ client: options.client }),
      kind: options.kind,
      invitations,
      isOnline: () => isOnline,
      onConnectivity: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      autoSync: options.autoSync ?? false,
      pokes: options.pokes
        ? new SupabasePokes(options.client, options.userId, {
            firstRetryMs: 200,
            mostRetryMs: 1_000,
            ...(options.pokes !== true && options.pokes),
          })
        : null,
      timing: options.timing,
      now: options.now,
      pageRows: options.pageRows,
      transferMs: options.transferMs,
      groupBounds: options.groupBounds,
      exclusively: options.exclusively,
      claims: options.claims,
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
        transport.setOffline(!is);
        for (const listener of listeners) listener(is);
      },
      restart: async (changed = {}) => {
        await device.close();
        return this.open({ ...options, folder, ...changed });
      },
    });
  }
}

/**
 * Syncs the devices in turn until none has anything left: each has synced since the last one that sent something.
 * What is left after three rounds each is left.
 */
export async function settle(...devices: Device[]): Promise<void> {
  let inStep = 0;
  for (let turn = 0; turn < 3 * devices.length && inStep < devices.length; turn += 1) {
    const { error, pushed, conflicts, rejected } = await (devices[turn % devices.length] as Device).sync();
    if (error) throw new Error(`${error.code}: ${error.message}`);
    // What was in conflict, or refused, may be sent again.
    if (conflicts + rejected > 0) inStep = 0;
    else if (pushed > 0) inStep = 1;
    else inStep += 1;
  }
}

/** @returns what runs work one after the other, as the lock of devices on one database does */
export function inTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
}
