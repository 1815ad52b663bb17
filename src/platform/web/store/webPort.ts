/**
 * A tab's store: forwards to whichever tab's worker holds the database now, and takes over what other
 * tabs write. Replies are handled in the order in which they come, so that nothing is answered from a
 * state that the records in memory have not reached.
 */

import type { AppSchema } from '@nozbe/watermelondb';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import { v7 as uuidv7 } from 'uuid';
import { ConvoyError, type StorageError } from '@/core/errors';
import { fail, ok, type Result } from '@/core/result';
import type { Replica, SalvageReport, SalvageRules, StoredRow } from '@/core/storage';
import type { Written } from '../../sqlite/changeLog';
import { changeOf, wantedOf } from '../../sqlite/foreignChanges';
import { type SqlValue, storageError } from '../../sqlite/handle';
import type { Done, Outcome, StorePort } from '../../sqlite/port';
import type { EncodedBatch } from '../../sqlite/store';
import { Calls } from './calls';
import { Link, type LinkOptions } from './link';
import { locks, type Reply, type Request, versionOf, type Welcome } from './messages';
import { SharedLock } from './sharedLock';

export interface WebPortOptions {
  name: string;
  schema: AppSchema;
  migrations: SchemaMigrations;
  salvage?: SalvageRules;
  /** ms to wait for a tab that writes and does not come to an end. */
  patienceMs?: number;
  /** Called once when nothing can be read or written any more. */
  onClosed?: () => void;
}

/** What a port stands on; tests bring others, to lose and delay what they carry. */
export interface PortParts {
  link(
    options: LinkOptions,
  ): Pick<Link, 'start' | 'stop' | 'close' | 'send' | 'askWhoOwns' | 'isOwn' | 'killWorker'>;
  lock(name: string, patienceMs?: number): Pick<SharedLock, 'take'>;
}

const PARTS: PortParts = {
  link: (options) => new Link(options),
  lock: (name, patienceMs) => new SharedLock(name, patienceMs),
};

/** ms after which a tab that waits asks who holds the database: nobody may have told it. */
const ASK_MS = 1_000;

export class WebPort implements StorePort {
  private readonly writer = uuidv7();
  private readonly link: ReturnType<PortParts['link']>;
  private readonly calls = new Calls();
  private readonly writeLock: ReturnType<PortParts['lock']>;
  private readonly listeners: ((error: StorageError | null) => void)[] = [];
  private readonly told = new Set<StorageError['code']>();
  private replica: Replica | null = null;
  private salvageReport: SalvageReport | null = null;
  /** The worker that is talked to: it is met when it has said what was missed here, ready when that is taken over. */
  private owner: { id: string; isMet: boolean; isReady: boolean } | null = null;
  /** Records that others wrote while a batch of this tab's wrote them too: read when that is answered. */
  private readonly passedOver = new Map<string, Set<string>>();
  /** Calls of this connection alone, not to be made to the next owner. */
  private ownCalls: ReturnType<Calls['add']>[] = [];
  /** Replies that wait while something is taken over; null: nothing is. */
  private backlog: Reply[] | null = null;
  /** What others wrote is on its way into memory. */
  private isTakingOver = false;
  /** The latest batch that is in memory here, or needs not be. */
  private seen: number | null = null;
  private requests = 0;
  /** Where this tab's writes began, while it is the only writer. */
  private writingSince: number | null = null;
  private ended: StorageError | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  /** Resolves when the page is back; null: it is not away. */
  private away: { isBack: Promise<void>; end: () => void } | null = null;
  private onOpen: (result: Result<WebPort, StorageError>) => void = () => undefined;

  private constructor(
    private readonly options: WebPortOptions,
    parts: PortParts,
  ) {
    this.writeLock = parts.lock(locks.write(options.name), options.patienceMs);
    this.link = parts.link({
      ...options,
      salvage: options.salvage,
      onOwner: (id) => this.meet(id),
      onReply: (reply) => this.receive(reply),
      onFailed: (error) => this.end(error),
    });
  }

