/** A sync transport whose next requests can be made to fail. */

import type { SyncError, TransportError } from '@/core/errors';
import type {
  PullAnswer,
  PullRequest,
  PushRequest,
  SettleRequest,
  StepRequest,
  SyncTransport,
} from '@/core/protocol';
import { fail } from '@/core/result';

type Direction = 'pull' | 'push' | 'settle' | 'step';
type Request = PullRequest | PushRequest | SettleRequest | StepRequest;
type Fault =
  /** The server never sees the request. */
  | { what: 'lose_request' }
  /** The server carries out the request, and its answer is lost with the connection. */
  | { what: 'lose_response' }
  /** The server carries out the request, and the device gives up before it hears of it. */
  | { what: 'time_out' }
  /** The server gets the request twice; the device hears the second answer. */
  | { what: 'deliver_twice' }
  | { what: 'fail'; error: SyncError }
  | { what: 'delay'; ms: number }
  /** Waits until the test lets it go. */
  | { what: 'hold'; until: Promise<void> };

export const OFFLINE: TransportError = {
  kind: 'transport',
  code: 'offline',
  message: 'The server cannot be reached.',
};
const TIMEOUT: SyncError = {
  kind: 'transport',
  code: 'timeout',
  message: 'The server did not answer in time.',
};

/** Wraps a transport; each planned fault hits one request, in the order of planning. */
export class FaultyTransport implements SyncTransport {
  /** All requests, lost ones included. */
  readonly requests: { direction: Direction; request: Request }[] = [];
  /** How often a person's sync ended a wait. The inner transport is not told. */
  waitsEnded = 0;
  private readonly planned: Record<Direction, Fault[]> = { pull: [], push: [], settle: [], step: [] };
  private offline = false;
  private change: ((answer: PullAnswer) => void) | null = null;

  constructor(private readonly inner: SyncTransport) {}

  endWait(): void {
    this.waitsEnded += 1;
  }

  /** Plans a fault for the next request of this direction that has none yet. */
  next(direction: Direction, ...faults: Fault[]): this {
    this.planned[direction].push(...faults);
    return this;
  }

  loseNextRequest(direction: Direction): this {
    return this.next(direction, { what: 'lose_request' });
  }

  loseNextResponse(direction: Direction): this {
    return this.next(direction, { what: 'lose_response' });
  }

  deliverNextTwice(direction: Direction): this {
    return this.next(direction, { what: 'deliver_twice' });
  }

  failNext(direction: Direction, error: SyncError, times = 1): this {
    return this.next(direction, ...Array.from({ length: times }, () => ({ what: 'fail', error }) as const));
  }

  delayNext(direction: Direction, ms: number): this {
    return this.next(direction, { what: 'delay', ms });
  }

  /** Holds the next request back until the returned function is called. */
  holdNext(direction: Direction): () => void {
    let release = () => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.next(direction, { what: 'hold', until });
    return release;
  }

  /** While offline every request fails, planned faults are kept. */
  setOffline(offline: boolean): this {
    this.offline = offline;
    return this;
  }

  /** Changes the answers to pulls before the device sees them; null: not any more. */
  changePages(change: ((answer: PullAnswer) => void) | null): void {
    this.change = change;
  }

  count(direction: Direction): number {
    return this.requests.filter((made) => made.direction === direction).length;
  }

  pull: SyncTransport['pull'] = (request, signal) =>
    this.run('pull', request, async () => {
      const answered = await this.inner.pull(request, signal);
      if (answered.ok) this.change?.(answered.value);
      return answered;
    });

  push: SyncTransport['push'] = (request, signal) =>
    this.run('push', request, () => this.inner.push(request, signal));

  settle: SyncTransport['settle'] = (request, changes, signal) =>
    this.run('settle', request, () => this.inner.settle(request, changes, signal));

  step: SyncTransport['step'] = (request, signal) =>
    this.run('step', request, () => this.inner.step(request, signal));

  private async run<Answer>(
    direction: Direction,
    request: Request,
    send: () => Promise<Answer>,
  ): Promise<Answer | ReturnType<typeof fail<SyncError>>> {
    // A copy: a device that changes its request between two attempts is to be caught.
    this.requests.push({ direction, request: structuredClone(request) });
    if (this.offline) return fail(OFFLINE);
    const fault = this.planned[direction].shift();
    switch (fault?.what) {
      case undefined:
        return send();
      case 'lose_request':
        return fail(OFFLINE);
      case 'lose_response':
        await send();
        return fail(OFFLINE);
      case 'time_out':
        await send();
        return fail(TIMEOUT);
      case 'deliver_twice':
        await send();
        return send();
      case 'fail':
        return fail(fault.error);
      case 'delay':
        await new Promise((resolve) => setTimeout(resolve, fault.ms));
        return send();
      case 'hold':
        await fault.until;
        return send();
    }
  }
}
