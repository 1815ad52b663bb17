import { afterAll, describe, expect, it } from 'vitest';
import { openUserDevice } from '@/lib/watermelon/device/compose';
import { createPlatform } from '@/platform/node';
import { expectDone } from '../../support/inStep';
import { temporaryFolder } from '../../support/localDatabase';
import { contentOfDevice, FILES, NO_PURGE, Release } from '../../support/releases';
import { deviceSnapshot } from '../../support/snapshot';
import { World } from '../../support/world';
import { upgradeSuite } from './upgrade.suite';

describe.each(Release.all())('a data folder of release $manifest.release', (release) => {
  const data = temporaryFolder();
  afterAll(data.remove);

  upgradeSuite(release, async () => {
    await release.restoreDataFolder(data.path);
    const world = await World.start({ kind: 'folder', path: data.path }, NO_PURGE);
    return { world, left: release.manifest.pglite, deviceFile: FILES.pglite.device };
  });
});

describe.each(Release.all())('work without an account of release $manifest.release', (release) => {
  const folder = temporaryFolder();
  afterAll(folder.remove);

  it('opens, and is there whole (P-DURABLE, P-NOLOSS)', async () => {
    const { local } = release.manifest;
    release.restoreDevice(FILES.local, local, folder.path);
    const device = await openUserDevice(createPlatform({ folder: folder.path }), null, null);
    try {
      expect(await contentOfDevice(device.database, local.content)).toEqual(local.content);
      const held = await deviceSnapshot(device.database);
      expectDone(local.work, held);
      expect(await device.countUnsynced()).toEqual({ ...local.counts, unconfirmed: 0, acceptances: 0 });
    } finally {
      await device.close();
    }
  });
});
