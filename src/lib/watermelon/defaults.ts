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
import { type Device, openDevice } from './device';
import { migrations, schema } from './models';

type WatermelonPlatform = ReturnType<typeof createPlatform>;

/** Where the session is kept in the platform's session storage. */
export const SESSION_KEY = 'convoy:session';

/** The user of a database that belongs to no account. */
export const LOCAL_USER = 'local';

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

/** Opens the replica of one user. Each user of a device has a database of their own. */
export async function openUserDevice(
  platform: WatermelonPlatform,
  client: ConvoyClient | null,
  userId: string | null,
): Promise<Device> {
  const name = `convoy-${userId ?? LOCAL_USER}`;
  const adapter = await platform.openAdapter({ name, schema, migrations });
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
  return device.value;
}
