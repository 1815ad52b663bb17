/** A worker in which the VFS cannot have one of its files, after everything looked fine. */

import { takeFiles } from '@/platform/web/store/files';
import { loadSqlite } from '@/platform/web/store/sqliteWasm';

interface Prototype {
  createSyncAccessHandle(this: FileSystemFileHandle): Promise<unknown>;
}

globalThis.onmessage = async ({ data }: MessageEvent<{ name: string; failAt: number }>) => {
  const prototype = FileSystemFileHandle.prototype as unknown as Prototype;
  const { createSyncAccessHandle } = prototype;
  let calls = 0;
  prototype.createSyncAccessHandle = function failOnce() {
    calls += 1;
    if (calls === data.failAt) return Promise.reject(new DOMException('Held.', 'NoModificationAllowedError'));
    return createSyncAccessHandle.call(this);
  };
  const sqlite = await loadSqlite();
  const outcome = await takeFiles(sqlite, data.name).then(
    () => 'open',
    () => 'failed',
  );
  globalThis.postMessage({ outcome, calls });
};
