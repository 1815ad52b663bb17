/** While a page is applied the server prepares the next one. */

import type { PullAnswer, PullRequest, SyncTransport } from '@/core/protocol';
import type { SyncContext } from '../state/syncContext';

type Answered = ReturnType<SyncTransport['pull']>;

/** @returns what will be asked when this answer has been applied; null where that cannot be told before. */
export function requestAfter(request: PullRequest, answer: PullAnswer): PullRequest | null {
  const visible = new Set(answer.scopes.map(({ id }) => id));
  const isPlain =
    request.refill === undefined &&
    Object.keys(request.skip).length === 0 &&
    Object.keys(request.cursors).every((id) => visible.has(id)) &&
    answer.scopes.every(({ reset }) => reset !== true);
  if (!answer.more || !isPlain) return null;
  const cursors = { ...request.cursors };
  for (const { id } of answer.scopes) {
    const reached = answer.cursors[id];
    if (reached) cursors[id] = reached;
  }
  return { ...request, cursors };
}

/** Sends the request for a page, and at most one more before it is needed: used only where it is the very one that is. */
export class PagePrefetch {
  private readonly leaving = new AbortController();
  private asked: { text: string; answer: Answered } | null = null;

  /** @param signal ends the sync */
  constructor(
    private readonly sync: SyncContext,
    private readonly signal: AbortSignal,
  ) {
    if (signal.aborted) this.abort();
    signal.addEventListener('abort', this.abort);
  }

  start(request: PullRequest | null): void {
    if (request === null) return;
    const answer = this.send(request);
    // Where nobody comes back for it, nobody is there to hear of its failure.
    answer.catch(() => undefined);
    this.asked = { text: JSON.stringify(request), answer };
  }

  /** @returns the answer to this request, which may be on its way already */
  answerTo(request: PullRequest): Answered {
    const { asked } = this;
    this.asked = null;
    return asked?.text === JSON.stringify(request) ? asked.answer : this.send(request);
  }

  /** Ends what is on its way. */
  cancel(): void {
    this.signal.removeEventListener('abort', this.abort);
    if (this.asked) this.abort();
  }

  private readonly abort = () => this.leaving.abort();

  private async send(request: PullRequest): Answered {
    const { transport, clock } = this.sync;
    const sentAt = clock.now();
    const answered = await transport.pull(request, this.leaving.signal);
    // Now: when the page is applied, the way back would seem longer than it was.
    if (answered.ok && answered.value.user_id === request.user_id)
      clock.observe(answered.value.server_time, sentAt);
    return answered;
  }
}
