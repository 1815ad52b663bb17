/** Locks among the work of one page, for windows without Web Locks, and for what no other page shares. */

export class PageLocks {
  /** The last of those that have or await a lock, by its name; settles when that one has let go. */
  private readonly last = new Map<string, Promise<void>>();

  /** Runs work when all work that asked earlier has ended. Rejects when `signal` aborts the wait. */
  async request<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.last.get(name);
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const mine = (before ?? Promise.resolve()).then(() => held);
    this.last.set(name, mine);
    void mine.then(() => {
      if (this.last.get(name) === mine) this.last.delete(name);
    });
    try {
      if (before) await untilAborted(before, signal);
      signal?.throwIfAborted();
      return await work();
    } finally {
      letGo();
    }
  }
}

async function untilAborted(wait: Promise<void>, signal?: AbortSignal): Promise<void> {
  if (!signal) return wait;
  signal.throwIfAborted();
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
    stop = () => signal.removeEventListener('abort', abort);
  });
  await Promise.race([wait, aborted]).finally(stop);
}
