/** ms after which a tab steals the lock: its holder may be frozen. */
const PATIENCE_MS = 30_000;

/** A Web Lock that concurrent work of one page holds together. */
export class SharedLock {
  private holders = 0;
  private held: Promise<() => void> | null = null;

  constructor(
    private readonly name: string,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** @returns a function that releases this hold, and returns whether it was the page's last one */
  async take(): Promise<() => boolean> {
    this.holders += 1;
    this.held ??= this.request();
    try {
      const release = await this.held;
      return () => this.leave(release);
    } catch (error) {
      this.leave(() => undefined);
      throw error;
    }
  }

  private leave(release: () => void): boolean {
    this.holders -= 1;
    if (this.holders > 0) return false;
    this.held = null;
    release();
    return true;
  }

  private async request(): Promise<() => void> {
    try {
      return await requested(this.name, { signal: AbortSignal.timeout(this.patienceMs) });
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
    // The owner refuses writes of the tab that lost the lock, with `overtaken` (D42).
    return requested(this.name, { steal: true });
  }
}

/** @returns a function that releases the lock, once it is held; rejects with a `DOMException` when the wait is aborted */
function requested(name: string, options: LockOptions): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const isHeld = () => new Promise<void>((release) => resolve(release));
    // A stolen lock rejects this promise later; the outer promise is settled by then.
    navigator.locks.request(name, options, isHeld).catch(reject);
  });
}
