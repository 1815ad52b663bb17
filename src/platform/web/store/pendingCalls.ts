/** Calls that wait for an answer. When their owner is gone, they are sent again to the next one. */

import { ConvoyError, type StorageError } from '@/core/errors';
import { storageError } from '../../sqlite/handle';
import type { Outcome } from '../../sqlite/port';
import type { Call, Reply, Request } from './messages';

interface Waiting {
  request: Request;
  done: (outcome: Outcome<unknown>, seq: number | null) => void;
  /** The id it was sent with last; null: not sent. Each sending has a new id, so a late answer to an earlier one is dropped. */
  id: number | null;
}

export class PendingCalls {
  private readonly waiting = new Set<Waiting>();
  private readonly sent = new Map<number, Waiting>();
  private lastId = 0;

  get size(): number {
    return this.waiting.size;
  }

  add(request: Request, done: Waiting['done']): Waiting {
    const call: Waiting = { request, done, id: null };
    this.waiting.add(call);
    return call;
  }

  send(call: Waiting, line: (call: Omit<Call, 'from'>) => void): void {
    if (call.id !== null) this.sent.delete(call.id);
    this.lastId += 1;
    call.id = this.lastId;
    this.sent.set(call.id, call);
    line({ id: call.id, request: call.request });
  }

  /** Sends all waiting calls, in the order of `add`. */
  sendAll(line: (call: Omit<Call, 'from'>) => void): void {
    for (const call of [...this.waiting]) {
      // The previous owner may have run it, and running it twice could differ.
      if (call.request.type === 'exec' && call.id !== null) {
        this.settle(
          call,
          { error: new ConvoyError(storageError('unavailable', 'the worker ended during the call')) },
          null,
        );
      } else {
        this.send(call, line);
      }
    }
  }

  /** Settles the call of a reply; a reply to an unknown id is dropped. */
  answer(reply: Exclude<Reply, { type: 'notice' }>): void {
    const call = this.sent.get(reply.id);
    if (!call) return;
    if (reply.type === 'answer') this.settle(call, { value: reply.value }, reply.seq);
    else this.settle(call, { error: asError(reply.error) }, null);
  }

  /** Removes a call without settling it. */
  drop(call: Waiting): void {
    this.waiting.delete(call);
    if (call.id !== null) this.sent.delete(call.id);
  }

  failAll(error: StorageError): void {
    for (const call of [...this.waiting]) this.settle(call, { error: new ConvoyError(error) }, null);
  }

  /** @returns whether a pending batch writes this record */
  isWriting(table: string, id: string): boolean {
    for (const { request } of this.waiting) {
      if (request.type === 'batch' && request.batch.written[table]?.includes(id)) return true;
    }
    return false;
  }

  private settle(call: Waiting, outcome: Outcome<unknown>, seq: number | null): void {
    this.drop(call);
    call.done(outcome, seq);
  }
}

function asError(sent: StorageError | string): Error {
  return typeof sent === 'string' ? new Error(sent) : new ConvoyError(sent);
}
