/** Composes a device from engine, platform and Supabase: what the app gets unless it passes its own parts. */

import { createPlatform } from '#platform';
import { ConvoyError, type StorageError } from '@/core/errors';
import type { MemberKind } from '@/domain/vocabulary';
import { type ConvoyClient, createConvoyClient } from '@/lib/supabase/client';
import { useSupabaseClient as setRemoteClient } from '@/lib/supabase/currentClient';
import { SupabaseInvitations } from '@/lib/supabase/invitations';
import { lazyRemoteContextService } from '@/lib/supabase/lazyContextService';
import { SupabasePokes } from '@/lib/supabase/pokes';
import { SupabaseTransport } from '@/lib/supabase/transport';
import { databaseName, LOCAL_USER } from '../accounts/databases';
import { adoptEarlier } from '../accounts/earlierStorage';
import { findLocalWork, resumeTaking, takeLocalWork } from '../accounts/localWork';
import { writeReferenceData } from '../accounts/referenceData';
import { SESSION_KEY } from '../accounts/sessionKey';
import type { LocalWork } from '../accounts/takeAlong';
import { LOCAL_DATABASE } from '../models';
import { type Device, type DeviceOptions, openDevice } from './device';
import { type SignOutOptions, type SignOutResult, signOutDevice } from './signOut';

export { findLocalWork, SESSION_KEY, takeLocalWork };

export type WatermelonPlatform = ReturnType<typeof createPlatform>;

/** How long the server may take to end a session, ms; the device removes its tokens anyway. */
const SIGN_OUT_MS = 3_000;

/** How long other tabs may take to close a database that is being discarded, ms. */
const OTHER_TABS_CLOSE_MS = 10_000;

/** @returns a client of the backend that this platform is configured for; null where it is for none. */
export async function connect(platform: WatermelonPlatform): Promise<ConvoyClient | null> {
  const backend = await platform.backend();
  if (!backend) return null;
  return createConvoyClient(backend.url, backend.anonKey, {
    storage: platform.sessionStorage(),
    storageKey: SESSION_KEY,
    exclusively: platform.refreshing,
    webSocket: platform.webSocket,
  });
}

/** Opens the device of the signed-in user; without a session, the one without an account. Rejects with a `ConvoyError` (storage). */
export async function openDefaultDevice(): Promise<Device> {
  const platform = createPlatform();
  const client = await connect(platform);
  const user = client ? await storedUser(platform) : null;
  return openUserDevice(platform, client, user?.id ?? null);
}

interface StoredUser {
  id: string;
  app_metadata?: { kind?: unknown };
}

/**
 * @returns the user of the stored session. Read from the storage itself: supabase-js would first try for half a minute to
 * renew a token that has expired, and answer that there is no session where the server cannot be reached.
 */
async function storedUser(platform: WatermelonPlatform): Promise<StoredUser | null> {
  const text = await platform.sessionStorage().getItem(SESSION_KEY);
  try {
    const { user } = JSON.parse(text ?? '{}') as { user?: Partial<StoredUser> };
    return typeof user?.id === 'string' ? { ...user, id: user.id } : null;
  } catch {
    return null;
  }
}

/**
 * Opens the device of one user: each has a local database of their own (D25).
 * @param userId null: the database without an account
 * Rejects with a `ConvoyError` (storage).
 */
export async function openUserDevice(
  platform: WatermelonPlatform,
  client: ConvoyClient | null,
  userId: string | null,
  { autoSync }: Pick<DeviceOptions, 'autoSync'> = {},
): Promise<Device> {
  const resumed = await resumeTaking(platform, userId === null);
  // A user's own database does not depend on it. The database without an account does: its work is claimed by a user.
  if (!resumed.ok && userId === null) throw new ConvoyError(resumed.error);
  const name = databaseName(userId ?? LOCAL_USER);
  const adapter = await platform.openAdapter({ name, ...LOCAL_DATABASE });
  if (!adapter.ok) throw new ConvoyError(adapter.error);
  const signedIn = userId === null ? null : client;
  if (signedIn) setRemoteClient(signedIn);
  const kind = signedIn ? await kindOf(platform) : 'human';
  const device = await openDevice({
    adapter: adapter.value,
    userId: userId ?? LOCAL_USER,
    transport: signedIn && new SupabaseTransport(signedIn),
    remote: signedIn && lazyRemoteContextService({ client: signedIn }, !platform.fetchesCode),
    isOnline: () => platform.isOnline(),
    onConnectivity: (listener) => platform.onConnectivity(listener),
    onVisible: platform.onVisible,
    kind,
    invitations: signedIn && new SupabaseInvitations(signedIn),
    pokes: signedIn && userId !== null ? new SupabasePokes(signedIn, userId) : null,
    exclusively: (work, signal) => platform.exclusively(`sync-${name}`, work, signal),
    claims: platform.claims ?? null,
    autoSync,
    adopt: (database) => adoptEarlier(platform, database, userId ?? LOCAL_USER),
  });
  if (!device.ok) throw new ConvoyError(device.error);
  settleWhenSynced(platform, device.value);
  if (userId === null) await writeReferenceData(device.value.database);
  return device.value;
}