  /** @returns the port once some worker serves the database, or why none can */
  static open(options: WebPortOptions, parts = PARTS): Promise<Result<WebPort, StorageError>> {
    return new Promise((resolve) => {
      const port = new WebPort(options, parts);
      port.onOpen = resolve;
      port.wake();
    });
  }

  attach(replica: Replica): void {
    this.replica = replica;
  }

  get salvaged(): SalvageReport | null {
    return this.salvageReport;
  }

  onTrouble(listener: (error: StorageError | null) => void): void {
    this.listeners.push(listener);
    if (this.ended) listener(this.ended);
  }

  select(sql: string, args: readonly SqlValue[], done: Parameters<StorePort['select']>[2]): void {
    this.ask({ type: 'select', sql, args }, done as Done<unknown>);
  }

  selectAll(
    queries: Parameters<StorePort['selectAll']>[0],
    done: Parameters<StorePort['selectAll']>[1],
  ): void {
    this.ask({ type: 'selectAll', queries }, done as Done<unknown>);
  }

  batch(batch: EncodedBatch, done: Done<void>): void {
    const named = { ...batch, request: this.nextRequest() };
    this.ask({ type: 'batch', batch: named, since: this.writingSince }, (outcome) => {
      if ('value' in outcome) this.tellOfRoom();
      done(outcome as Outcome<void>);
      this.readPassedOver();
    });
  }

  private nextRequest(): string {
    this.requests += 1;
    return `${this.writer}.${this.requests}`;
  }

  exec(sql: string, done: Done<void>): void {
    this.ask({ type: 'exec', sql }, done as Done<unknown>);
  }

  exportTo(owner: string, done: Done<Uint8Array>): void {
    this.ask({ type: 'export', owner }, done as Done<unknown>);
  }

  importFrom(bytes: Uint8Array, owner: string, done: Done<void>): void {
    const request = this.nextRequest();
    this.ask({ type: 'import', bytes, owner, request, since: this.writingSince }, done as Done<unknown>);
  }

  catchUp(): Promise<void> {
    return this.whileSoleWriter(async () => undefined);
  }

  async whileSoleWriter<T>(work: () => Promise<T>): Promise<T> {
    // Others would wait for the turn of a page that sleeps.
    while (this.away) await this.away.isBack;
    if (this.ended) throw new ConvoyError(this.ended);
    const release = await this.writeLock.take();
    try {
      if (this.writingSince === null) {
        await this.caughtUp();
        this.writingSince = this.seen;
      }
      return await work();
    } finally {
      if (release()) this.writingSince = null;
    }
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    this.away?.end();
    this.away = null;
    this.replica = null;
    if (this.owner) this.link.send(this.owner.id, { id: 0, request: { type: 'bye' } });
    this.owner = null;
    await this.link.close();
    this.ended ??= { kind: 'storage', code: 'unavailable', message: 'The local database is closed.' };
    this.calls.failAll(this.ended);
    this.options.onClosed?.();
  }

  /** The page is frozen or put away: other tabs must not wait for it. */
  rest(): void {
    clearInterval(this.timer);
    this.disconnect();
    this.link.stop();
    if (this.away) return;
    let end: () => void = () => undefined;
    const isBack = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.away = { isBack, end };
  }

  /** The page is back, or there for the first time. */
  wake(): void {
    this.away?.end();
    this.away = null;
    if (this.ended) return;
    this.timer = setInterval(() => {
      if (this.calls.size > 0 || !this.owner?.isReady) this.link.askWhoOwns();
    }, ASK_MS);
    this.link.start();
  }

  /** Whether this tab's own worker holds the database. */
  get isOwner(): boolean {
    return this.owner !== null && this.link.isOwn(this.owner.id);
  }

  /** Ends this tab's worker as a crash would; for tests. */
  killWorker(): void {
    this.link.killWorker();
  }

