/** The remote Context Service as a device has it: the device asks it for what it lacks, and may never do so. */

import { ConvoyError } from '@/core/errors';
import type { ContextService } from '@/domain/contextService';
import type { RemoteServiceOptions } from './contextService';

type Module = Pick<typeof import('./contextService'), 'createRemoteContextService'>;
type Method = (...args: unknown[]) => unknown;

/**
 * @param isEager the code is loaded at once: on a disk it may be replaced by that of another version before it is needed
 * @returns a remote Context Service whose code is fetched with the first question. Where it cannot be fetched, the question rejects with
 * `transport/offline`, and the next one tries again.
 */
export function lazyRemoteContextService(
  options: RemoteServiceOptions,
  isEager: boolean,
  fetchCode: () => Promise<Module> = () => import('./contextService'),
): ContextService {
  let made: Promise<ContextService> | null = null;
  const service = () => {
    made ??= fetchCode().then(
      ({ createRemoteContextService }) => createRemoteContextService(options),
      () => {
        made = null;
        throw new ConvoyError({
          kind: 'transport',
          code: 'offline',
          message: 'The part of Convoy that asks the server could not be fetched.',
        });
      },
    );
    return made;
  };
  // A failure is that of the first question.
  if (isEager) void service().catch(() => undefined);
  return new Proxy({} as ContextService, {
    get(_, name) {
      // It is no promise, though any name of it is a method.
      if (name === 'then' || typeof name === 'symbol') return undefined;
      return async (...args: unknown[]) => {
        const all = (await service()) as unknown as Record<string, Method>;
        return all[name]?.(...args);
      };
    },
  });
}
