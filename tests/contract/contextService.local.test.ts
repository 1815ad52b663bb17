import type { ContextService } from '@/domain/contextService';
import { settle, type TestDevice, World } from '../support/world';
import { type Account, type ContractSetup, contextServiceContract } from './contextService.contract';

const ACCOUNTS: readonly Account[] = ['owner', 'editor', 'viewer', 'agent', 'outsider'];

/** An account at its device, which catches up with the others when it is used: most tests use two of the five. */
class Seat {
  readonly service: ContextService;
  /** Since all were settled. */
  isUsed = false;
  /** What the others wrote and this device lacks; as a promise, while it is pulled. */
  private behind: boolean | Promise<void> = false;

  constructor(readonly device: TestDevice) {
    this.service = new Proxy(device.contextService, {
      get: (service, name) => {
        const member = Reflect.get(service, name);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          this.isUsed = true;
          await this.catchUp();
          return Reflect.apply(member, service, args);
        };
      },
    });
  }

  fallBehind(): void {
    this.behind = true;
  }

  private async catchUp(): Promise<void> {
    if (this.behind === true) this.behind = settle(this.device);
    await this.behind;
    this.behind = false;
  }
}

async function setup(): Promise<ContractSetup> {
  const world = await World.start();
  const seats = new Map<Account, Seat>();
  for (const account of ACCOUNTS) seats.set(account, new Seat(await world.device(account)));
  const seat = (account: Account) => {
    const found = seats.get(account);
    if (!found) throw new Error(`${account} has no device.`);
    return found;
  };
  return {
    service: (account) => seat(account).service,
    userId: (account) => seat(account).device.userId,
    async settle() {
      const used = [...seats.values()].filter(({ isUsed }) => isUsed);
      await settle(...used.map(({ device }) => device));
      for (const one of seats.values()) {
        if (!one.isUsed) one.fallBehind();
        one.isUsed = false;
      }
    },
    backend: world.stack.backend,
    close: () => world.close(),
  };
}

contextServiceContract('local', setup);
