/**
 * The clock, the timers and the randomness of a process, taken over: time passes when the schedule
 * says so, and what is random comes from the seed. Postgres reads its clock here too (PGlite asks
 * `Date.now`), so server and devices live in one virtual time. Installed in worker processes alone.
 */

import nodeCrypto from 'node:crypto';
import type { Random } from './random';

interface Timer {
  at: number;
  order: number;
  run: () => void;
}

const realImmediate = globalThis.setImmediate;

class HeldRef<T extends WeakKey> {
  constructor(private readonly target: T) {}

  deref(): T {
    return this.target;
  }
}

/** Lets everything that is ready run, promises and I/O callbacks alike. */
export const turn = (): Promise<void> => new Promise((resolve) => realImmediate(() => resolve()));

export class VirtualTime {
  private readonly timers = new Map<number, Timer>();
  private ids = 0;
  private order = 0;
  private restoreGlobals: (() => void) | null = null;

  constructor(
    /** ms since the epoch. */
    public now: number,
    private readonly random: Random,
    /** Apart from the bytes: packages fill pools of them, which outlast a run, so that they take them at other moments. */
    private readonly fractions: Random,
  ) {}

  /** Replaces the process's own. @returns how to put them back */
  install(): () => void {
    const real = {
      Date: globalThis.Date,
      setTimeout: globalThis.setTimeout,
      clearTimeout: globalThis.clearTimeout,
      setInterval: globalThis.setInterval,
      clearInterval: globalThis.clearInterval,
      WeakRef: globalThis.WeakRef,
      random: Math.random,
      performanceNow: performance.now,
      getRandomValues: crypto.getRandomValues,
      randomFillSync: nodeCrypto.randomFillSync,
    };
    const time = this;
    const RealDate = real.Date;
    class VirtualDate extends RealDate {
      constructor(...args: unknown[]) {
        super(...((args.length > 0 ? args : [Math.floor(time.now)]) as [number]));
      }
      static override now(): number {
        // As the system's clock: a slow link delays by parts of a millisecond too.
        return Math.floor(time.now);
      }
      static override [Symbol.hasInstance](value: unknown): boolean {
        return Object.prototype.toString.call(value) === '[object Date]';
      }
    }
    const started = this.now;
    const fill = <T extends ArrayBufferView>(view: T): T => {
      const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      for (let index = 0; index < bytes.length; index += 1) bytes[index] = time.random.below(256);
      return view;
    };
    Object.assign(globalThis, {
      Date: VirtualDate,
      setTimeout: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
        time.add(() => run(...args), Number(ms)),
      // Looks for what other processes wrote; here every database has one process at a time.
      setInterval: () => time.add(() => {}, 0),
      clearTimeout: (timer: unknown) => time.timers.delete(Number(timer)),
      clearInterval: (timer: unknown) => time.timers.delete(Number(timer)),
      // When a record leaves memory is for the garbage collector to say, and not for the seed: here it stays.
      WeakRef: HeldRef,
    });
    Math.random = () => time.fractions.next();
    performance.now = () => time.now - started;
    crypto.getRandomValues = fill as typeof crypto.getRandomValues;
    // PGlite looks the function up where it calls it.
    (nodeCrypto as { randomFillSync: unknown }).randomFillSync = fill;
    this.restoreGlobals = () => {
      const { random, performanceNow, getRandomValues, randomFillSync, ...globals } = real;
      Object.assign(globalThis, globals);
      Math.random = random;
      performance.now = performanceNow;
      crypto.getRandomValues = getRandomValues;
      (nodeCrypto as { randomFillSync: unknown }).randomFillSync = randomFillSync;
    };
    return () => {
      this.timers.clear();
      this.restoreGlobals?.();
      this.restoreGlobals = null;
    };
  }

  /** Lets time pass; timers that come due run in their order. @param ms 0 or more */
  pass(ms: number): void {
    const until = this.now + ms;
    for (let timer = this.first(until); timer; timer = this.first(until)) this.fire(timer);
    this.now = until;
  }

  /** Jumps to the next timer. @returns false when there is none */
  passToNextTimer(before = Number.POSITIVE_INFINITY): boolean {
    const timer = this.first(before);
    if (!timer) return false;
    this.fire(timer);
    return true;
  }

  private fire([id, timer]: [number, Timer]): void {
    this.now = Math.max(this.now, timer.at);
    this.timers.delete(id);
    timer.run();
  }

  private first(until: number): [number, Timer] | null {
    let found: [number, Timer] | null = null;
    for (const entry of this.timers) {
      const [, timer] = entry;
      if (timer.at > until) continue;
      const isEarlier =
        !found || timer.at < found[1].at || (timer.at === found[1].at && timer.order < found[1].order);
      if (isEarlier) found = entry;
    }
    return found;
  }

  private add(run: () => void, ms: number): unknown {
    this.ids += 1;
    this.order += 1;
    const id = this.ids;
    const at = this.now + Math.max(0, Number.isFinite(ms) ? ms : 0);
    this.timers.set(id, { at, order: this.order, run });
    const handle = {
      ref: () => handle,
      unref: () => handle,
      hasRef: () => true,
      [Symbol.toPrimitive]: () => id,
    };
    return handle;
  }
}
