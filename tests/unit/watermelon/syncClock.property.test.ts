import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SyncClock } from '@/lib/watermelon/sync/state/syncClock';

const SERVER_EPOCH = Date.parse('2026-03-01T00:00:00.000Z');

/** A device whose clock is behind the server's by `offset` ms. */
class WrongClock {
  private now = 0;
  readonly clock: SyncClock;

  constructor(public offset: number) {
    this.clock = new SyncClock(() => SERVER_EPOCH + this.now - this.offset);
  }

  /** The device's clock is set, or drifts. @param by ms that it goes back */
  change(by: number): void {
    this.offset += by;
  }

  /**
   * An exchange.
   * @param up ms until the server answers
   * @param down ms until the answer is here
   * @param by ms that the device's clock goes back meanwhile
   */
  exchange(up: number, down: number, by = 0): void {
    const sentAt = this.clock.now();
    this.now += up;
    const serverTime = new Date(SERVER_EPOCH + this.now).toISOString();
    this.now += down;
    this.change(by);
    this.clock.observe(serverTime, sentAt, up + down);
  }
}

const offsets = fc.integer({ min: -100_000, max: 100_000 });
const ways = fc.integer({ min: 0, max: 60_000 });

describe('the clock offset', () => {
  it('is learned from a fast exchange, and kept by slow ones that do not contradict it (D55)', () => {
    fc.assert(
      fc.property(offsets, fc.array(fc.tuple(ways, ways)), (offset, slow) => {
        const device = new WrongClock(offset);
        device.exchange(10, 10);
        const learned = device.clock.offset();
        expect(Math.abs(learned - offset)).toBeLessThanOrEqual(25);
        for (const [up, down] of slow) device.exchange(up, down);
        expect(Math.abs(device.clock.offset() - offset)).toBeLessThanOrEqual(25);
      }),
    );
  });

  it('is wrong by no more than the longest exchange leaves open, whatever was stored before', () => {
    fc.assert(
      fc.property(
        offsets,
        offsets,
        fc.array(fc.tuple(ways, ways), { minLength: 1 }),
        (offset, stored, exchanges) => {
          const device = new WrongClock(offset);
          device.clock.restore(stored);
          for (const [up, down] of exchanges) device.exchange(up, down);
          const longest = Math.max(...exchanges.map(([up, down]) => up + down));
          expect(Math.abs(device.clock.offset() - offset)).toBeLessThanOrEqual(1.5 * longest + 5);
        },
      ),
    );
  });

  it('of before a restart is kept by slow exchanges that do not contradict it (D55)', () => {
    fc.assert(
      fc.property(offsets, fc.array(fc.tuple(ways, ways)), (offset, slow) => {
        const device = new WrongClock(offset);
        device.clock.restore(offset);
        for (const [up, down] of slow) device.exchange(up, down);
        expect(Math.abs(device.clock.offset() - offset)).toBeLessThanOrEqual(2);
      }),
    );
  });

  it('is not thrown away for a slow exchange when the clock has drifted since (D55)', () => {
    const drifts = fc.integer({ min: -200, max: 200 });
    fc.assert(
      fc.property(offsets, fc.array(fc.tuple(drifts, ways, ways)), (offset, exchanges) => {
        const device = new WrongClock(offset);
        device.exchange(10, 10);
        let drifted = 0;
        for (const [drift, up, down] of exchanges) {
          device.change(drift);
          drifted += Math.abs(drift);
          device.exchange(up, down);
        }
        expect(Math.abs(device.clock.offset() - device.offset)).toBeLessThanOrEqual(drifted + 25);
      }),
    );
  });

  it('is not learned from an exchange during which the clock is set, but from the next one (D55)', () => {
    const sets = fc.integer({ min: -3_600_000, max: 3_600_000 }).filter((by) => Math.abs(by) > 1_000);
    fc.assert(
      fc.property(offsets, sets, ways, ways, (offset, by, up, down) => {
        const device = new WrongClock(offset);
        device.exchange(10, 10);
        const learned = device.clock.offset();
        device.exchange(up, down, by);
        expect(device.clock.offset()).toBe(learned);
        device.exchange(10, 10);
        expect(Math.abs(device.clock.offset() - device.offset)).toBeLessThanOrEqual(25);
      }),
    );
  });

  it('is learned anew when the clock is set, from a slow exchange roughly and from a fast one exactly (D55)', () => {
    const hours = fc.integer({ min: 1, max: 24 }).map((hour) => hour * 3_600_000);
    fc.assert(
      fc.property(offsets, hours, ways, ways, (offset, set, up, down) => {
        const device = new WrongClock(offset);
        device.exchange(10, 10);
        device.change(set);
        device.exchange(up, down);
        expect(Math.abs(device.clock.offset() - device.offset)).toBeLessThanOrEqual(up + down + 5);
        device.exchange(10, 10);
        expect(Math.abs(device.clock.offset() - device.offset)).toBeLessThanOrEqual(25);
      }),
    );
  });
});
