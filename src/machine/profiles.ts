/**
 * The users of this machine: people and agents that have signed in, each with a folder of their own that holds their session
 * and their database. A user of two backends is two profiles. Nothing here opens a database or asks a server.
 */

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend } from '@/core/platform';
import { fail, ok, type Result } from '@/core/result';
import type { MemberKind } from '@/domain/vocabulary';
import { SESSION_KEY } from '@/lib/watermelon/accounts/sessionKey';
import { dataFolder } from '@/platform/node/dataFolder';
import { type MachineError, notSignedIn } from './errors';

export interface Profile extends Backend {
  /** The name for `--as`: the e-mail address of a person, the name of an agent. */
  name: string;
  userId: string;
  email: string;
  kind: MemberKind;
}

/** A profile with the folder of its session and its database. */
export interface KeptProfile extends Profile {
  folder: string;
}

const FILE = 'profile.json';
const DEFAULT = 'default.json';

const profilesFolder = () => join(dataFolder(), 'profiles');

/** @returns the name of a profile's folder: of the same user and backend it is always the same */
export function folderOf({ url, userId }: Pick<Profile, 'url' | 'userId'>): string {
  const backend = createHash('sha256').update(new URL(url).origin).digest('hex').slice(0, 12);
  return join(profilesFolder(), `${backend}-${userId}`);
}

/** @returns every profile, by name; one whose file cannot be read is left out. */
export async function listProfiles(): Promise<KeptProfile[]> {
  const names = await readdir(profilesFolder()).catch(() => []);
  const found = await Promise.all(names.map((name) => readProfile(join(profilesFolder(), name))));
  return found.filter((profile) => profile !== null).sort((one, other) => one.name.localeCompare(other.name));
}

async function readProfile(folder: string): Promise<KeptProfile | null> {
  const value = await readJson<Partial<Profile>>(join(folder, FILE));
  const { name, url, anonKey, userId, email = '', kind = 'human' } = value ?? {};
  if (!name || !url || !anonKey || !userId) return null;
  return { name, url, anonKey, userId, email, kind, folder };
}

/**
 * Keeps a profile. The first person of the machine becomes its default.
 * @returns the profile with its folder
 */
export async function keepProfile(profile: Profile): Promise<KeptProfile> {
  const folder = folderOf(profile);
  await writeJson(join(folder, FILE), profile);
  if (profile.kind === 'human' && (await defaultFolder()) === null) await makeDefault(folder);
  return { ...profile, folder };
}

/** Forgets a profile: its session and its file; its database stays unless it was discarded. */
export async function forgetProfile({ folder }: KeptProfile): Promise<void> {
  await rm(join(folder, FILE), { force: true });
  if ((await defaultFolder()) !== folder) return;
  const [next] = (await listProfiles()).filter(({ kind }) => kind === 'human');
  if (next) await makeDefault(next.folder);
  else await rm(join(profilesFolder(), DEFAULT), { force: true });
}

async function defaultFolder(): Promise<string | null> {
  const kept = await readJson<{ folder?: string }>(join(profilesFolder(), DEFAULT));
  return kept?.folder ? join(profilesFolder(), kept.folder) : null;
}

async function makeDefault(folder: string): Promise<void> {
  await writeJson(join(profilesFolder(), DEFAULT), { folder: folder.slice(profilesFolder().length + 1) });
}

/** Of several profiles, the one that is meant. */
export interface Choice {
  /** A name, an e-mail address, a user id, or else a display name; absent: `CONVOY_AGENT`, else the default of the machine. */
  as?: string;
  /** The address of a backend; absent: any. */
  url?: string;
}

/** @returns the profile that is meant; `not_signed_in` where there is none, `ambiguous` where there are several, `usage` where `url` is no address */
export async function chooseProfile(
  { as, url }: Choice,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Result<KeptProfile, MachineError>> {
  if (url !== undefined && !URL.canParse(url)) {
    return fail({ kind: 'machine', code: 'usage', message: `"${url}" is no address.` });
  }
  const all = await listProfiles();
  const there = url === undefined ? all : all.filter((profile) => isSameBackend(profile.url, url));
  const wanted = as ?? environment.CONVOY_AGENT;
  if (wanted === undefined || wanted === '') return chooseDefault(there, url);
  const matching = there.filter(({ name, email, userId }) =>
    [name, email, userId].some((known) => known.toLowerCase() === wanted.toLowerCase()),
  );
  // Names of accounts come first: what the settings of a host name stays the same, whoever else signs in.
  const called = matching.length > 0 ? matching : await calledSo(there, wanted);
  const [only, another] = called;
  if (only && !another) return ok(only);
  if (only) return ambiguous(called);
  const at = url === undefined ? '' : ` at ${url}`;
  return fail(notSignedIn(`Nobody named "${wanted}" has signed in on this machine${at}.`, url));
}

/** @returns the profiles whose display name this is: the one that others see, as the stored session tells it */
async function calledSo(profiles: readonly KeptProfile[], wanted: string): Promise<KeptProfile[]> {
  const names = await Promise.all(profiles.map(displayNameOf));
  return profiles.filter((_, n) => names[n]?.toLowerCase() === wanted.trim().toLowerCase());
}

async function displayNameOf({ folder }: KeptProfile): Promise<string | null> {
  const kept = await readJson<Record<string, string>>(join(folder, 'session.json'));
  try {
    const { user } = JSON.parse(kept?.[SESSION_KEY] ?? '{}') as {
      user?: { user_metadata?: { display_name?: unknown } };
    };
    const name = user?.user_metadata?.display_name;
    return typeof name === 'string' && name.trim() !== '' ? name.trim() : null;
  } catch {
    return null;
  }
}

async function chooseDefault(
  there: readonly KeptProfile[],
  url: string | undefined,
): Promise<Result<KeptProfile, MachineError>> {
  const kept = await defaultFolder();
  const chosen = there.find(({ folder }) => folder === kept);
  if (chosen) return ok(chosen);
  const people = there.filter(({ kind }) => kind === 'human');
  const [only, another] = people.length > 0 ? people : there;
  if (only && !another) return ok(only);
  if (only) return ambiguous(people.length > 0 ? people : there);
  const reason =
    url === undefined ? 'Nobody has signed in on this machine.' : `Nobody has signed in at ${url}.`;
  return fail(notSignedIn(reason, url));
}

export function isSameBackend(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin;
}

function ambiguous(profiles: readonly KeptProfile[]): Result<never, MachineError> {
  const names = profiles.map(({ name, url }) => `${name} at ${url}`).join(', ');
  const message = `Several users of this machine fit: ${names}. Name one by --as, or its backend by --url.`;
  return fail({ kind: 'machine', code: 'ambiguous', message });
}

/** @returns the value of a JSON file; null where there is none, or it is no JSON. */
export async function readJson<T>(path: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return null;
  }
}

/** Replaces the file at once; only its owner may read it. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, path);
}
