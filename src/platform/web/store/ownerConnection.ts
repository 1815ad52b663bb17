/** The owner that this tab sends its calls to, and the calls that concern this connection alone. */

import type { Done } from '../../sqlite/port';
import type { Call, Reply, Request } from './messages';
import type { PendingCalls } from './pendingCalls';

type PendingCall = ReturnType<PendingCalls['add']>;

export class OwnerConnection {
  /** The owner welcomes this tab when it answers `hello`; it is ready once what it reported as missed is in memory. */
  private owner: { id: string; isWelcome: boolean; isReady: boolean } | null = null;
  /** Calls that end with the connection; all others are sent again to the next owner. */
  private ownCalls: PendingCall[] = [];

  constructor(
    private readonly calls: PendingCalls,
    private readonly transmit: (owner: string, call: Omit<Call, 'from'>) => void,
  ) {}

  get id(): string | null {
    return this.owner?.id ?? null;
  }

  get isWelcome(): boolean {
    return this.owner?.isWelcome ?? false;
  }

  get isReady(): boolean {
    return this.owner?.isReady ?? false;
  }

  open(id: string): void {
    this.owner = { id, isWelcome: false, isReady: false };
  }

  welcome(): void {
    if (this.owner) this.owner.isWelcome = true;
  }

  /** @returns whether there still is a connection */
  becomeReady(): boolean {
    if (!this.owner) return false;
    this.owner.isReady = true;
    return true;
  }

  /** Forgets the owner, and the calls that were for it alone. */
  drop(): void {
    for (const call of this.ownCalls) this.calls.drop(call);
    this.ownCalls = [];
    this.owner = null;
  }

  /** Says goodbye and forgets the owner. */
  leave(): void {
    if (this.owner) this.transmit(this.owner.id, { id: 0, request: { type: 'bye' } });
    this.owner = null;
  }

  /** Sends a call that any owner may answer, once one is ready. */
  sendIfReady(call: PendingCall): void {
    if (this.owner?.isReady) this.calls.send(call, this.lineTo(this.owner.id));
  }

  /** Sends every call that waits for an answer, in the order of the calls. */
  sendAll(): void {
    if (this.owner) this.calls.sendAll(this.lineTo(this.owner.id));
  }

  /** Calls this owner alone: without an owner nothing is called, and `drop` forgets the call. */
  ask(request: Request, done: Done<unknown>): void {
    if (!this.owner) return;
    const call = this.calls.add(request, (outcome) => {
      this.ownCalls = this.ownCalls.filter((other) => other !== call);
      done(outcome);
    });
    this.ownCalls.push(call);
    this.calls.send(call, this.lineTo(this.owner.id));
  }

  /** @returns whether a reply answers a call of `ask` */
  isOwnAnswer(reply: Reply): boolean {
    return reply.type !== 'notice' && this.ownCalls.some(({ id }) => id === reply.id);
  }

  private lineTo(owner: string) {
    return (call: Omit<Call, 'from'>) => this.transmit(owner, call);
  }
}
