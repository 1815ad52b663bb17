import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LOCAL_DATABASE } from '@/lib/watermelon/models';
import { BetterSqliteHandle } from '@/platform/node/betterSqlite';
import { SqliteStore } from '@/platform/sqlite/store';
import { temporaryFolder } from '../../support/localDatabase';

it('a commit waits until it is on the disk, also where a plain fsync does not reach it, as on macOS (P-DURABLE)', () => {
  const folder = temporaryFolder();
  const handle = new BetterSqliteHandle(join(folder.path, 'local.db'));
  try {
    SqliteStore.open(handle, LOCAL_DATABASE);
    const setting = (name: string) => handle.select(`pragma ${name}`).rows[0]?.[0];
    expect(setting('journal_mode')).toBe('wal');
    expect(setting('synchronous')).toBe(2);
    expect(setting('fullfsync')).toBe(1);
    expect(setting('checkpoint_fullfsync')).toBe(1);
  } finally {
    handle.close();
    folder.remove();
  }
});
