/** `convoy doctor`: looks at all that Convoy needs on this machine and of its server, and changes nothing. */

import { signInOnce } from '@/lib/supabase/agentSignIn';
import { createConvoyClient } from '@/lib/supabase/client';
import { createPlatform } from '@/platform/node';
import { findBackend } from '../backend';
import { findLink } from '../link';
import { chooseProfile, type KeptProfile, listProfiles } from '../profiles';
import { type Check, doubtful, faulty, good } from './check';
import { checkDatabase } from './database';
import { checkDataFolder, checkVersions } from './machine';
import { checkServer } from './server';
import { checkSession } from './session';

export type { Check } from './check';

export interface Examination {
  /** Of convoy. */
  version: string;
  as?: string | undefined;
  url?: string | undefined;
  /** The folder of code, for its link. */
  folder: string;
  /** An agent whose sign-in is tried. */
  agent?: { email: string; secret: string } | undefined;
}

/** @returns one finding after the other */
export async function examine({ version, as, url, folder, agent }: Examination): Promise<Check[]> {
  const versions = checkVersions(version);
  const found = await findLink(folder);
  const linked = found.ok ? found.value : null;
  const checks = [...versions, ...(await checkDataFolder(await listProfiles())), linkCheck(found)];
  const chosen = await chooseProfile({ as, url: url ?? linked?.url });
  const hasSqlite = versions.every(({ name, state }) => name !== 'native' || state === 'ok');
  if (!chosen.ok) {
    const backend = await findBackend(url ?? linked?.url);
    return [
      ...checks,
      doubtful('user', 'Commands act as nobody here.', chosen.error.message),
      ...(backend.ok
        ? await checkServer(backend.value, null)
        : [doubtful('server', 'It cannot be asked.', backend.error.message)]),
      ...(backend.ok && agent ? [await checkAgent(backend.value, agent)] : []),
    ];
  }
  const profile = chosen.value;
  const session = await checkSession(profile);
  const caller = session.token === null ? null : { userId: profile.userId, token: session.token };
  return [
    ...checks,
    good('user', `${profile.name}, ${profile.kind === 'agent' ? 'an agent' : 'a person'}, at ${profile.url}`),
    ...(hasSqlite ? checkDatabase(profile) : []),
    session.check,
    ...(await checkServer(profile, caller)),
    ...(agent ? [await checkAgent(profile, agent)] : []),
  ];
}

function linkCheck(found: Awaited<ReturnType<typeof findLink>>): Check {
  if (!found.ok) return faulty('folder', 'Its convoy.json cannot be used.', found.error.message);
  return good('folder', found.value ? `Linked by ${found.value.path}.` : 'It belongs to no project.');
}

/** Signs a new agent in once, and out again. */
async function checkAgent(
  { url, anonKey }: Pick<KeptProfile, 'url' | 'anonKey'>,
  { email, secret }: { email: string; secret: string },
): Promise<Check> {
  const client = createConvoyClient(url, anonKey, {
    persistSession: false,
    autoRefreshToken: false,
    webSocket: createPlatform().webSocket,
  });
  const fault = await signInOnce(client, email, secret);
  if (fault === null) return good('agent', `Nothing keeps ${email} from signing in.`);
  const mend =
    'Check address and secret; where they are right, the server’s Auth expects other rows of an agent.';
  return faulty('agent', `${email} cannot sign in as an agent: ${fault}.`, mend);
}