  private caughtUp(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.ask({ type: 'catchUp' }, (outcome) => {
        if ('error' in outcome) reject(outcome.error);
        else resolve();
      });
    });
  }

  private ask(request: Request, done: Done<unknown>): void {
    if (this.ended) {
      done({ error: new ConvoyError(this.ended) });
      return;
    }
    const call = this.calls.add(request, (outcome, seq) => {
      if (seq !== null) this.wrote(seq);
      if ('error' in outcome) this.tell(outcome.error);
      done(outcome);
    });
    if (this.owner?.isReady) this.calls.send(call, this.line(this.owner.id));
  }

  private line(owner: string) {
    return (call: Parameters<Link['send']>[1]) => this.link.send(owner, call);
  }

  /** Says hello to an owner that is new, or has not answered yet. */
  private meet(id: string): void {
    if (this.ended || (this.owner?.id === id && this.owner.isReady)) return;
    if (this.owner?.id === id && this.backlog) return;
    this.disconnect();
    this.owner = { id, isMet: false, isReady: false };
    const since = this.replica ? this.seen : null;
    this.askOwner({ type: 'hello', version: versionOf(this.options.schema), since }, (outcome) => {
      if ('error' in outcome) {
        const { error } = outcome;
        if (error instanceof ConvoyError && error.detail.kind === 'storage') this.end(error.detail);
        return;
      }
      const { seq, missed, salvaged } = outcome.value as Welcome;
      if (this.owner) this.owner.isMet = true;
      this.learnOfSalvage(salvaged);
      this.takeOver(missed ?? {}, () => {
        // Of another database the numbers begin elsewhere.
        this.seen = seq;
        this.beReady();
      });
    });
  }

  /** A database may take the place of a damaged one under a tab that stays open. */
  private learnOfSalvage(report: SalvageReport | null): void {
    const isNew = report?.keptAs !== this.salvageReport?.keptAs;
    this.salvageReport = report;
    if (isNew) for (const listener of this.listeners) listener(null);
  }

  private beReady(): void {
    if (!this.owner) return;
    this.owner.isReady = true;
    this.readPassedOver();
    this.calls.sendAll(this.line(this.owner.id));
    this.onOpen(ok(this));
  }

  private disconnect(): void {
    for (const call of this.ownCalls) this.calls.drop(call);
    this.ownCalls = [];
    this.backlog = null;
    this.isTakingOver = false;
    this.owner = null;
  }

  /** Calls the owner that is connected now, and no other. */
  private askOwner(request: Request, done: Done<unknown>): void {
    if (!this.owner) return;
    const call = this.calls.add(request, (outcome) => {
      this.ownCalls = this.ownCalls.filter((other) => other !== call);
      done(outcome);
    });
    this.ownCalls.push(call);
    this.calls.send(call, this.line(this.owner.id));
  }

  private receive(reply: Reply): void {
    const isOwn = reply.type !== 'notice' && this.ownCalls.some(({ id }) => id === reply.id);
    if (this.backlog && !isOwn) this.backlog.push(reply);
    else this.handle(reply);
  }

  private handle(reply: Reply): void {
    if (reply.type !== 'notice') {
      this.calls.answer(reply);
      return;
    }
    // What is told before the answer to the greeting is part of that.
    if (!this.owner?.isMet || (this.seen !== null && reply.seq <= this.seen)) return;
    this.takeOver(reply.written, () => this.sawUpTo(reply.seq));
  }

  /**
   * Reads what this tab holds of what others wrote; replies wait until it is in memory.
   * @param then called when it is
   */
  private takeOver(written: Written, then: () => void): void {
    const { replica } = this;
    const tables = replica ? wantedOf(written, replica) : [];
    const wanted = tables.filter(({ ids }) => ids?.length !== 0);
    // Who holds nothing of a table is told that it was written to.
    const untouched = tables
      .filter(({ ids }) => ids?.length === 0)
      .map(({ table }) => ({ table, rows: [], gone: [] }));
    if (!replica || wanted.length === 0) {
      if (untouched.length > 0) replica?.takeOver(untouched);
      then();
      return;
    }
    this.backlog ??= [];
    this.isTakingOver = true;
    this.askOwner({ type: 'rows', wanted }, (outcome) => {
      if ('error' in outcome) {
        const { error } = outcome;
        const isStorage = error instanceof ConvoyError && error.detail.kind === 'storage';
        // What is in memory here is old, and will stay so.
        this.end(isStorage ? (error.detail as StorageError) : storageError('unavailable', error.message));
        return;
      }
      const rows = outcome.value as StoredRow[][];
      const changes = wanted.map((ofTable, index) => {
        const { table, ...change } = changeOf(ofTable, rows[index] ?? [], replica);
        return {
          table,
          rows: change.rows.filter(({ id }) => !this.passOver(table, id)),
          gone: change.gone.filter((id) => !this.passOver(table, id)),
        };
      });
      replica.takeOver([...changes, ...untouched]);
      this.isTakingOver = false;
      then();
      this.drain();
    });
  }

  /**
   * Its own batch that has not been answered is in memory as soon as it is, or taken back where it is refused;
   * after that the record is read as it is then.
   */
  private passOver(table: string, id: string): boolean {
    if (!this.calls.isWriting(table, id)) return false;
    const known = this.passedOver.get(table);
    if (known) known.add(id);
    else this.passedOver.set(table, new Set([id]));
    return true;
  }

  private readPassedOver(): void {
    const due: Written = {};
    for (const [table, ids] of this.passedOver) {
      const free = [...ids].filter((id) => !this.calls.isWriting(table, id));
      if (free.length > 0) due[table] = free;
    }
    // Not connected, or busy with others' writes: it is looked for again when that is over.
    if (Object.keys(due).length === 0 || !this.owner?.isReady || this.isTakingOver) return;
    this.takeOver(due, () => {
      for (const [table, ids] of Object.entries(due)) {
        // One that is being written again was passed over again.
        const read = (ids ?? []).filter((id) => !this.calls.isWriting(table, id));
        for (const id of read) this.passedOver.get(table)?.delete(id);
      }
    });
  }

  /** One reply at a time: who was answered goes on before the next is handled. */
  private drain(): void {
    const { backlog } = this;
    if (!backlog) return;
    setTimeout(() => {
      if (this.backlog !== backlog || this.isTakingOver) return;
      const reply = backlog.shift();
      if (!reply) {
        this.backlog = null;
        this.readPassedOver();
        return;
      }
      this.handle(reply);
      this.drain();
    });
  }

  /** Nobody else wrote before this batch since its turn began; the log remembers only the latest ones. */
  private wrote(seq: number): void {
    this.sawUpTo(seq);
    if (this.writingSince !== null) this.writingSince = Math.max(this.writingSince, seq);
  }

  private sawUpTo(seq: number): void {
    this.seen = Math.max(this.seen ?? 0, seq);
  }

  /** The disk was full, and has taken a write again. */
  private tellOfRoom(): void {
    if (this.told.delete('quota')) for (const listener of this.listeners) listener(null);
  }

  /** Nothing can be read or written here any more. */
  private end(error: StorageError): void {
    if (this.ended) return;
    this.ended = error;
    clearInterval(this.timer);
    this.disconnect();
    this.link.stop();
    this.calls.failAll(error);
    this.onOpen(fail(error));
    this.options.onClosed?.();
    this.tell(new ConvoyError(error));
  }

  /** Tells of each kind of trouble once. */
  private tell(error: Error): void {
    if (!(error instanceof ConvoyError) || error.detail.kind !== 'storage') return;
    const { detail } = error;
    // That somebody else writes, or has written, is for whoever wanted to write.
    if (detail.code === 'locked' || detail.code === 'overtaken' || this.told.has(detail.code)) return;
    this.told.add(detail.code);
    for (const listener of this.listeners) listener(detail);
  }
}
