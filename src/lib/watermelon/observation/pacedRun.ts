/** After a run there is a pause of so many times its duration. */
const PAUSE = 5;

/**
 * Runs work again and again, whenever it was requested, and never more than a sixth of the time: at once where the last run is
 * long enough ago, else after its pause. Several requests in between are one.
 */
export class PacedRun {
  private state: 'idle' | 'running' | 'pausing' | 'stopped' = 'idle';
  private isRequested = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param work calls back when it is done */
  constructor(private readonly work: (done: () => void) => void) {}

  request(): void {
    this.isRequested = true;
    if (this.state === 'idle') this.run();
  }

  stop(): void {
    this.state = 'stopped';
    clearTimeout(this.timer);
  }

  private run(): void {
    this.state = 'running';
    this.isRequested = false;
    const began = performance.now();
    this.work(() => {
      if (this.state !== 'running') return;
      this.state = 'pausing';
      this.timer = setTimeout(() => this.afterPause(), PAUSE * (performance.now() - began));
    });
  }

  private afterPause(): void {
    this.state = 'idle';
    if (this.isRequested) this.run();
  }
}
