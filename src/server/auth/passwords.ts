/** Password rules and hashes, compatible with Supabase's (bcrypt). */

import { compare, hash, truncates } from 'bcryptjs';

const ROUNDS = 10;
const MIN_LENGTH = 8;

/** Compared where a user does not exist: it takes as long, so timing does not reveal which emails exist. */
const PLACEHOLDER_HASH = '$2b$10$Zb4HUlZhjvWWePBV3p/A1./Y.5y2ywG0MFsE0A1UUVQZAaEzEujhy';

export type PasswordFault = 'too_short' | 'too_long';

/** @returns the fault of a new password, or null */
export function passwordFault(password: string): PasswordFault | null {
  if ([...password].length < MIN_LENGTH) return 'too_short';
  // bcrypt ignores all bytes after the 72nd.
  return truncates(password) ? 'too_long' : null;
}

export function hashPassword(password: string): Promise<string> {
  return hash(password, ROUNDS);
}

/** @param hashed null when the user does not exist: false, after the same time */
export async function passwordMatches(password: string, hashed: string | null): Promise<boolean> {
  const matches = await compare(password, hashed ?? PLACEHOLDER_HASH);
  return matches && hashed !== null;
}
