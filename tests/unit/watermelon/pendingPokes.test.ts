import { describe, expect, it } from 'vitest';
import type { Poke } from '@/core/pokes';
import { PendingPokes } from '@/lib/watermelon/sync/automatic/pendingPokes';

const advanced = (revision: number, scope = 'a'): Poke => ({ kind: 'advanced', scope, revision });
const membership = (member: boolean, scope = 'a'): Poke => ({ kind: 'membership', scope, member });

function unmetBy(held: [string, number][], ...pokes: Poke[]): boolean {
  const unmet = new PendingPokes();
  for (const poke of pokes) unmet.add(poke);
  unmet.drop(new Map(held));
  return !unmet.isEmpty;
}

describe('pending pokes', () => {
  it('do not include pokes about known revisions (K6)', () => {
    expect(unmetBy([['a', 5]], advanced(5))).toBe(false);
    expect(unmetBy([['a', 5]], advanced(6))).toBe(true);
    expect(unmetBy([['a', 5]], advanced(6), advanced(4))).toBe(true);
    expect(unmetBy([['b', 9]], advanced(1))).toBe(true);
  });

  it('do not include memberships that this device knows of (K6)', () => {
    expect(unmetBy([['a', 1]], membership(true))).toBe(false);
    expect(unmetBy([], membership(true))).toBe(true);
    expect(unmetBy([['a', 1]], membership(false))).toBe(true);
    expect(unmetBy([], membership(false))).toBe(false);
  });

  it('are given up after two syncs that do not meet them (K5)', () => {
    const unmet = new PendingPokes();
    unmet.add(advanced(7));
    for (const left of [true, false]) {
      unmet.end(unmet.begin(), new Map([['a', 1]]));
      expect(unmet.isEmpty).toBe(!left);
    }
  });

  it('that came while a sync ran do not count as tried by it', () => {
    const unmet = new PendingPokes();
    unmet.add(advanced(7));
    unmet.end(unmet.begin(), new Map());
    const begun = unmet.begin();
    unmet.add(advanced(8));
    unmet.end(begun, new Map());
    expect(unmet.isEmpty).toBe(false);
  });

  it('a gap is closed by the next sync that begins (K7)', () => {
    const unmet = new PendingPokes();
    unmet.addGap();
    expect(unmet.isEmpty).toBe(false);
    const begun = unmet.begin();
    expect(unmet.isEmpty).toBe(true);
    unmet.addGap();
    unmet.end(begun, new Map());
    expect(unmet.isEmpty).toBe(false);
  });
});
