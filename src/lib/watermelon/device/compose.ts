/** How a device is opened when the application says nothing: by the platform it runs on. */

import { createPlatform } from '#platform';
import { ConvoyError } from '@/core/errors';
import { type ConvoyClient, createConvoyClient } from '@/lib/supabase/client';
import {
  createRemoteContextService,
  useSupabaseClient as setRemoteClient,
} from '@/lib/supabase/contextService';
import { SupabasePokes } from '@/lib/supabase/pokes';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { databaseName, LOCAL_USER } from '../accounts/databases';
import { findLocalWork, resumeTaking, takeLocalWork } from '../accounts/localWork';
import { writeReferenceData } from '../accounts/referenceData';
import { SESSION_KEY } from '../accounts/sessionKey';
import type { LocalWork } from '../accounts/takeAlong';
import { LOCAL_DATABASE } from '../models';
import { type Device, openDevice } from './device';
import { leaveAccount, type SignOutOptions, type SignOutResult } from './signOut';

export { findLocalWork, SESSION_KEY, takeLocalWork };

export type WatermelonPlatform = ReturnType<typeof createPlatform>;

/** How long the server may take to hear of a sign-out, in ms; the device forgets the session anyway. */
const SIGN_OUT_MS = 3_000;

/** How long other tabs may take to let go of a database that is to be removed, in ms. */
const LET_GO_MS = 10_000;

/** @returns the client of the backend this platform is set up for, or null: there is none. */
export async function connect(platform: WatermelonPlatform): Promise<ConvoyClient | null> {
  const backend = await platform.backend();
  if (!backend) return null;
  return createConvoyClient(backend.url, backend.anonKey, {
    storage: platform.sessionStorage(),
    storageKey: SESSION_KEY,
    webSocket: platform.webSocket,
  });
}

/** Opens the replica of the user who is signed in; of nobody, when nobody is. */
export async function openDefaultDevice(): Promise<Device> {
  const platform = createPlatform();
  const client = await connect(platform);
  const { data } = client ? await client.auth.getSession() : { data: { session: null } };
  return openUserDevice(platform, client, data.session?.user.id ?? null);
}

/**
 * Opens the replica of one user; without a user, the database of this device alone. Each user of a
 * device has a database of their own. Rejects with a `ConvoyError` (storage).
 */
export async function openUserDevice(
  platform: WatermelonPlatform,
  client: ConvoyClient | null,
  userId: string | null,
): Promise<Device> {
  const resumed = await resumeTaking(platform, userId === null);
  // A user's own database can be had all the same; work that is on its way elsewhere may not be gone on with.
  if (!resumed.ok && userId === null) throw new ConvoyError(resumed.error);
  const name = databaseName(userId ?? LOCAL_USER);
  const adapter = await platform.openAdapter({ name, ...LOCAL_DATABASE });
  if (!adapter.ok) throw new ConvoyError(adapter.error);
  const signedIn = userId === null ? null : client;
  if (signedIn) setRemoteClient(signedIn);
  const device = await openDevice({
    adapter: adapter.value,
    userId: userId ?? LOCAL_USER,
    transport: signedIn && new SupabaseTransport(signedIn),
    remote: signedIn && createRemoteContextService({ client: signedIn }),
    isOnline: () => platform.isOnline(),
    onConnectivity: (listener) => platform.onConnectivity(listener),
    onVisible: platform.onVisible,
    pokes: signedIn && userId !== null ? new SupabasePokes(signedIn, userId) : null,
    exclusively: (work, signal) => platform.exclusively(`sync-${name}`, work, signal),
  });
  if (!device.ok) throw new ConvoyError(device.error);
  if (userId === null) await writeReferenceData(device.value.database);
  return device.value;
}

/**
 * @returns what is on this device alone, of a user whose database cannot be opened; null where this platform
 * cannot tell. Rejects with a `ConvoyError` (storage).
 */
export async function exportUnopened(platform: WatermelonPlatform, userId: string | null): Promise<unknown> {
  const name = databaseName(userId ?? LOCAL_USER);
  const read = await platform.readUnsynced?.(name, LOCAL_DATABASE.salvage);
  if (read?.ok === false) throw new ConvoyError(read.error);
  return read?.value ?? null;
}

/** @returns that database as a file; null where this platform has none. Rejects with a `ConvoyError` (storage). */
export async function exportUnopenedFile(
  platform: WatermelonPlatform,
  userId: string | null,
): Promise<Uint8Array | null> {
  const owner = userId ?? LOCAL_USER;
  const read = await platform.readFile?.(databaseName(owner), owner);
  if (read?.ok === false) throw new ConvoyError(read.error);
  return read?.value ?? null;
}

/** Leaves the account of an open device; see `SignOutOptions` for what is not on the server. */
export function signOutOf(
  open: {
    platform: WatermelonPlatform;
    client: ConvoyClient | null;
    device: Device;
    close: () => Promise<void>;
    /** The session is no longer here: other tabs may be told to let go of the database. */
    onForgotten?: () => void;
  },
  options: SignOutOptions,
): Promise<SignOutResult> {
  const { platform, client, device, close, onForgotten } = open;
  const steps = {
    device,
    close,
    forgetSession: async () => {
      await forgetSession(platform, client);
      onForgotten?.();
    },
    removeDatabase: () => platform.removeDatabase(databaseName(device.userId), LET_GO_MS),
  };
  return leaveAccount(steps, options);
}

/** Forgets the session on this device, and on the server when it can be reached. */
export async function forgetSession(
  platform: WatermelonPlatform,
  client: ConvoyClient | null,
): Promise<void> {
  if (client) await tellServer(client);
  await platform.sessionStorage().removeItem(SESSION_KEY);
}

async function tellServer(client: ConvoyClient): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const longEnough = new Promise((resolve) => {
    timer = setTimeout(resolve, SIGN_OUT_MS);
  });
  await Promise.race([client.auth.signOut({ scope: 'local' }).catch(() => undefined), longEnough]);
  clearTimeout(timer);
}

/** The same for the device of this process, on its own platform. */
export async function signOutByDefault(
  device: Device,
  close: () => Promise<void>,
  options: SignOutOptions,
): Promise<SignOutResult> {
  const platform = createPlatform();
  return signOutOf({ platform, client: await connect(platform), device, close }, options);
}

/** @returns whether somebody has worked here without an account. The database is not opened. */
export function hasLocalWork(platform: WatermelonPlatform): Promise<boolean> {
  return platform.hasDatabase(databaseName(LOCAL_USER));
}

export const findLocalWorkByDefault = (device: Device): Promise<LocalWork | null> =>
  findLocalWork(createPlatform(), device);

export const takeLocalWorkByDefault = (device: Device): Promise<LocalWork | null> =>
  takeLocalWorkInto(createPlatform(), device);

/** As `takeLocalWork`; rejects with a `ConvoyError` (storage) where the work is not to be had now. */
export async function takeLocalWorkInto(
  platform: WatermelonPlatform,
  device: Device,
): Promise<LocalWork | null> {
  const taken = await takeLocalWork(platform, device);
  if (!taken.ok) throw new ConvoyError(taken.error);
  return taken.value;
}
