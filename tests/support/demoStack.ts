/** The local stack in memory with the demo, and clients that are signed in to it. */

import WebSocket from 'ws';
import { type ConvoyClient, createConvoyClient } from '@/lib/supabase/client';
import { type DataSource, type LocalStack, type LocalStackOptions, startLocalStack } from '@/server';
import { SEED } from './seed';
import { migratedTemplate } from './template';

export interface DemoStack {
  readonly stack: LocalStack;
  /** A client without a session. @param url of a proxy in front of the stack */
  newClient(url?: string): ConvoyClient;
  /** A new client with this account signed in; an account that does not exist signs up. */
  signIn(account: string, url?: string): Promise<{ client: ConvoyClient; userId: string }>;
}

/** @param data where the server keeps its data; in memory by default */
export async function startDemoStack(
  data?: DataSource,
  options: Partial<LocalStackOptions> = {},
): Promise<DemoStack> {
  const started = await startLocalStack({
    ...options,
    data: data ?? { kind: 'memory', template: await migratedTemplate(true) },
  });
  if (!started.ok) throw new Error(started.error.message);
  const stack = started.value;
  const newClient = (url = stack.url) =>
    createConvoyClient(url, stack.anonKey, {
      persistSession: false,
      autoRefreshToken: false,
      webSocket: WebSocket,
    });
  return {
    stack,
    newClient,
    async signIn(account, url) {
      const client = newClient(url);
      const credentials = { email: `${account}@convoy.example`, password: SEED.password };
      const known = stack.accounts.some(({ role }) => role === account);
      const { data, error } = known
        ? await client.auth.signInWithPassword(credentials)
        : await client.auth.signUp(credentials);
      if (error || !data.user) throw error ?? new Error(`${account} could not sign in.`);
      return { client, userId: data.user.id };
    },
  };
}
