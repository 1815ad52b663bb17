import { createRemoteContextService } from '@/lib/supabase/contextService';
import { startDemoStack } from '../support/demoStack';
import { type Account, type ContractSetup, contextServiceContract } from './contextService.contract';

const ACCOUNTS: readonly Account[] = ['owner', 'editor', 'viewer', 'agent', 'outsider'];

async function setup(): Promise<ContractSetup> {
  const { stack, signIn } = await startDemoStack();
  const users = new Map(
    await Promise.all(
      ACCOUNTS.map(async (account) => {
        const { client, userId } = await signIn(account);
        return [account, { userId, service: createRemoteContextService({ client }) }] as const;
      }),
    ),
  );
  const user = (account: Account) => {
    const found = users.get(account);
    if (!found) throw new Error(`${account} is not signed in.`);
    return found;
  };
  return {
    service: (account) => user(account).service,
    userId: (account) => user(account).userId,
    settle: async () => {},
    backend: stack.backend,
    close: () => stack.close(),
  };
}

contextServiceContract('remote', setup);
