/**
 * PGlite's folder storage with working fsync. PostgreSQL inside PGlite asks for it, but the file
 * system under it has no such operation and answers "done": after a power cut, acknowledged
 * commits could be missing. Needs `wal_sync_method=fsync`, since fdatasync is a stub too.
 */

import { closeSync, fsyncSync, openSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NodeFS } from '@electric-sql/pglite/nodefs';

/** What Emscripten's NODEFS offers and its types leave out. */
interface NodeFileSystem {
  realPath(node: unknown): string;
  stream_ops: { fsync?: (stream: { nfd?: number; node: unknown }) => number };
}

export class DurableFolder extends NodeFS {
  override async init(...args: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const prepared = await super.init(...args);
    const { preRun = [] } = prepared.emscriptenOpts;
    preRun.push((module) => {
      const files = module.NODEFS as unknown as NodeFileSystem;
      files.stream_ops.fsync = (stream) => {
        if (stream.nfd === undefined) syncFolder(files.realPath(stream.node));
        else fsyncSync(stream.nfd);
        return 0;
      };
    });
    prepared.emscriptenOpts.preRun = preRun;
    return prepared;
  }
}

/** Makes a whole tree durable: its files, then the folders that name them. */
export function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) syncTree(path);
    else if (entry.isFile()) syncPath(path);
  }
  syncFolder(folder);
}

/** After a crash or a power cut the file is the old one or the new one, and nothing between. */
export function replaceFile(path: string, text: string): void {
  const partial = `${path}.partial`;
  writeFileSync(partial, text);
  syncPath(partial);
  renameSync(partial, path);
  syncFolder(dirname(path));
}

/** Makes the names in a folder durable. Windows cannot open folders, and needs no such step. */
export function syncFolder(folder: string): void {
  if (process.platform !== 'win32') syncPath(folder);
}

function syncPath(path: string): void {
  const descriptor = openSync(path, process.platform === 'win32' ? 'r+' : 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
