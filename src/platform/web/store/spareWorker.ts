/**
 * Workers of the storage. One can be made before anybody knows what it is for: its script is loaded, and SQLite
 * compiled, while the rest of the page is loaded. Small, so that a page can have it at once.
 */

import wasmUrl from '@sqlite.org/sqlite-wasm/sqlite3.wasm?url';
import type { ToWorker } from './messages';

let spare: Worker | null = null;
/** SQLite for all workers of this page, also for one that replaces another while the server is away. */
let compiled: Promise<WebAssembly.Module> | null = null;

/** Makes a worker for whoever needs the next one. */
export function makeSpareWorker(): void {
  if (spare) return;
  const worker = make();
  spare = worker;
  // Its script could not be loaded; whoever needs one tries again.
  worker.onerror = (event) => {
    event.preventDefault();
    if (spare === worker) spare = null;
  };
}

/** @returns a worker that waits for its first message */
export function newWorker(): Worker {
  const worker = spare ?? make();
  spare = null;
  worker.onerror = null;
  return worker;
}

function make(): Worker {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'convoy' });
  const send = (sqlite: WebAssembly.Module | null) =>
    worker.postMessage({ type: 'sqlite', sqlite } satisfies ToWorker);
  compiled ??= compileSqlite();
  compiled.then(send, () => {
    compiled = null;
    // It tries by itself, and tells what becomes of it.
    send(null);
  });
  return worker;
}

/** Rejects when it cannot be fetched. */
export async function compileSqlite(): Promise<WebAssembly.Module> {
  return WebAssembly.compileStreaming(fetch(wasmUrl, { credentials: 'same-origin' }));
}
