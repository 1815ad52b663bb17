/** What a page and its worker keep in memory after a garbage collection, in bytes. */

import { readFileSync } from 'node:fs';
import type { BrowserContext, CDPSession, Page } from 'playwright-core';

export interface Memory {
  page: number;
  /** Null: it has no worker. */
  worker: number | null;
  /** What SQLite's WebAssembly has, its page cache included. */
  wasm: number | null;
  /** Resident memory of the page's process, workers and the browser's own code included; null where it is unknown. */
  process: number | null;
}

type Send = (method: string, params?: object) => Promise<Record<string, unknown>>;

export async function memoryOf(context: BrowserContext, page: Page): Promise<Memory> {
  const session = await context.newCDPSession(page);
  const ofPage: Send = (method, params) => session.send(method as never, params as never);
  const worker = await attachToWorker(session);
  const memory = {
    page: await heapOf(ofPage),
    worker: worker && (await heapOf(worker)),
    wasm: await wasmMemory(page),
    process: await largestRenderer(context),
  };
  await session.detach();
  return memory;
}

/** @returns the JavaScript heap of a page without its workers, bytes */
export async function heapOfPage(context: BrowserContext, page: Page): Promise<number> {
  const session = await context.newCDPSession(page);
  const heap = await heapOf((method, params) => session.send(method as never, params as never));
  await session.detach();
  return heap;
}

async function heapOf(send: Send): Promise<number> {
  // The second collection frees memory released by finalizers.
  await send('HeapProfiler.collectGarbage');
  await send('HeapProfiler.collectGarbage');
  return Number((await send('Runtime.getHeapUsage')).usedSize);
}

/** @returns how to talk to the page's only worker; null when it has none */
async function attachToWorker(session: CDPSession): Promise<Send | null> {
  let id: string | null = null;
  let calls = 0;
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    if (targetInfo.type === 'worker') id = sessionId;
  });
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const answer = JSON.parse(message) as { id?: number; result?: unknown; error?: { message: string } };
    const call = answer.id === undefined ? undefined : waiting.get(answer.id);
    if (answer.error) call?.reject(new Error(answer.error.message));
    else call?.resolve(answer.result as never);
  });
  // Existing workers are reported before this returns.
  await session.send('Target.setAutoAttach', {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  });
  if (id === null) return null;
  const sessionId: string = id;
  return (method, params = {}) =>
    new Promise((resolve, reject) => {
      calls += 1;
      waiting.set(calls, { resolve, reject });
      const message = JSON.stringify({ id: calls, method, params });
      session.send('Target.sendMessageToTarget', { sessionId, message }).catch(reject);
    });
}

/** Finds a WebAssembly memory by its buffer and returns its size. Null: no worker, or none with such a memory. */
async function wasmMemory(page: Page): Promise<number | null> {
  const [worker] = page.workers();
  if (!worker) return null;
  await worker.evaluate(LISTEN);
  await page.evaluate(() => window.benchPage.touch());
  return worker.evaluate('forget(), globalThis.wasmBytes ?? null');
}

/** As text: what compiles this file adds helpers to functions that a worker does not have. */
const LISTEN = `{
  const { prototype } = WebAssembly.Memory;
  const buffer = Object.getOwnPropertyDescriptor(prototype, 'buffer');
  globalThis.forget = () => Object.defineProperty(prototype, 'buffer', buffer);
  Object.defineProperty(prototype, 'buffer', {
    configurable: true,
    get() {
      const found = buffer.get.call(this);
      globalThis.wasmBytes = found.byteLength;
      return found;
    },
  });
}`;

/** One page is open at a time, so the largest of the browser's renderers is that page's. */
async function largestRenderer(context: BrowserContext): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const browser = context.browser();
  if (!browser) return null;
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const sizes = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => residentBytes(id));
  return Math.max(...sizes);
}

function residentBytes(pid: number): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0; // It has just ended.
  }
}
