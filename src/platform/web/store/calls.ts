/** Calls that wait for an answer, and go to the next owner when theirs is gone. */

import { ConvoyError, type StorageError } from '@/core/errors';
import { storageError } from '../../sqlite/handle';
import type { Outcome } from '../../sqlite/port';
import type { Call, Reply, Request } from './messages';

interface Waiting {
  request: Request;
  done: (outcome: Outcome<unknown>, seq: number | null) => void;
  /** Its id on the line; another one each time it is sent, so that a late answer is nobody's. */
  id: number | null;
}

export class Calls {
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

  /** Everything again, in the order in which it was asked. */
  sendAll(line: (call: Omit<Call, 'from'>) => void): void {
    for (const call of [...this.waiting]) {
      // Nobody knows whether it was done, and doing it twice is not the same.
      if (call.request.type === 'exec' && call.id !== null) {
        this.settle(call, { error: new ConvoyError(storageError('unavailable', 'its worker ended')) }, null);
      } else {
        this.send(call, line);
      }
    }
  }

  /** Answers to nobody are dropped. */
  answer(reply: Exclude<Reply, { type: 'notice' }>): void {
    const call = this.sent.get(reply.id);
    if (!call) return;
    if (reply.type === 'answer') this.settle(call, { value: reply.value }, reply.seq);
    else this.settle(call, { error: asError(reply.error) }, null);
  }

  /** Forgets a call without an answer. */
  drop(call: Waiting): void {
    this.waiting.delete(call);
    if (call.id !== null) this.sent.delete(call.id);
  }

  failAll(error: StorageError): void {
    for (const call of [...this.waiting]) this.settle(call, { error: new ConvoyError(error) }, null);
  }

  /** @returns whether a batch that waits for its answer writes this record */
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

function asError(told: StorageError | string): Error {
  return typeof told === 'string' ? new Error(told) : new ConvoyError(told);
}
