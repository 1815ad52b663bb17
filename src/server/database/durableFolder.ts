/**
 * PGlite's folder storage with a working fsync. PGlite's own file system reports fsync as done without doing it,
 * so a power cut could lose acknowledged commits. Needs `wal_sync_method=fsync`: fdatasync is a stub too.
 */

import { closeSync, fsyncSync, openSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NodeFS } from '@electric-sql/pglite/nodefs';

/** Members of Emscripten's NODEFS that its types lack. */
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

/** Syncs a whole tree to disk: files, then the folders that contain them. */
export function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) syncTree(path);
    else if (entry.isFile()) syncPath(path);
  }
  syncFolder(folder);
}

/** Replaces a file atomically, also across a crash or a power cut. */
export function replaceFile(path: string, text: string): void {
  const partial = `${path}.partial`;
  writeFileSync(partial, text);
  syncPath(partial);
  renameSync(partial, path);
  syncFolder(dirname(path));
}

/** Syncs the entries of a folder to disk. Windows cannot open folders, and needs no such step. */
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
