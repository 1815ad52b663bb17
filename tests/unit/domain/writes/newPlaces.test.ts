import { describe, expect, it } from 'vitest';
import { newPlaces } from '@/domain/writes/newPlaces';

describe('the places of new tasks (N10)', () => {
  const placesAt = (...times: number[]) => {
    const left = [...times];
    const newPlace = newPlaces(() => left.shift() ?? Number.NaN);
    return times.map(() => newPlace());
  };

  it('are the seconds of their creation', () => {
    expect(placesAt(1_767_225_600_000, 1_767_225_601_250)).toEqual([1_767_225_600, 1_767_225_601.25]);
  });

  it('are in the order of creation within a millisecond, and where the clock is set back', () => {
    expect(placesAt(5_000, 5_000, 5_000.7, 5_001, 1_000, 5_010)).toEqual([
      5, 5.001, 5.002, 5.003, 5.004, 5.01,
    ]);
  });
});
