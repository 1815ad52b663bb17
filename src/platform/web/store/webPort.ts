/**
 * A tab's store: forwards calls to the owner, the worker that holds the database now, which may be that of
 * another tab. Replies are handled in the order of their arrival, each after the foreign writes before it are
 * in memory.
 */

import type { AppSchema } from '@nozbe/watermelondb';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import { v7 as uuidv7 } from 'uuid';
import { ConvoyError, type StorageError } from '@/core/errors';
import { fail, ok, type Result } from '@/core/result';
import type { Replica, SalvageReport, SalvageRules } from '@/core/storage';
import type { SqlValue } from '../../sqlite/handle';
import type { Done, Outcome, StorePort } from '../../sqlite/port';
import type { EncodedBatch } from '../../sqlite/store';
import { TroubleListeners } from '../../sqlite/troubleListeners';
import { ForeignWrites } from './foreignWrites';
import { Link, type LinkOptions } from './link';
import { locks, type Reply, type Request, versionOf, type Welcome } from './messages';
import { OwnerConnection } from './ownerConnection';
import { PendingCalls } from './pendingCalls';
import { ReplyQueue } from './replyQueue';
import { SharedLock } from './sharedLock';
import { Suspension } from './suspension';

export interface WebPortOptions {
  name: string;
  schema: AppSchema;
  migrations: SchemaMigrations;
  salvage?: SalvageRules;
  /** ms to wait for the write lock before it is taken from the tab that holds it. */
  patienceMs?: number;
  /** Called once when the port can neither read nor write any more. */
  onClosed?: () => void;
}

/** The browser's part of a port; tests pass their own, which lose and delay messages. */
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

/** ms between two questions of a waiting tab for the owner: the announcement of an owner may be lost. */
const ASK_MS = 1_000;

export class WebPort implements StorePort {
  private readonly writer = uuidv7();
  private readonly link: ReturnType<PortParts['link']>;
  private readonly writeLock: ReturnType<PortParts['lock']>;
  private readonly calls = new PendingCalls();
  /** `locked` and `overtaken` concern only the caller of the write. */
  private readonly trouble = new TroubleListeners(['locked', 'overtaken']);
  private readonly suspension = new Suspension();
  private readonly connection = new OwnerConnection(this.calls, (owner, call) => this.link.send(owner, call));
  private readonly replies = new ReplyQueue(
    (reply) => this.handle(reply),
    () => this.foreignWrites.readDeferred(),
  );
  private readonly foreignWrites = new ForeignWrites({
    replies: this.replies,
    readRows: (wanted, done) => this.connection.ask({ type: 'rows', wanted }, done),
    isWriting: (table, id) => this.calls.isWriting(table, id),
    isReady: () => this.connection.isReady,
    onFailed: (error) => this.end(error),
  });
  private salvageReport: SalvageReport | null = null;
  /** The number of the latest batch whose records are in memory, as far as the replica holds them. */
  private seen: number | null = null;
  private requests = 0;
  /** While this tab is the only writer: the latest batch before the next one of this tab. */
  private writingSince: number | null = null;
  private ended: StorageError | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private onOpen: (result: Result<WebPort, StorageError>) => void = () => undefined;

  private constructor(
    private readonly options: WebPortOptions,
    parts: PortParts,
  ) {
    this.writeLock = parts.lock(locks.write(options.name), options.patienceMs);
    this.link = parts.link({
      ...options,
      salvage: options.salvage,
      onOwner: (id) => this.connect(id),
      onReply: (reply) => this.replies.receive(reply, this.connection.isOwnAnswer(reply)),
      onFailed: (error) => this.end(error),
    });
  }

  /** @returns the port once a worker serves the database, or why none can */
  static open(options: WebPortOptions, parts = PARTS): Promise<Result<WebPort, StorageError>> {
    return new Promise((resolve) => {
      const port = new WebPort(options, parts);
      port.onOpen = resolve;
      port.resume();
    });
  }

  attach(replica: Replica): void {
    this.foreignWrites.replica = replica;
  }

  get salvaged(): SalvageReport | null {
    return this.salvageReport;
  }

