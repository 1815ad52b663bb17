import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOCAL_DATABASE } from '@/lib/watermelon/models';
import { createPlatform } from '@/platform/node';
import { networkFileSystemOf, networkMountOf, networkTypeOf } from '@/platform/node/networkFileSystem';
import { takeDataFolder } from '@/server/database/dataFolder';

/** A test cannot make an NFS mount. */
const asNfs = () => 'NFS';

describe('the file system of a folder', () => {
  it('is known by the number that Linux gives it, positive or negative', () => {
    expect(networkTypeOf(0x6969)).toBe('NFS');
    expect(networkTypeOf(0xff534d42)).toBe('SMB (CIFS)');
    expect(networkTypeOf(0xff534d42 | 0)).toBe('SMB (CIFS)');
    expect(networkTypeOf(0xfe534d42)).toBe('SMB');
    expect(networkTypeOf(0x65735546)).toBe('FUSE (sshfs and others)');
    expect(networkTypeOf(0x01021997)).toBe('9P');
    const local = {
      ext4: 0xef53,
      xfs: 0x58465342,
      btrfs: 0x9123683e,
      tmpfs: 0x01021994,
      overlayfs: 0x794c7630,
    };
    for (const [name, type] of Object.entries(local)) expect(networkTypeOf(type), name).toBeNull();
  });

  it('is known by the longest mount that holds it, as macOS prints mounts', () => {
    const mounts = [
      '/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)',
      '/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)',
      '//guest@nas/share on /Volumes/share (smbfs, nodev, nosuid, mounted by me)',
      'nas:/export on /Volumes/share/deep on it (nfs, nodev)',
      'me@host: on /Users/me/remote (macfuse, nodev, nosuid)',
    ].join('\n');
    expect(networkMountOf(mounts, '/Users/me/data')).toBeNull();
    expect(networkMountOf(mounts, '/Volumes/shared')).toBeNull();
    expect(networkMountOf(mounts, '/Volumes/share')).toBe('SMB');
    expect(networkMountOf(mounts, '/Volumes/share/a/b')).toBe('SMB');
    expect(networkMountOf(mounts, '/Volumes/share/deep on it/b')).toBe('NFS');
    expect(networkMountOf(mounts, '/Users/me/remote/x')).toBe('FUSE (sshfs and others)');
  });

  it('is asked of this machine, and is local here', () => {
    expect(networkFileSystemOf(tmpdir())).toBeNull();
    expect(networkFileSystemOf(join(tmpdir(), 'convoy-that-is-not-there'))).toBeNull();
  });
});

describe('a data folder on a network file system', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'convoy-network-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('is named when a device opens its database there, on standard error too; a local one is not', async () => {
    const said: (Error & { code?: string })[] = [];
    const onWarning = (warning: Error) => said.push(warning);
    process.on('warning', onWarning);
    const open = async (fileSystemOf?: () => string) => {
      const opened = await createPlatform({ folder, fileSystemOf }).openAdapter({
        name: 'local',
        ...LOCAL_DATABASE,
      });
      if (!opened.ok) throw new Error(opened.error.message);
      await opened.value.close();
      return opened.value.warning;
    };
    expect(await open()).toBeNull();
    const warning = await open(asNfs);
    expect(warning).toMatchObject({ code: 'network_file_system', fileSystem: 'NFS' });
    expect(warning?.message).toContain(folder);
    await expect.poll(() => said.map(({ code }) => code)).toEqual(['network_file_system']);
    process.off('warning', onWarning);
  });

  it('is named when the local stack takes it', () => {
    const taken = takeDataFolder(folder, false, asNfs);
    if (!taken.ok) throw new Error(taken.error.message);
    taken.value.release();
    expect(taken.value.warning).toMatchObject({ code: 'network_file_system', fileSystem: 'NFS' });
  });
});
