/** Asks for the next page while the last one is being applied (P30). */

import type { PullAnswer, PullRequest, SyncTransport } from '@/core/protocol';
import type { SyncContext } from '../state/syncContext';

interface Asked {
  answered: Awaited<ReturnType<SyncTransport['pull']>>;
  /** From the request to its answer or failure, ms. */
  tookMs: number;
}

/** @returns the request that is due once this answer is applied; null where applying it decides that. */
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
  return { ...request, cursors, wanted: undefined };
}

/** Sends requests for pages, at most one ahead; its answer is used only where the request that is due is the same (P30). */
export class PagePrefetch {
  private readonly controller = new AbortController();
  private ahead: { text: string; answer: Promise<Asked> } | null = null;

  /** @param signal aborted when the sync is to end */
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
    // The answer may never be used: its failure must not count as an unhandled rejection then.
    answer.catch(() => undefined);
    this.ahead = { text: JSON.stringify(request), answer };
  }

  /** @returns the answer to this request, which may have been sent already */
  answerTo(request: PullRequest): Promise<Asked> {
    const { ahead } = this;
    this.ahead = null;
    return ahead?.text === JSON.stringify(request) ? ahead.answer : this.send(request);
  }

  /** Aborts a request that was sent ahead. */
  cancel(): void {
    this.signal.removeEventListener('abort', this.abort);
    if (this.ahead) this.abort();
  }

  private readonly abort = () => this.controller.abort();

  private async send(request: PullRequest): Promise<Asked> {
    const { transport, clock } = this.sync;
    const [sentAt, from] = [clock.now(), performance.now()];
    const answered = await transport.pull(request, this.controller.signal);
    const tookMs = performance.now() - from;
    // Observed here: a page that waits to be applied would make the answer seem slower than it was.
    if (answered.ok && answered.value.user_id === request.user_id)
      clock.observe(answered.value.server_time, sentAt, tookMs);
    return { answered, tookMs };
  }
}
