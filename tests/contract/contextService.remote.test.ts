import WebSocket from 'ws';
import { type ConvoyClient, createConvoyClient } from '@/lib/supabase/client';
import { createRemoteContextService } from '@/lib/supabase/contextService';
import { startLocalStack } from '@/server';
import { SEED } from '../support/seed';
import { type Account, type ContractSetup, contextServiceContract } from './contextService.contract';

const ACCOUNTS: readonly Account[] = ['owner', 'editor', 'viewer', 'agent', 'outsider'];

async function setup(): Promise<ContractSetup> {
  const started = await startLocalStack({ data: { kind: 'memory' } });
  if (!started.ok) throw new Error(started.error.message);
  const stack = started.value;

  const signedIn = new Map<Account, { client: ConvoyClient; userId: string }>();
  for (const account of ACCOUNTS) {
    const client = createConvoyClient(stack.url, stack.anonKey, {
      persistSession: false,
      autoRefreshToken: false,
      webSocket: WebSocket,
    });
    const credentials = { email: `${account}@convoy.example`, password: SEED.password };
    const { data, error } =
      account === 'outsider'
        ? await client.auth.signUp(credentials)
        : await client.auth.signInWithPassword(credentials);
    if (error || !data.user) throw error ?? new Error(`${account} could not sign in.`);
    signedIn.set(account, { client, userId: data.user.id });
  }
  const of = (account: Account) => {
    const found = signedIn.get(account);
    if (!found) throw new Error(`${account} is not signed in.`);
    return found;
  };
  const services = new Map(
    ACCOUNTS.map((account) => [account, createRemoteContextService({ client: of(account).client })]),
  );
  return {
    service: (account) => services.get(account) ?? createRemoteContextService({ client: of(account).client }),
    userId: (account) => of(account).userId,
    settle: async () => {},
    close: () => stack.close(),
  };
}

contextServiceContract('remote', setup);
