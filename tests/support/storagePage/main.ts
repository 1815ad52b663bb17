/** A page for tests of the browser's storage: the platform's adapter and a device on it, without the app. */

import { type AppError, ConvoyError } from '@/core/errors';
import { createPlatform } from '@/platform/web';
import { storageAdapterCases } from '../../contract/storageAdapter';
import { damage, failInstall, holdFiles, sizeOf, tearReplacement } from './files';
import { type Place, Tab } from './tab';

declare global {
  interface Window {
    /** Calls back into the test: this was acknowledged. */
    acknowledged?: (what: string) => void;
    storagePage: typeof storagePage;
  }
}

/** Set while the worker of this page is to end when it answers a batch next, and the answer to be lost with it. */
let onDeath: (() => void) | null = null;

globalThis.Worker = class extends Worker {
  override set onmessage(listener: (event: MessageEvent) => void) {
    super.onmessage = (event: MessageEvent) => {
      const { type, reply } = event.data;
      const isAnswer = type === 'reply' && reply.type === 'answer' && reply.seq !== null;
      if (onDeath && isAnswer) {
        this.terminate();
        onDeath();
        onDeath = null;
      } else {
        listener(event);
      }
    };
  }
};

let tab: Tab | null = null;

/** Each resolves to plain data; errors are given by their code. */
const storagePage = {
  /**
   * @param ahead versions by which this page's code is newer
   * @param patienceMs how long it waits for a tab that writes
   */
  async open(name: string, ahead = 0, patienceMs?: number): Promise<string> {
    try {
      const opened = await Tab.open(name, ahead, patienceMs);
      if (!opened.ok) return told(opened.error);
      tab = opened.value;
      return 'open';
    } catch (error) {
      // The device reads as soon as it is open.
      return error instanceof ConvoyError ? told(error.detail) : String(error);
    }
  },
  current(): Tab {
    if (!tab) throw new Error('Nothing is open.');
    return tab;
  },
  isOpen: () => tab !== null,
  /** Resolves when the worker has ended. */
  dieUnanswered: (): Promise<void> =>
    new Promise((resolve) => {
      onDeath = resolve;
    }),
  async close(): Promise<void> {
    await tab?.close();
    tab = null;
  },
  remove: (name: string): Promise<string> => storagePage.outcome(createPlatform().removeDatabase(name)),
  has: (name: string) => createPlatform().hasDatabase(name),
  caseTitles: storageAdapterCases.map(({ title }) => title),
  /** Runs one case of the contract of storage adapters; rejects where it does not hold. */
  async runCase(title: string): Promise<void> {
    const platform = createPlatform();
    await storageAdapterCases
      .find((one) => one.title === title)
      ?.run({
        async open(options) {
          const opened = await platform.openAdapter(options);
          if (!opened.ok) throw new ConvoyError(opened.error);
          return opened.value as never;
        },
      });
  },
  holdFiles,
  failInstall,
  damage,
  sizeOf,
  tearReplacement,
  /** Names of the locks that are held by pages and workers of this origin. */
  async locksHeld(): Promise<string[]> {
    const { held = [] } = await navigator.locks.query();
    return held.map(({ name }) => name ?? '').sort();
  },
  slowMark: async (place: Place, mark: string): Promise<string> =>
    storagePage.outcome(storagePage.current().slowMark(place, mark)),
  /** @returns the code of the error, or 'ok' */
  async outcome(work: Promise<unknown>): Promise<string> {
    try {
      await work;
      return 'ok';
    } catch (error) {
      return error instanceof ConvoyError ? told(error.detail) : String(error);
    }
  },
};

/** The code of an error, or its message where it has none. */
function told({ code, message }: AppError): string {
  return code === 'unavailable' ? message : code;
}

window.storagePage = storagePage;