/** @returns whether the signed-in user is a person or an agent, as the server's accounts have it. */
async function kindOf(platform: WatermelonPlatform): Promise<MemberKind> {
  const user = await storedUser(platform);
  return user?.app_metadata?.kind === 'agent' ? 'agent' : 'human';
}

/** Where databases end with the window, what an earlier release left is removed once all of it is on the server. */
function settleWhenSynced({ earlier }: WatermelonPlatform, device: Device): void {
  if (!earlier || device.isDurable) return;
  device.observeSyncStatus().subscribe(({ pending, kind }) => {
    if (pending > 0 || kind !== 'idle' || !device.hasAccount) return;
    void device
      .countUnsynced()
      .then(({ total }) => (total === 0 ? earlier.settle() : undefined))
      // It stays, and the next sync tries again.
      .catch(() => undefined);
  });
}

/**
 * @returns what is unsynced in a database that cannot be opened, as JSON; null where this platform cannot read it.
 * Rejects with a `ConvoyError` (storage).
 */
export async function exportUnopened(platform: WatermelonPlatform, userId: string | null): Promise<unknown> {
  const name = databaseName(userId ?? LOCAL_USER);
  const read = await platform.readUnsynced?.(name, LOCAL_DATABASE.salvage);
  if (read?.ok === false) throw new ConvoyError(read.error);
  return read?.value ?? null;
}

/** @returns such a database as a SQLite file; null where this platform has no files. Rejects with a `ConvoyError` (storage). */
export async function exportUnopenedFile(
  platform: WatermelonPlatform,
  userId: string | null,
): Promise<Uint8Array | null> {
  const owner = userId ?? LOCAL_USER;
  const read = await platform.readFile?.(databaseName(owner), owner);
  if (read?.ok === false) throw new ConvoyError(read.error);
  return read?.value ?? null;
}

/** Signs out on an open device; see `SignOutOptions` for what is not on the server. */
export function signOutOf(
  open: {
    platform: WatermelonPlatform;
    client: ConvoyClient | null;
    device: Device;
    close: () => Promise<void>;
    /** Called when the session is no longer on this device, so that other tabs can be told to close the database. */
    onSessionEnded?: () => void;
  },
  options: SignOutOptions,
): Promise<SignOutResult> {
  const { platform, client, device, close, onSessionEnded } = open;
  const steps = {
    device,
    close,
    endSession: async () => {
      const kept = await endSession(platform, client);
      onSessionEnded?.();
      return kept;
    },
    removeDatabase: async () => {
      const name = databaseName(device.userId);
      await platform.removeDatabase(name, OTHER_TABS_CLOSE_MS);
      await platform.earlier?.remove(name);
    },
  };
  return signOutDevice(steps, options);
}

/**
 * Ends the session on this device, and on the server where that answers in time.
 * @returns `session_kept` where the storage refuses to remove it: it is over for this process, and may be there after a restart
 */
export async function endSession(
  platform: WatermelonPlatform,
  client: ConvoyClient | null,
): Promise<StorageError | null> {
  if (client) await endOnServer(client);
  try {
    await platform.sessionStorage().removeItem(SESSION_KEY);
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `You are signed out, but the session could not be removed from this device, and may be there after the next start. (${reason})`;
    return { kind: 'storage', code: 'session_kept', message };
  }
}

async function endOnServer(client: ConvoyClient): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, SIGN_OUT_MS);
  });
  await Promise.race([client.auth.signOut({ scope: 'local' }).catch(() => undefined), timeout]);
  clearTimeout(timer);
}

/** As `signOutOf`, with the platform and backend of this process. */
export async function signOutByDefault(
  device: Device,
  close: () => Promise<void>,
  options: SignOutOptions,
): Promise<SignOutResult> {
  const platform = createPlatform();
  return signOutOf({ platform, client: await connect(platform), device, close }, options);
}

/** @returns whether work was begun here without an account. Its database is not opened. */
export function hasLocalWork(platform: WatermelonPlatform): Promise<boolean> {
  return platform.hasDatabase(databaseName(LOCAL_USER));
}

export const findLocalWorkByDefault = (device: Device): Promise<LocalWork | null> =>
  findLocalWork(createPlatform(), device);

export const takeLocalWorkByDefault = (device: Device): Promise<LocalWork | null> =>
  takeLocalWorkInto(createPlatform(), device);

/** As `takeLocalWork`, but rejects with a `ConvoyError` (storage) where the work cannot be opened now. */
export async function takeLocalWorkInto(
  platform: WatermelonPlatform,
  device: Device,
): Promise<LocalWork | null> {
  const taken = await takeLocalWork(platform, device);
  if (!taken.ok) throw new ConvoyError(taken.error);
  return taken.value;
}
