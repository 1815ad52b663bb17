/** After a run there is a pause of so many times its duration, and of this at most, ms: a computer may sleep during a run. */
const [PAUSE, LONGEST_PAUSE_MS] = [5, 3_000];
/** A run that is not done by then is no longer waited for, ms: a storage whose owner went away may never answer. */
const PATIENCE_MS = 5_000;

/**
 * Runs work again and again, whenever it was requested, and never more than a sixth of the time unless it takes long: at once
 * where the last run is long enough ago, else after its pause. Several requests in between are one.
 */
export class PacedRun {
  private state: 'idle' | 'running' | 'pausing' | 'stopped' = 'idle';
  private requested: 'no' | 'yes' | 'at once' = 'no';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private runs = 0;
  private began = 0;

  /** @param work calls back when it is done */
  constructor(private readonly work: (done: () => void) => void) {}

  /** @param isOwn after a write of this tab itself: these come at the pace of a person, who waits to see them */
  request(isOwn = false): void {
    if (this.state === 'stopped') return;
    if (isOwn) this.requested = 'at once';
    else if (this.requested === 'no') this.requested = 'yes';
    const isStuck = this.state === 'running' && performance.now() - this.began > PATIENCE_MS;
    if (this.state === 'idle' || isStuck || (isOwn && this.state === 'pausing')) this.run();
  }

  stop(): void {
    this.state = 'stopped';
    clearTimeout(this.timer);
  }

  private run(): void {
    clearTimeout(this.timer);
    this.state = 'running';
    this.requested = 'no';
    this.runs += 1;
    const run = this.runs;
    this.began = performance.now();
    this.work(() => {
      if (this.state !== 'running' || run !== this.runs) return;
      if (this.requested === 'at once') {
        this.run();
        return;
      }
      this.state = 'pausing';
      const pause = Math.min(LONGEST_PAUSE_MS, PAUSE * (performance.now() - this.began));
      this.timer = setTimeout(() => this.afterPause(), pause);
    });
  }

  private afterPause(): void {
    this.state = 'idle';
    if (this.requested !== 'no') this.run();
  }
}