  onTrouble(listener: (error: StorageError | null) => void): void {
    this.trouble.add(listener);
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
      if ('value' in outcome) this.trouble.reportRoom();
      done(outcome as Outcome<void>);
      this.foreignWrites.readDeferred();
    });
  }

  exec(sql: string, done: Done<void>): void {
    this.ask({ type: 'exec', sql }, done as Done<unknown>);
  }

  reset(done: Done<void>): void {
    const request = this.nextRequest();
    this.ask({ type: 'reset', request, since: this.writingSince }, done as Done<unknown>);
  }

  exportTo(owner: string, done: Done<Uint8Array>): void {
    this.ask({ type: 'export', owner }, done as Done<unknown>);
  }

  importFrom(bytes: Uint8Array, owner: string, done: Done<void>): void {
    const request = this.nextRequest();
    const call: Request = { type: 'import', bytes, owner, request, since: this.writingSince };
    this.ask(
      call,
      (outcome) => {
        if ('value' in outcome) this.trouble.reportRoom();
        done(outcome as Outcome<void>);
      },
      (error) => this.trouble.reportImport(error),
    );
  }

  catchUp(): Promise<void> {
    return this.whileSoleWriter(async () => undefined);
  }

  async whileSoleWriter<T>(work: () => Promise<T>): Promise<T> {
    // A suspended page that takes the lock would keep all other tabs waiting.
    while (this.suspension.over) await this.suspension.over;
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
    this.suspension.end();
    this.foreignWrites.replica = null;
    this.connection.leave();
    await this.link.close();
    this.ended ??= { kind: 'storage', code: 'unavailable', message: 'The local database is closed.' };
    this.calls.failAll(this.ended);
    this.options.onClosed?.();
  }

  /** The page is frozen or put away: lets go of everything that other tabs might wait for. */
  suspend(): void {
    clearInterval(this.timer);
    this.disconnect();
    this.link.stop();
    this.suspension.begin();
  }

  /** The page is shown again, or for the first time. */
  resume(): void {
    this.suspension.end();
    if (this.ended) return;
    this.timer = setInterval(() => {
      if (this.calls.size > 0 || !this.connection.isReady) this.link.askWhoOwns();
    }, ASK_MS);
    this.link.start();
  }

  /** Whether this tab's own worker holds the database. */
  get isOwner(): boolean {
    return this.connection.id !== null && this.link.isOwn(this.connection.id);
  }

  /** Ends this tab's worker as a crash would; for tests. */
  killWorker(): void {
    this.link.killWorker();
  }

  private nextRequest(): string {
    this.requests += 1;
    return `${this.writer}.${this.requests}`;
  }

  /** Resolves when every batch before this call is in memory. */
  private caughtUp(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.ask({ type: 'catchUp' }, (outcome) => {
        if ('error' in outcome) reject(outcome.error);
        else resolve();
      });
    });
  }

  private ask(
    request: Request,
    done: Done<unknown>,
    report = (error: Error) => this.trouble.report(error),
  ): void {
    if (this.ended) {
      done({ error: new ConvoyError(this.ended) });
      return;
    }
    const call = this.calls.add(request, (outcome, seq) => {
      if (seq !== null) this.wroteBatch(seq);
      if ('error' in outcome) report(outcome.error);
      done(outcome);
    });
    this.connection.sendIfReady(call);
  }

  /** Says hello to an owner that is new, or has not answered yet. */
  private connect(id: string): void {
    const isSame = this.connection.id === id;
    if (this.ended || (isSame && this.connection.isReady)) return;
    if (isSame && this.replies.isHolding) return;
    this.disconnect();
    this.connection.open(id);
    const since = this.foreignWrites.replica ? this.seen : null;
    const hello: Request = { type: 'hello', version: versionOf(this.options.schema), since };
    this.connection.ask(hello, (outcome) => {
      if ('value' in outcome) this.takeWelcome(outcome.value as Welcome);
      else if (outcome.error instanceof ConvoyError && outcome.error.detail.kind === 'storage') {
        this.end(outcome.error.detail);
      }
    });
  }

  private takeWelcome({ seq, missed, salvaged }: Welcome): void {
    this.connection.welcome();
    this.learnOfSalvage(salvaged);
    this.foreignWrites.takeOver(missed ?? {}, () => {
      // Not the greater of the two: another database counts its batches from another number.
      this.seen = seq;
      this.becomeReady();
    });
  }

  /** A new database may replace a damaged one while this tab stays open. */
  private learnOfSalvage(report: SalvageReport | null): void {
    const isNew = report?.keptAs !== this.salvageReport?.keptAs;
    this.salvageReport = report;
    if (isNew) this.trouble.notify();
  }

  private becomeReady(): void {
    if (!this.connection.becomeReady()) return;
    this.foreignWrites.readDeferred();
    this.connection.sendAll();
    this.onOpen(ok(this));
  }

  private disconnect(): void {
    this.connection.drop();
    this.replies.clear();
  }

  private handle(reply: Reply): void {
    if (reply.type !== 'notice') {
      this.calls.answer(reply);
      return;
    }
    // The answer to `hello` includes what earlier notices are about.
    if (!this.connection.isWelcome || (this.seen !== null && reply.seq <= this.seen)) return;
    this.foreignWrites.takeOver(reply.written, () => this.sawUpTo(reply.seq));
  }

  /**
   * A batch of this tab was applied. No other tab wrote between it and `writingSince`, which moves along because
   * the change log remembers only the latest batches.
   */
  private wroteBatch(seq: number): void {
    this.sawUpTo(seq);
    if (this.writingSince !== null) this.writingSince = Math.max(this.writingSince, seq);
  }

  private sawUpTo(seq: number): void {
    this.seen = Math.max(this.seen ?? 0, seq);
  }

  /** Fails all calls, pending and future ones. */
  private end(error: StorageError): void {
    if (this.ended) return;
    this.ended = error;
    clearInterval(this.timer);
    this.disconnect();
    this.link.stop();
    this.calls.failAll(error);
    this.onOpen(fail(error));
    this.options.onClosed?.();
    this.trouble.report(new ConvoyError(error));
  }
}
