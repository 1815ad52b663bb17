/** After a run there is a pause of so many times its duration, and of this at most, ms: a computer may sleep during a run. */
const [PAUSE, LONGEST_PAUSE_MS] = [5, 3_000];
/** A run that is not done by then is no longer waited for, ms: a storage whose owner went away may never answer. */
const PATIENCE_MS = 5_000;
/** The pause after a run that failed, ms; it doubles with each one that fails in a row, up to the longest pause. */
const PAUSE_AFTER_FAILURE_MS = 100;
/** So many failures in a row, within some 10 seconds, are told, and end it. */
const MOST_FAILURES = 8;

/** Told of a run that is over, and what it failed with. */
export type Done = (failed?: { error: unknown }) => void;

/**
 * Runs work again and again, whenever it was requested, and never more than a sixth of the time unless it takes long: at once
 * where the last run is long enough ago, else after its pause. Several requests in between are one. A run that fails keeps
 * its request.
 */
export class PacedRun {
  private state: 'idle' | 'running' | 'pausing' | 'stopped' = 'idle';
  private requested: 'no' | 'yes' | 'at once' = 'no';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private runs = 0;
  private began = 0;
  /** When the run that is under way last did something. */
  private heard = 0;
  /** Runs that failed in a row. */
  private failures = 0;

  /**
   * @param source what is read; once it is closed, a failure is the end of it
   * @param work calls back when it is done
   * @param onLasting called with an error that lasts; there are no more runs then
   */
  constructor(
    private readonly source: { readonly isClosed: boolean },
    private readonly work: (done: Done) => void,
    private readonly onLasting: (error: unknown) => void,
  ) {}

  /** @param isOwn after a write of this tab itself: these come at the pace of a person, who waits to see them */
  request(isOwn = false): void {
    if (this.state === 'stopped') return;
    if (isOwn) this.requested = 'at once';
    else if (this.requested === 'no') this.requested = 'yes';
    const isStuck = this.state === 'running' && performance.now() - this.heard > PATIENCE_MS;
    if (this.state === 'idle' || isStuck || (isOwn && this.state === 'pausing')) this.run();
  }

  /** Says that a run goes on: one that is answered in parts may last as long as it takes. */
  goesOn(): void {
    this.heard = performance.now();
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
    this.heard = this.began;
    this.work((failed) => {
      if (this.state !== 'running' || run !== this.runs) return;
      if (failed) this.afterFailure(failed.error);
      else this.afterRun();
    });
  }

  private afterRun(): void {
    this.failures = 0;
    if (this.requested === 'at once') this.run();
    else this.pause(PAUSE * (performance.now() - this.began));
  }

  private afterFailure(error: unknown): void {
    this.failures += 1;
    if (this.source.isClosed) this.stop();
    else if (this.failures === MOST_FAILURES) {
      this.stop();
      this.onLasting(error);
    } else {
      this.requested = 'yes';
      this.pause(PAUSE_AFTER_FAILURE_MS * 2 ** (this.failures - 1));
    }
  }

  private pause(ms: number): void {
    this.state = 'pausing';
    this.timer = setTimeout(() => this.afterPause(), Math.min(LONGEST_PAUSE_MS, ms));
  }

  private afterPause(): void {
    this.state = 'idle';
    if (this.requested !== 'no') this.run();
  }
}
