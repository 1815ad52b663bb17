/** Serves a store to all tabs: answers their calls in order, and notifies each of the writes of the others. */

import type { StorageError } from '@/core/errors';
import { newerSchema } from '../../sqlite/changeLog';
import { SqliteFailure, storageError } from '../../sqlite/handle';
import type { Logged, SqliteStore } from '../../sqlite/store';
import { type Call, compareVersions, type Reply, type Request, type Version, type Welcome } from './messages';

export interface OwnerOptions {
  store: SqliteStore;
  version: Version;
  /** @returns a connection to a tab */
  reach(tab: string): Peer;
  /** A tab runs newer code: this owner must close the database and leave it to that tab's worker. */
  onNewerCode(version: Version): void;
  /** The database is damaged. Resolves when that is noted on disk, so that the next owner knows. */
  onDamage(): Promise<void>;
}

/** A connection to a tab. */
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
    // A tab that has not said hello has not said which batches it has seen: it cannot be answered yet.
    if (!tab) return;
    try {
      const [value, seq] = this.answer(from, request);
      tab.send({ type: 'answer', id, value, seq });
    } catch (error) {
      void this.refuse(from, tab, id, error);
    }
  }

  private async refuse(from: string, tab: Peer, id: number, error: unknown): Promise<void> {
    // Noted before the reply: the tab may close everything at once, and the next owner must find the note.
    if (error instanceof SqliteFailure && error.detail.code === 'corrupt') await this.options.onDamage();
    if (this.tabs.get(from) !== tab) return;
    tab.send({ type: 'failure', id, error: asSendable(error) });
  }

  /** Closes the connections to all tabs. */
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

  /** @returns the answer, and for a batch its number in the change log */
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
      case 'reset': {
        if (store.hasApplied(request.request)) return [null, null];
        this.refuseOvertaken(request.request, request.since);
        const logged = store.reset(request.request);
        this.notifyOthers(from, logged);
        return [null, logged.seq];
      }
      case 'export':
        return [store.exportFile(request.owner), null];
      case 'import': {
        if (store.hasApplied(request.request)) return [null, null];
        this.refuseOvertaken(request.request, request.since);
        const { seq, written } = store.importFile(request.bytes, request.owner, request.request);
        // The requesting tab is notified too: like all tabs, it has the replaced records in memory.
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
    if (Object.keys(logged.written).length > 0) this.notifyOthers(from, logged);
    return logged.seq;
  }

  private notifyOthers(from: string, { seq, written }: Logged): void {
    for (const [id, tab] of this.tabs) if (id !== from) tab.send({ type: 'notice', seq, written });
  }

  /** Refuses a write of a tab whose write lock was stolen while it was suspended (D42). */
  private refuseOvertaken(request: string | null, since: number | null): void {
    if (since !== null && this.options.store.othersWroteSince(since, writerOf(request))) {
      throw new SqliteFailure(storageError('overtaken'));
    }
  }
}

/** @returns the prefix of a request id `<writer>.<number>`, dot included */
function writerOf(request: string | null): string {
  return request === null ? '' : request.slice(0, request.indexOf('.') + 1);
}

/** @returns an error in a form that can be sent: a storage error as it is, of any other the message */
export function asSendable(error: unknown): StorageError | string {
  if (error instanceof SqliteFailure) return error.detail;
  return error instanceof Error ? error.message : String(error);
}
