/**
 * Tabs of a browser without one: the real ports, owner, store and databases, over a line that a test can hold
 * up, lose and reorder. Beside the tests in a real browser (tests/proofs/browser/storageTabs.test.ts).
 */

import type { ConvoyDatabase } from '@/lib/watermelon';
import { openDatabase } from '@/lib/watermelon/database';
import { LOCAL_DATABASE, type Task } from '@/lib/watermelon/models';
import { SyncClock } from '@/lib/watermelon/sync';
import { BetterSqliteHandle } from '@/platform/node/betterSqlite';
import { asDatabaseAdapter, SqliteAdapter } from '@/platform/sqlite/adapter';
import { SqliteStore } from '@/platform/sqlite/store';
import type { LinkOptions } from '@/platform/web/store/link';
import { type Call, type Reply, versionOf } from '@/platform/web/store/messages';
import { Owner } from '@/platform/web/store/owner';
import { type PortParts, WebPort } from '@/platform/web/store/webPort';

class FakeLink {
  tab = '';
  isUp = false;
  private starts = 0;

  constructor(
    private readonly line: TabLine,
    readonly name: string,
    readonly options: LinkOptions,
  ) {}

  start(): void {
    this.starts += 1;
    this.tab = `${this.name}${this.starts}`;
    this.isUp = true;
    queueMicrotask(() => this.line.announceTo(this));
  }

  stop(): void {
    this.isUp = false;
  }

  async close(): Promise<void> {
    this.stop();
  }

  askWhoOwns(): void {
    this.line.announceTo(this);
  }

  send(owner: string, call: Omit<Call, 'from'>): void {
    this.line.toOwner.push({ owner, call: structuredClone({ from: this.tab, ...call }) });
    this.line.flow();
  }

  isOwn(): boolean {
    return false;
  }

  killWorker(): void {}
}

export interface LineTab {
  port: WebPort;
  database: ConvoyDatabase;
  /** Announces the owner of the database once more. */
  announce(): void;
}

export class TabLine {
  /** Messages on their way to the owner. */
  readonly toOwner: { owner: string; call: Call }[] = [];
  /** Replies to this tab, by its name, are lost. */
  deafTab: string | null = null;
  private readonly links: FakeLink[] = [];
  private owner: { id: string; owner: Owner } | null = null;
  private owners = 0;
  private isHeld = false;
  private writing: object | null = null;

  /** A worker takes the database over, or opens another one in its place. */
  serve(path: string): SqliteStore {
    const store = SqliteStore.open(new BetterSqliteHandle(path), LOCAL_DATABASE);
    const owner = new Owner({
      store,
      version: versionOf(LOCAL_DATABASE.schema),
      onNewerCode: () => undefined,
      onDamage: async () => undefined,
      reach: (tab) => ({
        send: (reply) => this.reply(tab, reply),
        onGone: () => undefined,
        close: () => undefined,
      }),
    });
    this.owners += 1;
    this.owner = { id: `owner${this.owners}`, owner };
    for (const link of this.links) this.announceTo(link);
    return store;
  }

  async open(name: string): Promise<LineTab> {
    let link: FakeLink | null = null;
    const parts: PortParts = {
      link: (options) => {
        link = new FakeLink(this, name, options);
        this.links.push(link);
        return link;
      },
      lock: () => ({ take: () => this.take() }),
    };
    const { schema, migrations } = LOCAL_DATABASE;
    const opened = await WebPort.open({ name: 'line', schema, migrations }, parts);
    if (!opened.ok) throw new Error(opened.error.message);
    const port = opened.value;
    const adapter = asDatabaseAdapter(new SqliteAdapter({ name: 'line', schema, migrations, port }));
    const database = await openDatabase({ adapter, clock: new SyncClock() });
    if (!database.ok) throw new Error(database.error.message);
    return { port, database: database.value, announce: () => this.announceTo(link as unknown as FakeLink) };
  }

  announceTo(link: FakeLink): void {
    if (link.isUp && this.owner) link.options.onOwner(this.owner.id);
  }

  /** From now on nothing reaches the owner by itself. */
  hold(): void {
    this.isHeld = true;
  }

  release(): void {
    this.isHeld = false;
    this.flow();
  }

  flow(): void {
    if (this.isHeld) return;
    for (let next = this.toOwner.shift(); next; next = this.toOwner.shift()) this.deliver(next);
  }

  /** The first of these on its way arrives now. */
  arrive(type: string, tab: string): void {
    const at = this.toOwner.findIndex(({ call }) => call.request.type === type && call.from.startsWith(tab));
    const [found] = this.toOwner.splice(at, 1);
    if (at < 0 || !found) throw new Error(`No ${type} of ${tab} is on its way.`);
    this.deliver(found);
  }

  /** The lock of writers is taken from a tab that sleeps. */
  stealLock(): void {
    this.writing = null;
  }

  private deliver({ owner, call }: { owner: string; call: Call }): void {
    if (this.owner?.id === owner) this.owner.owner.handle(call);
  }

  private reply(tab: string, reply: Reply): void {
    if (this.deafTab !== null && tab.startsWith(this.deafTab)) return;
    const sent = structuredClone(reply);
    setTimeout(() => {
      const link = this.links.find((one) => one.tab === tab && one.isUp);
      link?.options.onReply(sent);
    });
  }

  private async take(): Promise<() => boolean> {
    while (this.writing) await passed();
    const mine = {};
    this.writing = mine;
    return () => {
      if (this.writing === mine) this.writing = null;
      return true;
    };
  }
}

/** Waits until pending messages have arrived. */
export const passed = (ms = 20) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export function createTitled(database: ConvoyDatabase, title: string): Promise<Task> {
  return database.write(() =>
    database.get<Task>('tasks' as never).create((task) => {
      task.workspaceId = 'w';
      task.title = title;
    }),
  );
}

export function editTask(
  { database }: LineTab,
  task: Task,
  values: Partial<Pick<Task, 'title' | 'description'>>,
): Promise<unknown> {
  return database.write(() => task.update((changed) => Object.assign(changed, values) && undefined));
}
