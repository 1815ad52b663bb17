import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containsText, plainPart } from '@/domain/search';

describe('finding text in titles', () => {
  it.each([
    ['Keep the CRANE open', 'crane', true],
    ['Überprüfung der Kräne', 'KRÄNE'.normalize('NFD'), true],
    ['Überprüfung der Kräne'.normalize('NFD'), 'überprüfung', true],
    ['检查任务清单', '任务', true],
    ['Nothing of the kind', '任务', false],
    ['Nothing of the kind', '%', false],
    ['100% of the quay', '0%', true],
    ['a_b', '_', true],
    ['ab', '_', false],
    ['anything', '  ', true],
    ['ΟΔΟΣ', 'οδο', true],
  ])('%s, for %s: %s', (title, typed, isFound) => {
    expect(containsText(title, typed)).toBe(isFound);
  });

  it('a title with a text has its plain part, whatever the text', () => {
    const letters = fc.string({
      unit: fc.constantFrom(...'aKkisZ0\u212A\u0130\u0307\u017Fß务 %_', 'grapheme'),
    });
    const texts = fc.oneof(letters, fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(texts, texts, fc.boolean(), (before, typed, isUpper) => {
        const title = `${before} ${isUpper ? typed.toUpperCase() : typed.normalize('NFD')}`;
        if (!containsText(title, typed)) return;
        // As SQLite compares: it folds ASCII alone.
        const asSqlite = title.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
        expect(asSqlite.includes(plainPart(typed)), `${typed} in ${title}`).toBe(true);
      }),
    );
  });
});
