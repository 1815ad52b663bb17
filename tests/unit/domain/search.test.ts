import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containsText, isKeyTyped, plainPart } from '@/domain/search';

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

describe('finding a task by its key', () => {
  it.each([
    ['FIELD-3', 'FIELD-3', true],
    ['FIELD-3', ' field 3 ', true],
    ['FIELD-3', 'field3', true],
    ['FIELD-3', 'Field - 3', true],
    ['FIELD-31', '31', true],
    ['AB2-3', 'ab2 3', true],
    ['AB2-31', 'ab231', true],
    ['AB-231', 'ab231', true],
    ['AB2-31', 'ab2 3', false],
    ['FIELD-31', 'field 3', false],
    ['FIELD-31', '1', false],
    ['FIELD-3', 'ield 3', false],
    ['FIELD-3', 'field', false],
    ['FIELD-3', 'field 3 now', false],
    ['FIELD-3', '', false],
    [null, '3', false],
  ])('%s, for "%s": %s', (key, typed, isFound) => {
    expect(isKeyTyped(key, typed)).toBe(isFound);
  });
});
