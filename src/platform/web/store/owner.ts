/** Serves a store to all tabs: answers their calls in order, and tells each what the others wrote. */

import type { StorageError } from '@/core/errors';
import { newerSchema } from '../../sqlite/changeLog';
import { SqliteFailure, storageError } from '../../sqlite/handle';
import type { SqliteStore } from '../../sqlite/store';
import { type Call, compareVersions, type Reply, type Request, type Version, type Welcome } from './messages';

export interface OwnerOptions {
  store: SqliteStore;
  version: Version;
  /** @returns how to reach a tab */
  reach(tab: string): Peer;
  /** A tab runs newer code: the database has to be left to it. */
  onNewerCode(version: Version): void;
  /** The database turns out to be damaged. Resolves when that will be known after the death of everybody. */
  onDamage(): Promise<void>;
}

/** The way to a tab. */
export interface Peer {
  send(reply: Reply): void;
  /** Calls back once when the tab is gone. */
  onGone(listener: () => void): void;
  close(): void;
}

export class Owner {
  private readonly tabs = new Map<string, Peer>();

  constructor(private readonly options: OwnerOptions) {}

  handle({ from, id, request }: Call): void {
    if (request.type === 'hello' && compareVersions(request.version, this.options.version) > 0) {
      this.options.onNewerCode(request.version);
      return;
    }
    if (request.type === 'bye') {
      this.forget(from);
      return;
    }
    const tab = this.tabs.get(from) ?? (request.type === 'hello' ? this.welcome(from) : null);
    // Who has not said hello has not said either what it has seen.
    if (!tab) return;
    try {
      const [value, seq] = this.answer(from, request);
      tab.send({ type: 'answer', id, value, seq });
    } catch (error) {
      void this.refuse(from, tab, id, error);
    }
  }

  private async refuse(from: string, tab: Peer, id: number, error: unknown): Promise<void> {
    // Whoever is told may close everything at once, and whoever opens the database next has to know.
    if (error instanceof SqliteFailure && error.detail.code === 'corrupt') await this.options.onDamage();
    if (this.tabs.get(from) !== tab) return;
    tab.send({ type: 'failure', id, error: told(error) });
  }

  /** Tells nobody anything any more. */
  close(): void {
    for (const tab of this.tabs.values()) tab.close();
    this.tabs.clear();
  }

  private welcome(from: string): Peer {
    const tab = this.options.reach(from);
    this.tabs.set(from, tab);
    tab.onGone(() => this.forget(from));
    return tab;
  }

  private forget(from: string): void {
    this.tabs.get(from)?.close();
    this.tabs.delete(from);
  }

  /** @returns the answer, and the number of the batch where it was one */
  private answer(from: string, request: Exclude<Request, { type: 'bye' }>): [unknown, number | null] {
    const { store, version } = this.options;
    switch (request.type) {
      case 'hello': {
        if (compareVersions(request.version, version) < 0) {
          throw newerSchema(version.schema, request.version.schema);
        }
        const { since } = request;
        const seq = store.latest();
        const missed = since === null || since === seq ? null : store.writtenSince(since);
        return [{ seq, missed, salvaged: store.salvaged() } satisfies Welcome, null];
      }
      case 'select':
        return [store.select(request.sql, request.args), null];
      case 'selectAll':
        return [store.selectAll(request.queries), null];
      case 'batch':
        return [null, this.write(from, request)];
      case 'exec':
        store.exec(request.sql);
        return [null, null];
      case 'export':
        return [store.exportFile(request.owner), null];
      case 'import': {
        if (store.hasApplied(request.request)) return [null, null];
        this.refuseOvertaken(request.request, request.since);
        const { seq, written } = store.importFile(request.bytes, request.owner, request.request);
        // The one who asked has the old records in memory, as all have.
        for (const tab of this.tabs.values()) tab.send({ type: 'notice', seq, written });
        return [null, null];
      }
      case 'rows':
        return [request.wanted.map(({ table, ids }) => store.rowsOf(table, ids)), null];
      case 'catchUp':
        return [null, null];
    }
  }

  private write(from: string, { batch, since }: Extract<Request, { type: 'batch' }>): number | null {
    const { store } = this.options;
    const isAnswered = batch.request !== null && store.hasApplied(batch.request);
    if (!isAnswered) this.refuseOvertaken(batch.request, since);
    const logged = store.batch(batch);
    if (!logged) return null;
    const { seq, written } = logged;
    if (Object.keys(written).length > 0) {
      for (const [id, tab] of this.tabs) if (id !== from) tab.send({ type: 'notice', seq, written });
    }
    return seq;
  }

  /** Only a tab that was asleep for long while it wrote finds that others did not wait for it. */
  private refuseOvertaken(request: string | null, since: number | null): void {
    if (since !== null && this.options.store.othersWroteSince(since, writerOf(request))) {
      throw new SqliteFailure(storageError('overtaken'));
    }
  }
}

/** Requests are named by their writer, a dot, and a number. */
function writerOf(request: string | null): string {
  return request === null ? '' : request.slice(0, request.indexOf('.') + 1);
}

/** An error as it can be sent. */
export function told(error: unknown): StorageError | string {
  if (error instanceof SqliteFailure) return error.detail;
  return error instanceof Error ? error.message : String(error);
}
