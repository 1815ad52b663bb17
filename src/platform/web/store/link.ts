/** A tab's worker and channels: starts the worker, carries calls and replies, reports who the owner is. */

import type { AppSchema } from '@nozbe/watermelondb';
import type { SchemaMigrations } from '@nozbe/watermelondb/Schema/migrations';
import { v7 as uuidv7 } from 'uuid';
import type { StorageError } from '@/core/errors';
import type { SalvageRules } from '@/core/storage';
import { storageError } from '../../sqlite/handle';
import {
  type Announcement,
  type Call,
  channels,
  type FromWorker,
  locks,
  type Reply,
  type ToWorker,
} from './messages';
import { newWorker } from './storageWorkers';

export interface LinkOptions {
  name: string;
  schema: AppSchema;
  migrations: SchemaMigrations;
  /** The rows that are salvaged where the database is damaged. */
  salvage: SalvageRules | undefined;
  /** This worker is the owner now. May be called repeatedly for the same one. */
  onOwner(id: string): void;
  onReply(reply: Reply): void;
  /** This tab's worker cannot open the database, or had to leave it to newer code. */
  onFailed(error: StorageError): void;
}

/** Restarts of a worker that dies repeatedly, and ms by which each restart waits longer. */
const MOST_RESTARTS = 5;
const RESTART_MS = 200;

export class Link {
  /** Id of this tab for owners; a new one after each suspension. */
  tab = '';
  private worker: { id: string; port: Worker } | null = null;
  private everybody: BroadcastChannel | null = null;
  private inbox: BroadcastChannel | null = null;
  private outbox: { id: string; channel: BroadcastChannel } | null = null;
  private leaveTab: () => void = () => undefined;
  private restarts = 0;

  constructor(private readonly options: LinkOptions) {}

  /** Opens the channels and starts the worker. */
  start(): void {
    const { name } = this.options;
    const tab = uuidv7();
    this.tab = tab;
    // An owner takes a tab without this lock for gone, so owners are ignored until it is held.
    let isKnown = false;
    this.leaveTab = hold(locks.alive(tab), () => {
      isKnown = true;
      if (this.tab === tab) this.askWhoOwns();
    });
    this.inbox = new BroadcastChannel(channels.inbox(name, this.tab));
    this.inbox.onmessage = ({ data }: MessageEvent<Reply>) => this.options.onReply(data);
    this.everybody = new BroadcastChannel(channels.public(name));
    this.everybody.onmessage = ({ data }: MessageEvent<Announcement>) => {
      if (data.type === 'owner' && isKnown) this.options.onOwner(data.id);
    };
    this.startWorker();
  }

  /** Ends the worker and closes the channels at once; `start` may be called again. */
  stop(): void {
    this.dropWorker();
    this.everybody?.close();
    this.inbox?.close();
    this.outbox?.channel.close();
    this.everybody = this.inbox = this.outbox = null;
    this.leaveTab();
  }

  /** Lets the worker finish its work and close the database, then stops. */
  async close(): Promise<void> {
    const { worker } = this;
    if (worker) {
      const closed = new Promise<void>((resolve) => {
        worker.port.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
          if (data.type === 'closed') resolve();
        });
      });
      this.worker = null;
      worker.port.postMessage({ type: 'close' } satisfies ToWorker);
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 2_000))]);
      worker.port.terminate();
    }
    this.stop();
  }

  askWhoOwns(): void {
    this.everybody?.postMessage({ type: 'whoOwns' } satisfies Announcement);
  }

  send(owner: string, call: Omit<Call, 'from'>): void {
    const full: Call = { from: this.tab, ...call };
    if (this.worker?.id === owner) {
      this.worker.port.postMessage({ type: 'call', call: full } satisfies ToWorker);
      return;
    }
    if (this.outbox?.id !== owner) {
      this.outbox?.channel.close();
      const channel = new BroadcastChannel(channels.inbox(this.options.name, owner));
      this.outbox = { id: owner, channel };
    }
    this.outbox.channel.postMessage(full);
  }

  isOwn(owner: string): boolean {
    return this.worker?.id === owner;
  }

  /** Ends the worker as a crash would. */
  killWorker(): void {
    this.worker?.port.terminate();
  }

  private startWorker(): void {
    const { name, schema, migrations, salvage } = this.options;
    const id = uuidv7();
    const port = newWorker();
    this.worker = { id, port };
    const isCurrent = () => this.worker?.id === id;
    port.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (!isCurrent()) return;
      switch (data.type) {
        case 'started':
          // The worker holds this lock until it dies.
          void navigator.locks.request(locks.alive(id), () => {
            if (isCurrent()) this.restartWorker(storageError('unavailable', 'the worker ends repeatedly'));
          });
          break;
        case 'owner':
          this.restarts = 0;
          this.options.onOwner(data.id);
          break;
        case 'reply':
          this.options.onReply(data.reply);
          break;
        case 'failed':
          this.dropWorker();
          this.options.onFailed(data.error);
          break;
        case 'unsynced':
        case 'file':
        case 'closed':
          break;
      }
    };
    // The script could not be loaded. Later failures show by messages, or by the lock.
    port.onerror = (event) => {
      event.preventDefault();
      if (isCurrent()) this.restartWorker(storageError('not_loaded'));
    };
    const { tab } = this;
    port.postMessage({ type: 'start', name, id, tab, schema, migrations, salvage } satisfies ToWorker);
  }

  /** @param reason the error to report after too many restarts */
  private restartWorker(reason: StorageError): void {
    this.dropWorker();
    this.restarts += 1;
    if (this.restarts > MOST_RESTARTS) {
      this.options.onFailed(reason);
      return;
    }
    const { tab } = this;
    setTimeout(
      () => {
        if (this.tab === tab && this.everybody && !this.worker) this.startWorker();
      },
      RESTART_MS * (this.restarts - 1),
    );
  }

  private dropWorker(): void {
    this.worker?.port.terminate();
    this.worker = null;
  }
}

/** Requests a lock. @returns a function that releases it */
function hold(name: string, onHeld: () => void): () => void {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  void navigator.locks.request(name, () => {
    onHeld();
    return released;
  });
  return release;
}
