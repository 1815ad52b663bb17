/** Browsers with the storage page: built as the app is, and served as the app is. */

import { mkdtempSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAdaptorServer } from '@hono/node-server';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { webApp } from '@/server/http/webApp';
import type { Place, Tab } from './storagePage/tab';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Builds the page as the app is built. @returns its folder, which the caller removes */
export async function buildStoragePage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'convoy-storage-page-'));
  await build({
    configFile: path('../../vite.config.ts'),
    mode: 'variant',
    root: path('./storagePage'),
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true, sourcemap: false },
  });
  return folder;
}

/** What the storage page needs of a browser's page, whichever tool drives it. */
export interface LabPage {
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  /** The types that the tools give it have nothing in common; `inPage` calls it. */
  evaluate(...given: never[]): Promise<unknown>;
  exposeFunction(name: string, work: (what: string) => void): Promise<unknown>;
  isClosed(): boolean;
  close(): Promise<void>;
}

/** Its pages share their storage. */
export interface LabContext<Opened extends LabPage = LabPage> {
  newPage(): Promise<Opened>;
}

/** Runs a function in the page. @returns what it resolves to */
function inPage<Told, Argument = undefined>(
  page: LabPage,
  work: (argument: Argument) => Told | Promise<Told>,
  argument?: Argument,
): Promise<Told> {
  return page.evaluate(...([work, argument] as never[])) as Promise<Told>;
}

/** A server for the storage page. */
export class StorageLab {
  private constructor(
    readonly url: string,
    private readonly server: Server,
  ) {}

  /**
   * @param folder where the built page is
   * @param host the name by which browsers open it
   */
  static async start(folder: string, host = '127.0.0.1'): Promise<StorageLab> {
    const config = () => ({ supabaseUrl: '', anonKey: '', demo: null });
    const app = webApp({ root: folder, config, connectTo: [] });
    const server = createAdaptorServer({ fetch: app.fetch }) as Server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new StorageLab(`http://${host}:${(server.address() as AddressInfo).port}`, server);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** A tab that has the database open. */
  async openTab<Opened extends LabPage>(
    context: LabContext<Opened>,
    name = 'db',
    onAcknowledged?: (what: string) => void,
  ): Promise<TabPage<Opened>> {
    const page = await this.newPage(context, onAcknowledged);
    const result = await inPage(page, (name) => window.storagePage.open(name), name);
    if (result !== 'open') throw new Error(`The database does not open: ${result}`);
    return new TabPage(page);
  }

  async newPage<Opened extends LabPage>(
    context: LabContext<Opened>,
    onAcknowledged?: (what: string) => void,
  ): Promise<Opened> {
    const page = await context.newPage();
    if (onAcknowledged) await page.exposeFunction('acknowledged', onAcknowledged);
    // The page's script has run when it is loaded.
    await page.goto(this.url);
    return page;
  }
}

/** A page with an open database. */
export class TabPage<Opened extends LabPage = Page> {
  constructor(readonly page: Opened) {}

  setUp(): Promise<Place> {
    return inPage(this.page, () => window.storagePage.current().setUp());
  }

  write(place: Place, who: string, rounds: number): Promise<number> {
    return inPage(
      this.page,
      ({ place, who, rounds }) => window.storagePage.current().write(place, who, rounds),
      { place, who, rounds },
    );
  }

  stopWriting(): Promise<void> {
    return inPage(this.page, () => window.storagePage.current().stopWriting());
  }

  isOpen(): Promise<boolean> {
    return inPage(this.page, () => window.storagePage.isOpen());
  }

  stored(): Promise<string[]> {
    return inPage(this.page, () => window.storagePage.current().stored());
  }

  watch(place: Place): Promise<void> {
    return inPage(this.page, (place) => window.storagePage.current().watch(place), place);
  }

  titlesShown(): Promise<string[]> {
    return inPage(this.page, () => window.storagePage.current().titlesShown);
  }

  /** Codes of the errors that the store reported by itself. */
  troubles(): Promise<string[]> {
    return inPage(this.page, () => window.storagePage.current().troubles);
  }

  sql(text: string): Promise<unknown[][]> {
    return inPage(this.page, (text) => window.storagePage.current().sql(text), text);
  }

  /** @returns 'ok' or the code of the error */
  createTask(place: Place, title: string): Promise<string> {
    return inPage(
      this.page,
      ({ place, title }) => {
        const { current, outcome } = window.storagePage;
        return outcome(current().createTask(place, title));
      },
      { place, title },
    );
  }

  /** @returns 'ok' or the code of the error */
  updateTask(id: string, values: Parameters<Tab['updateTask']>[1]): Promise<string> {
    return inPage(
      this.page,
      ({ id, values }) => {
        const { current, outcome } = window.storagePage;
        return outcome(current().updateTask(id, values));
      },
      { id, values },
    );
  }

  task(id: string): Promise<Awaited<ReturnType<Tab['task']>>> {
    return inPage(this.page, (id) => window.storagePage.current().task(id), id);
  }

  killWorker(): Promise<void> {
    return inPage(this.page, () => window.storagePage.current().port.killWorker());
  }

  /** Its worker has committed a batch, and dies before this page hears of it. */
  dieUnanswered(): Promise<void> {
    return inPage(this.page, () => window.storagePage.dieUnanswered());
  }

  /** Whether its worker holds the database. */
  isOwner(): Promise<boolean> {
    return inPage(this.page, () => window.storagePage.current().port.isOwner);
  }
}

/** @returns the items that are missing, and those that are there more than once */
export function compare(acknowledged: Iterable<string>, stored: readonly string[]) {
  const counts = new Map<string, number>();
  for (const item of stored) counts.set(item, (counts.get(item) ?? 0) + 1);
  return {
    lost: [...acknowledged].filter((item) => !counts.has(item)),
    twice: [...counts].filter(([, count]) => count > 1).map(([item]) => item),
  };
}
