/** ms until a tab takes the lock from one that does not let go: it may be frozen. */
const PATIENCE_MS = 30_000;

/** A Web Lock that all of this page's work on one thing holds together. */
export class SharedLock {
  private holders = 0;
  private held: Promise<() => void> | null = null;

  constructor(
    private readonly name: string,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** @returns how to let go; that tells whether it was the last to do so */
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
    // The owner of the database refuses what a tab writes that slept over this.
    return requested(this.name, { steal: true });
  }
}

/** @returns how to let go, once the lock is held; rejects with a `DOMException` when it is not to be had */
function requested(name: string, options: LockOptions): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const isHeld = () => new Promise<void>((release) => resolve(release));
    // When it is stolen this rejects long after it was resolved.
    navigator.locks.request(name, options, isHeld).catch(reject);
  });
}
