/** The backend at an address: a local stack says what it is; of a Supabase project the public key has to be given. */

import type { Backend } from '@/core/platform';
import { fail, ok, type Result } from '@/core/result';
import { DEFAULT_URL, type MachineError } from './errors';

/** ms for an answer. */
const ANSWER_MS = 10_000;

/**
 * @param url of a local stack or a Supabase project; absent: `SUPABASE_URL`, else the local stack of this machine
 * @param anonKey public key of a Supabase project; absent: `SUPABASE_ANON_KEY`, or the address is asked
 */
export async function findBackend(
  url = process.env.SUPABASE_URL || DEFAULT_URL,
  anonKey = process.env.SUPABASE_ANON_KEY,
): Promise<Result<Backend, MachineError>> {
  if (!URL.canParse(url)) {
    const message = `"${url}" is no address. Give one like ${DEFAULT_URL}.`;
    return fail({ kind: 'machine', code: 'usage', message });
  }
  if (anonKey) return ok({ url, anonKey });
  try {
    const response = await fetch(new URL('/convoy.json', url), { signal: AbortSignal.timeout(ANSWER_MS) });
    const { supabaseUrl, anonKey: key } = (await response.json()) as Record<string, unknown>;
    if (typeof supabaseUrl === 'string' && typeof key === 'string')
      return ok({ url: supabaseUrl, anonKey: key });
    return unreachable(`${url} is no Convoy server. Of a Supabase project, give the public key by --key.`);
  } catch {
    return unreachable(`No Convoy server answers at ${url}. Start one by: convoy start`);
  }
}

function unreachable(message: string): Result<never, MachineError> {
  return fail({ kind: 'machine', code: 'unreachable', message });
}
