/** The page's side of the worker that parses Markdown: one text at a time, each for a bounded time. */

import type { Root } from 'hast';

/** ms that a text may take. A plan of 20,000 characters takes about 30; what takes longer was written to. */
const MOST_MS = 2_000;
/** Parsed texts that are kept, so that a screen that is shown again does not shift. */
const MOST_KEPT = 200;

/** Plain: the text is shown as it was typed. */
export type Parsed = Root | 'plain';

interface Waiting {
  text: string;
  resolve: (parsed: Parsed) => void;
}

class MarkdownParser {
  private readonly parsed = new Map<string, Parsed>();
  private readonly waiting: Waiting[] = [];
  private worker: Worker | null = null;
  private isReady = false;
  private current: (Waiting & { timer: number }) | null = null;

  /** @returns what an earlier call found, without waiting */
  known(text: string): Parsed | undefined {
    return this.parsed.get(text);
  }

  /** Never rejects: where a text cannot be parsed, or not in time, it is `plain`. */
  parse(text: string): Promise<Parsed> {
    const known = this.known(text);
    if (known) return Promise.resolve(known);
    return new Promise((resolve) => {
      this.waiting.push({ text, resolve });
      this.next();
    });
  }

  private next(): void {
    if (this.current || this.waiting.length === 0) return;
    this.worker ??= this.begin();
    if (!this.isReady) return;
    // The newest first: it is what somebody looks at now.
    const next = this.waiting.pop() as Waiting;
    // A text that several places show is parsed once.
    const known = this.known(next.text);
    if (known) {
      next.resolve(known);
      this.next();
      return;
    }
    this.current = { ...next, timer: window.setTimeout(() => this.giveUp(), MOST_MS) };
    this.worker.postMessage(next.text);
  }

  private begin(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'markdown' });
    worker.addEventListener('message', ({ data }: MessageEvent<Root | 'ready' | null>) => {
      if (data === 'ready') this.isReady = true;
      else this.settle(data ?? 'plain');
      this.next();
    });
    worker.addEventListener('error', () => this.giveUp());
    return worker;
  }

  /** The worker is at the text for good, or is broken: it ends, and the next text gets another one. */
  private giveUp(): void {
    this.worker?.terminate();
    this.worker = null;
    // One that never began takes its text along, or it would be begun for ever.
    if (!this.isReady) for (const { resolve } of this.waiting.splice(0)) resolve('plain');
    this.isReady = false;
    this.settle('plain');
    this.next();
  }

  private settle(parsed: Parsed): void {
    const { current } = this;
    if (!current) return;
    this.current = null;
    clearTimeout(current.timer);
    this.parsed.set(current.text, parsed);
    if (this.parsed.size > MOST_KEPT) this.parsed.delete(this.parsed.keys().next().value as string);
    current.resolve(parsed);
  }
}

export const markdownParser = new MarkdownParser();
