/**
 * Tells whether a folder lies on a network file system. SQLite's locks and the order of writes cannot be relied on
 * there (https://sqlite.org/howtocorrupt.html, 2.1), so such a folder is named to its user.
 */

import { execFileSync } from 'node:child_process';
import { realpathSync, statfsSync } from 'node:fs';
import type { StorageWarning } from '@/core/storage';

/** By `f_type` of statfs(2) on Linux: file systems whose files another machine can write (linux/magic.h and drivers). */
const BY_MAGIC: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'SMB (CIFS)'],
  // sshfs, but also file systems of this machine: the kernel does not tell them apart.
  [0x65735546, 'FUSE (sshfs and others)'],
  [0x01021997, '9P'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x786f4256, 'a shared folder of VirtualBox'],
]);

/** By the type that `mount` prints on macOS. */
const BY_MOUNT: ReadonlyMap<string, string> = new Map([
  ['nfs', 'NFS'],
  ['smbfs', 'SMB'],
  ['afpfs', 'AFP'],
  ['webdav', 'WebDAV'],
  ['ftp', 'FTP'],
  ['macfuse', 'FUSE (sshfs and others)'],
  ['osxfuse', 'FUSE (sshfs and others)'],
]);

/** @param type `f_type`, which some kernels report as a negative number. @returns its name; null: of this machine */
export function networkTypeOf(type: number): string | null {
  return BY_MAGIC.get(type >>> 0) ?? null;
}

/**
 * @param mounts what `mount` prints on macOS: `<source> on <folder> (<type>, <options>)` on each line
 * @returns the name of the network file system that holds a path; null: it is of this machine
 */
export function networkMountOf(mounts: string, path: string): string | null {
  let found = { folder: '', type: '' };
  for (const line of mounts.split('\n')) {
    const [, folder, type] = /^.* on (\/.*) \((\w+)[,)]/.exec(line) ?? [];
    if (!folder || !type || folder.length < found.folder.length) continue;
    if (path === folder || path.startsWith(folder === '/' ? folder : `${folder}/`)) found = { folder, type };
  }
  return BY_MOUNT.get(found.type) ?? null;
}

/**
 * @param path of a folder that exists
 * @returns the name of the network file system it lies on; null: of this machine, or it cannot be told
 */
export function networkFileSystemOf(path: string, platform = process.platform): string | null {
  try {
    if (platform === 'linux') return networkTypeOf(statfsSync(path).type);
    if (platform === 'darwin') {
      return networkMountOf(
        execFileSync('/sbin/mount', { encoding: 'utf8', timeout: 2_000 }),
        realpathSync(path),
      );
    }
    if (platform === 'win32') return realpathSync.native(path).startsWith('\\\\') ? 'a network share' : null;
  } catch {
    // A warning that cannot be worked out must not keep a folder from being used.
  }
  return null;
}

/**
 * @param fileSystemOf tests pass their own: they can make no network mount
 * @returns the warning about a folder on a network file system; null: there is nothing to warn of
 */
export function networkWarning(path: string, fileSystemOf = networkFileSystemOf): StorageWarning | null {
  const fileSystem = fileSystemOf(path);
  if (fileSystem === null) return null;
  const message = `${path} is on a network file system: ${fileSystem}. Locks do not hold there as they do on a disk of this machine, and what was saved may be damaged or missing after a failure. Move the folder to a local disk.`;
  return { code: 'network_file_system', fileSystem, message };
}
