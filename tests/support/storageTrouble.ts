/** Brings trouble upon the local database of the app, from the pages of its origin. */

import type { BrowserContext, Page } from 'playwright-core';

/** As private windows of some browsers have it. */
export async function keepNothing(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    navigator.storage.getDirectory = () => Promise.reject(new DOMException('No.', 'SecurityError'));
  });
}

/** What the LokiJS adapter of a release had in IndexedDB, by the names of the databases. */
export type LeftInLoki = Record<string, { version: string; chunks: { key: string; value: string }[] }>;

/** Puts databases of LokiJS into the profile, from a page of the origin on which the app does not run. */
export async function restoreLoki(page: Page, left: LeftInLoki): Promise<void> {
  await leaveApp(page);
  await page.evaluate(async (databases) => {
    for (const [name, { version, chunks }] of Object.entries(databases)) {
      const opening = indexedDB.open(name, 1);
      opening.onupgradeneeded = () =>
        opening.result.createObjectStore('LokiIncrementalData', { keyPath: 'key' });
      await new Promise((resolve) => {
        opening.onsuccess = resolve;
      });
      const writing = opening.result.transaction('LokiIncrementalData', 'readwrite');
      for (const chunk of chunks) writing.objectStore('LokiIncrementalData').put(chunk);
      await new Promise((resolve) => {
        writing.oncomplete = resolve;
      });
      opening.result.close();
      localStorage.setItem(`convoy:schema-version:${name}`, version);
    }
  }, left);
}

export interface Patch {
  /** Added to the version of the database. */
  versionBy?: number;
  /** The page of the file that holds this text in a table is overwritten. */
  damageAt?: string;
}

/** Changes the file of the profile's only database, which no tab has open: the app was left. */
export async function patchDatabase(page: Page, patch: Patch): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (await page.evaluate(patchFile, patch)) return;
    await page.goto('/');
    await emptyLog(page);
    await leaveApp(page);
  }
  throw new Error('The log of the database does not stay empty.');
}

/** Goes to a page of the origin on which the app does not run, with or without a server. */
export async function leaveApp(page: Page): Promise<void> {
  const isAway = '**/away';
  await page.route(isAway, (route) => route.fulfill({ contentType: 'text/plain', body: 'Away' }));
  await page.goto('/away');
  await page.unroute(isAway);
}

/** Waits until the storage is idle: it then copies its log into the database, and gives the log's room back. */
export async function emptyLog(page: Page): Promise<void> {
  while (!(await page.evaluate(patchFile, null))) await page.waitForTimeout(100);
}

/**
 * @param patch null: nothing is changed
 * @returns false where a part of the database is still in its log, and nothing was changed
 */
async function patchFile(patch: Patch | null): Promise<boolean> {
  type Folder = FileSystemDirectoryHandle & { values<T>(): AsyncIterable<T> };
  /** Bytes of the VFS before the database, and where SQLite keeps its version. */
  const [header, version] = [4096, 4096 + 60];
  const root = (await (await navigator.storage.getDirectory()).getDirectoryHandle('convoy')) as Folder;
  for await (const database of root.values<FileSystemDirectoryHandle>()) {
    const files = (await database.getDirectoryHandle('.opaque')) as Folder;
    const full: [FileSystemFileHandle, Uint8Array<ArrayBuffer>][] = [];
    for await (const file of files.values<FileSystemFileHandle>()) {
      const read = async () => (await file.getFile()).arrayBuffer();
      // A file that is being written cannot be read.
      const content = await read().catch(() => null);
      if (!content) return false;
      const bytes = new Uint8Array(content);
      if (bytes.length > header) full.push([file, bytes]);
    }
    const [[file, bytes] = [], ...others] = full;
    if (!file || !bytes || others.length > 0) return false;
    if (patch === null) continue;
    const { versionBy = 0, damageAt } = patch;
    const view = new DataView(bytes.buffer);
    view.setUint32(version, view.getUint32(version) + versionBy);
    if (damageAt !== undefined) {
      const size = view.getUint16(header + 16);
      const LEAF_OF_TABLE = 0x0d;
      for (let at = header + size; at < bytes.length; at += size) {
        const text = new TextDecoder('latin1').decode(bytes.subarray(at, at + size));
        if (bytes[at] === LEAF_OF_TABLE && text.includes(damageAt)) bytes.fill(0x5a, at, at + size);
      }
    }
    const writable = await file.createWritable();
    await writable.write(bytes);
    await writable.close();
  }
  return true;
}

/** Sends the greeting of a tab of much newer code to the tab that holds the database. */
export function greetFromNewerCode(page: Page): Promise<void> {
  return page.evaluate(async () => {
    const { held = [] } = await navigator.locks.query();
    const prefix = 'convoy:database:';
    const name = held.find((lock) => lock.name?.startsWith(prefix))?.name?.slice(prefix.length) ?? '';
    const everybody = new BroadcastChannel(`convoy:${name}`);
    const owner = await new Promise<string>((resolve) => {
      everybody.onmessage = ({ data }) => data.type === 'owner' && resolve(data.id);
      everybody.postMessage({ type: 'whoOwns' });
    });
    const request = { type: 'hello', version: { messages: 1, schema: 999 }, since: null };
    new BroadcastChannel(`convoy:${name}:${owner}`).postMessage({ from: 'newer', id: 1, request });
  });
}

/** Lets a test end the workers of the page that have the database; to be called before the page is opened. */
export async function catchWorkers(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const workers: Worker[] = [];
    globalThis.Worker = class extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        if (args[1]?.name === 'convoy') workers.push(this);
      }
    };
    Object.assign(globalThis, { endWorkers: () => workers.splice(0).map((worker) => worker.terminate()) });
  });
}

/** Ends them as a crash does. @returns how many there were */
export function endWorkers(page: Page): Promise<number> {
  return page.evaluate(() => (globalThis as unknown as { endWorkers: () => unknown[] }).endWorkers().length);
}
