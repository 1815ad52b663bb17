import { afterAll, beforeAll, describe, it } from 'vitest';
import { ConvoyError } from '@/core/errors';
import { createPlatform } from '@/platform/node';
import { temporaryFolder } from '../support/localDatabase';
import { type AdapterHost, storageAdapterCases } from './storageAdapter';

describe('the storage adapter on Node', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let host: AdapterHost;
  beforeAll(() => {
    folder = temporaryFolder();
    const platform = createPlatform({ folder: folder.path });
    host = {
      async open(options) {
        const opened = await platform.openAdapter(options);
        if (!opened.ok) throw new ConvoyError(opened.error);
        return opened.value as never;
      },
    };
  });
  afterAll(() => folder.remove());

  for (const { title, run } of storageAdapterCases) it(title, () => run(host));
});
