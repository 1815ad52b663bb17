import { settle, type TestDevice, World } from '../support/world';
import { type Account, type ContractSetup, contextServiceContract } from './contextService.contract';

const ACCOUNTS: readonly Account[] = ['owner', 'editor', 'viewer', 'agent', 'outsider'];

async function setup(): Promise<ContractSetup> {
  const world = await World.start();
  const devices = new Map<Account, TestDevice>();
  for (const account of ACCOUNTS) devices.set(account, await world.device(account));
  const device = (account: Account) => {
    const found = devices.get(account);
    if (!found) throw new Error(`${account} has no device.`);
    return found;
  };
  return {
    service: (account) => device(account).contextService,
    userId: (account) => device(account).userId,
    settle: () => settle(...devices.values()),
    backend: world.stack.backend,
    close: () => world.close(),
  };
}

contextServiceContract('local', setup);
