/**
 * Creates the storage's workers. A spare one can be created before its first use is known: its script is loaded,
 * and SQLite compiled, while the page loads. This module is small, so that a page can load it first.
 */

import wasmUrl from '@sqlite.org/sqlite-wasm/sqlite3.wasm?url';
import type { ToWorker } from './messages';

let spare: Worker | null = null;
/** SQLite, compiled once for all workers of this page: a replacement worker needs no server. */
let compiled: Promise<WebAssembly.Module> | null = null;

/** Creates a worker in advance, for the next call of `newWorker`. */
export function prepareSpareWorker(): void {
  if (spare) return;
  const worker = make();
  spare = worker;
  // The script could not be loaded; `newWorker` then creates another worker.
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
    // The worker then compiles SQLite itself, and reports a failure.
    send(null);
  });
  return worker;
}

/** Rejects when it cannot be fetched. */
export async function compileSqlite(): Promise<WebAssembly.Module> {
  return WebAssembly.compileStreaming(fetch(wasmUrl, { credentials: 'same-origin' }));
}
