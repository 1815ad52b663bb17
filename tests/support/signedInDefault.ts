/** The application's default device, signed in by the environment as a deployment would be. */

import { connect } from '@/lib/watermelon/device/compose';
import { createPlatform } from '@/platform/node';
import type { LocalStack } from '@/server';
import { temporaryFolder } from './localDatabase';
import { SEED } from './seed';

/** Points the environment at the stack and signs an account of the demo in. @returns how to undo it. */
export async function signInByDefault(stack: LocalStack, account: string): Promise<() => void> {
  const before = { ...process.env };
  const folder = temporaryFolder();
  Object.assign(process.env, {
    SUPABASE_URL: stack.url,
    SUPABASE_ANON_KEY: stack.anonKey,
    CONVOY_DATA_DIR: folder.path,
  });
  const client = await connect(createPlatform());
  if (!client) throw new Error('The platform has no backend.');
  const { error } = await client.auth.signInWithPassword({
    email: `${account}@convoy.example`,
    password: SEED.password,
  });
  if (error) throw error;
  await client.auth.stopAutoRefresh();
  return () => {
    process.env = before;
    folder.remove();
  };
}
