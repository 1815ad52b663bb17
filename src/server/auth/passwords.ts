/** Password rules and hashes, compatible with Supabase's (bcrypt). */

import { compare, hash, truncates } from 'bcryptjs';

const ROUNDS = 10;
const MIN_LENGTH = 8;

/** Of a password nobody has: comparing with it takes as long as with a real one, so timing tells no emails. */
const NO_ONES_HASH = '$2b$10$Zb4HUlZhjvWWePBV3p/A1./Y.5y2ywG0MFsE0A1UUVQZAaEzEujhy';

export type PasswordFault = 'too_short' | 'too_long';

/** @returns what is wrong with a new password, or null. */
export function passwordFault(password: string): PasswordFault | null {
  if ([...password].length < MIN_LENGTH) return 'too_short';
  // bcrypt ignores what comes after 72 bytes.
  return truncates(password) ? 'too_long' : null;
}

export function hashPassword(password: string): Promise<string> {
  return hash(password, ROUNDS);
}

/** @param hashed null when there is no such user; takes as long, and is false. */
export async function passwordMatches(password: string, hashed: string | null): Promise<boolean> {
  const matches = await compare(password, hashed ?? NO_ONES_HASH);
  return matches && hashed !== null;
}
