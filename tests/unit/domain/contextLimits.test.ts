import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CONTEXT_PARTS,
  checkLimits,
  DEFAULT_LIMITS,
  type FullLimits,
  MOST_BYTES,
  MOST_ITEMS,
  moreOf,
} from '@/domain/contextLimits';
import { columnsOf } from '@/domain/schema';

const partLimits = fc.record({ items: fc.nat(MOST_ITEMS), bytes: fc.nat(MOST_BYTES) });
const anyLimits: fc.Arbitrary<FullLimits> = fc.record({
  subtasks: partLimits,
  dependencies: partLimits,
  activities: partLimits,
  patterns: partLimits,
  best_practices: partLimits,
  bytes: fc.nat(MOST_BYTES),
});

describe('limits of contexts', () => {
  it('are the default ones where a caller gives none', () => {
    expect(checkLimits()).toEqual({ ok: true, value: DEFAULT_LIMITS });
    expect(checkLimits({ subtasks: { items: 1 }, bytes: 2 })).toEqual({
      ok: true,
      value: { ...DEFAULT_LIMITS, subtasks: { ...DEFAULT_LIMITS.subtasks, items: 1 }, bytes: 2 },
    });
  });

  it('pass as they are where all are given, and so do raised ones', () => {
    fc.assert(
      fc.property(anyLimits, fc.constantFrom(...CONTEXT_PARTS), (limits, part) => {
        expect(checkLimits(limits)).toEqual({ ok: true, value: limits });
        const raised = moreOf(limits, part);
        expect(checkLimits(raised)).toEqual({ ok: true, value: raised });
        for (const limit of ['items', 'bytes'] as const) {
          expect(raised[part][limit]).toBeGreaterThanOrEqual(limits[part][limit]);
        }
      }),
    );
  });

  it('once raised hold any one item, so that each request for more shows more', () => {
    const { name, description, content } = columnsOf('patterns');
    // A character has at most three bytes for each UTF-16 code unit; JSON may be twice as long as PostgreSQL writes it.
    const largest =
      3 * ((name?.max ?? 0) + (description?.max ?? 0) + 64) + 2 * (content?.max ?? Number.POSITIVE_INFINITY);
    expect(moreOf(DEFAULT_LIMITS, 'patterns').patterns.bytes).toBeGreaterThan(largest);
  });

  it('end at what may be asked for at most', () => {
    let limits = DEFAULT_LIMITS;
    for (let n = 0; n < 1_000; n += 1) limits = moreOf(limits, 'patterns');
    expect(limits.patterns).toEqual({ items: MOST_ITEMS, bytes: MOST_BYTES });
    expect(limits.bytes).toBe(MOST_BYTES);
  });
});
