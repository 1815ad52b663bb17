/**
 * The replies of an owner, in the order of their arrival. While foreign writes are being read they wait, so that
 * no caller gets an answer that is newer than the records in memory.
 */

import type { Reply } from './messages';
import { inNextTask } from './nextTask';

export class ReplyQueue {
  /** Replies that wait; null: each is handled as it arrives. */
  private waiting: Reply[] | null = null;
  private paused = false;

  constructor(
    private readonly handle: (reply: Reply) => void,
    /** Called when the last waiting reply has been handled. */
    private readonly onEmpty: () => void,
  ) {}

  /** Whether replies wait for something, be it only for the replies before them. */
  get isHolding(): boolean {
    return this.waiting !== null;
  }

  /** Whether foreign writes are being read. */
  get isPaused(): boolean {
    return this.paused;
  }

  /** @param mayPass an answer that the reading itself waits for */
  receive(reply: Reply, mayPass: boolean): void {
    if (this.waiting && !mayPass) this.waiting.push(reply);
    else this.handle(reply);
  }

  pause(): void {
    this.waiting ??= [];
    this.paused = true;
  }

  /** Ends the pause. @param then called before any waiting reply is handled; it may pause again */
  resume(then: () => void): void {
    this.paused = false;
    then();
    this.drain();
  }

  /** Drops the replies of an owner that is no longer connected. */
  clear(): void {
    this.waiting = null;
    this.paused = false;
  }

  /** Handles one reply for each macrotask: the caller of an answered call continues before the next reply. */
  private drain(): void {
    const { waiting } = this;
    if (!waiting) return;
    inNextTask(() => {
      if (this.waiting !== waiting || this.paused) return;
      const reply = waiting.shift();
      if (!reply) {
        this.waiting = null;
        this.onEmpty();
        return;
      }
      this.handle(reply);
      this.drain();
    });
  }
}
