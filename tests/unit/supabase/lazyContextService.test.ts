import { expect, it } from 'vitest';
import type { RemoteServiceOptions } from '@/lib/supabase/contextService';
import { lazyRemoteContextService } from '@/lib/supabase/lazyContextService';

const OPTIONS = {} as RemoteServiceOptions;

/** A module that cannot be fetched so many times. */
function fetched(failures: number, isEager = false) {
  const asked: unknown[][] = [];
  let tries = 0;
  const service = lazyRemoteContextService(OPTIONS, isEager, async () => {
    tries += 1;
    if (tries <= failures) throw new TypeError('Failed to fetch dynamically imported module');
    const made = { getTasks: async (...args: unknown[]) => asked.push(args) };
    return { createRemoteContextService: () => made as never };
  });
  return { service, asked, tries: () => tries };
}

it('is fetched with the first question, once, and answers all', async () => {
  const { service, asked, tries } = fetched(0);
  expect(tries()).toBe(0);
  await Promise.all([service.getTasks('one'), service.getTasks('two')]);
  expect([tries(), asked]).toEqual([1, [['one'], ['two']]]);
});

it('that cannot be fetched is as a server that cannot be reached, until it can', async () => {
  const { service, asked } = fetched(1);
  await expect(service.getTasks('one')).rejects.toMatchObject({
    detail: { kind: 'transport', code: 'offline' },
  });
  await service.getTasks('two');
  expect(asked).toEqual([['two']]);
});

it('is loaded at once where it comes from a disk', () => {
  expect(fetched(0, true).tries()).toBe(1);
});

it('is no promise', async () => {
  const { service } = fetched(0);
  expect(await Promise.resolve(service)).toBe(service);
});
