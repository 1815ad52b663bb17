/** Opens the device of a profile: its database, its session, its sync; shared with other processes of the same user. */

import { fail, ok, type Result } from '@/core/result';
import { type ConvoyClient, createConvoyClient } from '@/lib/supabase/client';
import { SESSION_KEY } from '@/lib/watermelon/accounts/sessionKey';
import { openUserDevice, signOutOf } from '@/lib/watermelon/device/compose';
import type { Device } from '@/lib/watermelon/device/device';
import type { SignOutOptions, SignOutResult } from '@/lib/watermelon/device/signOut';
import { createPlatform, type WatermelonPlatform } from '@/platform/node';
import type { MachineError } from './errors';
import { whenLeader } from './leader';
import { folderOf, forgetProfile, type KeptProfile, keepProfile, type Profile } from './profiles';

/** How a process uses the device: `command` syncs when it is told to; `service` may lead, so that it syncs by itself. */
export type Use = 'command' | 'service';

export interface OpenProfile {
  profile: KeptProfile;
  device: Device;
  client: ConvoyClient;
  platform: WatermelonPlatform;
  /** Whether `close` has not been called. */
  isOpen(): boolean;
  close(): Promise<void>;
}

/** @throws ConvoyError (storage) where the database cannot be opened */
export async function openProfile(profile: KeptProfile, use: Use): Promise<OpenProfile> {
  const platform = platformOf(profile);
  const client = clientOf(profile, platform);
  let stopLeading: (() => void) | undefined;
  const device = await openUserDevice(platform, client, profile.userId, {
    autoSync: (begin) => {
      if (use === 'service') stopLeading = whenLeader(profile.folder, begin);
    },
  });
  let isClosed = false;
  const close = async () => {
    isClosed = true;
    stopLeading?.();
    await device.close();
    await client.auth.stopAutoRefresh();
  };
  return { profile, device, client, platform, isOpen: () => !isClosed, close };
}

/** Each user has a folder; what is claimed offline is settled among all users of the machine. */
function platformOf({ folder, url, anonKey }: KeptProfile): WatermelonPlatform {
  const { claims } = createPlatform();
  return { ...createPlatform({ folder }), claims, backend: async () => ({ url, anonKey }) };
}

function clientOf(
  { url, anonKey }: Profile,
  platform: WatermelonPlatform,
  autoRefreshToken = true,
): ConvoyClient {
  return createConvoyClient(url, anonKey, {
    storage: platform.sessionStorage(),
    storageKey: SESSION_KEY,
    exclusively: platform.refreshing,
    autoRefreshToken,
    webSocket: platform.webSocket,
  });
}

export interface Credentials {
  email: string;
  /** A person's password, or the secret of an agent. */
  password: string;
}

/**
 * Signs in, and keeps the session where only this user of the machine can read it.
 * @param name what `--as` is to name; absent: the e-mail address of a person, the display name of an agent
 */
export async function signIn(
  backend: Pick<Profile, 'url' | 'anonKey'>,
  credentials: Credentials,
  name?: string,
): Promise<Result<KeptProfile, MachineError>> {
  // In memory first: the folder is named by the user.
  const asking = createConvoyClient(backend.url, backend.anonKey, {
    persistSession: false,
    autoRefreshToken: false,
    webSocket: createPlatform().webSocket,
  });
  const { data, error } = await asking.auth.signInWithPassword(credentials);
  if (!data.session) return fail(refusalOf(error));
  const { id, email = '', app_metadata, user_metadata } = data.session.user;
  const kind = app_metadata.kind === 'agent' ? 'agent' : 'human';
  const called = typeof user_metadata.display_name === 'string' ? user_metadata.display_name : '';
  const fallback = kind === 'agent' && called !== '' ? called : email;
  const profile: Profile = { ...backend, userId: id, email, kind, name: name ?? fallback };
  const kept: KeptProfile = { ...profile, folder: folderOf(profile) };
  const client = clientOf(profile, platformOf(kept), false);
  const { access_token, refresh_token } = data.session;
  await client.auth.setSession({ access_token, refresh_token });
  return ok(await keepProfile(profile));
}

function refusalOf(error: { status?: number; code?: string; message: string } | null): MachineError {
  const isRefused = error?.status === 400 || error?.status === 401 || error?.status === 422;
  return isRefused
    ? {
        kind: 'machine',
        code: 'not_signed_in',
        message: 'The server knows no such e-mail address with this password or secret. Check both.',
      }
    : {
        kind: 'machine',
        code: 'unreachable',
        message: 'The server does not answer to the sign-in. Check its address, then try again.',
      };
}

/**
 * Signs a profile out; see `SignOutOptions` for what is not on the server.
 * @throws ConvoyError (storage)
 */
export async function signOut(open: OpenProfile, options: SignOutOptions): Promise<SignOutResult> {
  const { platform, client, device, profile } = open;
  const result = await signOutOf({ platform, client, device, close: open.close }, options);
  if (result.status === 'signed_out') await forgetProfile(profile);
  return result;
}
