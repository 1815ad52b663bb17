import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseToText, textToBase } from '@/lib/watermelon/models/sharedExpectations';
import { readBase, type SyncBase, writeBase } from '@/lib/watermelon/models/tracking';
import type { Raw } from '@/lib/watermelon/models/watermelondb';

const NAMES = ['title', 'description', 'status', 'priority', 'claimed_by'];
const name = fc.constantFrom(...NAMES);
const value = fc.constantFrom(null, '', 'one', 'two', 0, 1, true);
const edit = fc.record(
  {
    value,
    editedAt: fc.nat(),
    offset: fc.nat(),
    expected: fc.dictionary(name, value, { noNullPrototype: true }),
  },
  { requiredKeys: ['value', 'editedAt', 'offset'] },
);
const base: fc.Arbitrary<SyncBase> = fc.record({
  revision: fc.nat(),
  groups: fc.constant([]),
  columns: fc.dictionary(name, edit, { noNullPrototype: true }),
});

const rawOf = (text: string): Raw => ({ id: 'a', _status: 'updated', _changed: '', sync_base: text }) as Raw;

describe('what edits of a record expect', () => {
  it('is read as it was written, in the form of this version and in that of earlier ones (D15)', () => {
    fc.assert(
      fc.property(base, (written) => {
        expect(textToBase(baseToText(written))).toEqual(written);
        expect(readBase(rawOf(JSON.stringify(written)))).toEqual(written);
      }),
    );
  });

  it('is stored once, however many columns were edited, and not beside the same value of an edit', () => {
    const long = 'x'.repeat(99_000);
    const columns = (expected: SyncBase['columns'][string]['expected']) =>
      Object.fromEntries(
        NAMES.map((column) => [
          column,
          { value: column === 'description' ? long : '', editedAt: 1, offset: 0, expected },
        ]),
      );
    const raw = rawOf('');
    const either: Record<string, string>[] = [
      { description: long },
      { description: long, requirements: long },
    ];
    for (const expected of either) {
      writeBase(raw, { revision: 1, groups: [], columns: columns(expected) });
      const times = String(raw.sync_base).split(long).length - 1;
      expect(times).toBe(Object.keys(expected).length);
    }
  });
});
