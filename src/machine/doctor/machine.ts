/** What this machine has for Convoy: programs, the data folder, room on the disk. */

import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { dataFolder } from '@/platform/node/dataFolder';
import { networkWarning } from '@/platform/node/networkFileSystem';
import { nativeFault } from '@/platform/node/readSqlite';
import type { KeptProfile } from '../profiles';
import { type Check, doubtful, faulty, good } from './check';

/** Bytes of free disk below which writes will soon fail, and below which that is likely before long. */
const TOO_LITTLE = 50_000_000;
const LITTLE = 500_000_000;
const MEGABYTE = 1_000_000;

export function checkVersions(convoy: string): Check[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isServed = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  const node = `Node ${process.versions.node} on ${process.platform} ${process.arch}`;
  const native = nativeFault();
  return [
    good('convoy', `convoy ${convoy}`),
    isServed
      ? good('node', node)
      : faulty('node', `${node} is too old, or between releases.`, 'Install Node 20.19, or 22.12 or newer.'),
    native === null
      ? good('native', 'The native module of SQLite loads.')
      : faulty(
          'native',
          `The native module of SQLite does not load: ${native}`,
          'It was built for another Node or machine. Run in the folder of convoy: npm rebuild better-sqlite3',
        ),
  ];
}

/** @param fileSystemOf tests pass their own */
export async function checkDataFolder(
  profiles: readonly KeptProfile[],
  fileSystemOf?: (path: string) => string | null,
): Promise<Check[]> {
  const folder = dataFolder();
  const found = await stat(folder).catch(() => null);
  if (found === null) {
    const message = `${folder} is not there yet; signing in makes it.`;
    return [doubtful('data folder', message, 'Run: convoy login')];
  }
  const isWritable = await access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  const warning = networkWarning(folder, fileSystemOf);
  return [
    isWritable
      ? good('data folder', folder)
      : faulty(
          'data folder',
          `${folder} cannot be written to.`,
          'Give it to your user, or name another one by CONVOY_DATA_DIR.',
        ),
    await checkPermissions(folder, profiles),
    warning === null
      ? good('file system', 'The data folder is on a disk of this machine, as far as can be told.')
      : doubtful('file system', warning.message, 'Name a folder on a local disk by CONVOY_DATA_DIR.'),
    await checkRoom(folder),
  ];
}

/** Sessions let whoever reads them act as their user. */
async function checkPermissions(folder: string, profiles: readonly KeptProfile[]): Promise<Check> {
  const name = 'permissions';
  // Windows keeps rights elsewhere, and a folder below the user's is that user's.
  if (process.platform === 'win32') return good(name, 'The data folder is below your own.');
  const paths = [
    join(folder, 'profiles'),
    ...profiles.map((profile) => profile.folder),
    ...profiles.map((profile) => join(profile.folder, 'session.json')),
  ];
  for (const path of paths) {
    const found = await stat(path).catch(() => null);
    if (found === null) continue;
    if (process.getuid && found.uid !== process.getuid()) {
      return faulty(
        name,
        `${path} belongs to another user of this machine.`,
        'Give it back to yourself by chown.',
      );
    }
    if ((found.mode & 0o077) !== 0) {
      const mend = `Run: chmod ${found.isDirectory() ? '700' : '600'} "${path}"`;
      return faulty(name, `Other users of this machine can read ${path}.`, mend);
    }
  }
  return good(name, 'Sessions and databases can be read by you alone.');
}

async function checkRoom(folder: string): Promise<Check> {
  const name = 'free disk';
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const message = `${Math.floor(free / MEGABYTE).toLocaleString('en')} MB are free.`;
  const mend = 'Make room on the disk of the data folder.';
  if (free < TOO_LITTLE) return faulty(name, message, mend);
  return free < LITTLE ? doubtful(name, message, mend) : good(name, message);
}
