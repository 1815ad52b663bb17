import { describe, expect, it } from 'vitest';
import { type AppError, ConvoyError } from '@/core/errors';
import { ERROR_TEXTS } from '@/web/ui/errorTable';
import { describeDetail, describeError, describeRefusal, errorText } from '@/web/ui/errorText';

/** Every kind and code: the compiler has checked the table against the types, so the list is theirs. */
const all = Object.entries(ERROR_TEXTS).flatMap(([kind, texts]) =>
  Object.keys(texts).map((code) => ({ kind, code })),
);
const names = all.map(({ kind, code }) => [`${kind} ${code}`, kind, code] as const);

/** As the library makes it: with everything that any error of any kind carries. */
const made = (kind: string, code: string, message: string) =>
  ({
    kind,
    code,
    message,
    field: 'title',
    column: null,
    columns: [],
    causes: [],
    status: 500,
    sqlState: null,
    retryAfterMs: null,
  }) as unknown as AppError;

const UNEXPECTED = 'Something unexpected happened';

describe('what people read about an error', () => {
  it('covers every kind of error', () => {
    const kinds: Record<AppError['kind'], true> = {
      transport: true,
      auth: true,
      protocol: true,
      storage: true,
      validation: true,
      rejected: true,
      conflict: true,
      unavailable: true,
      unexpected: true,
    };
    expect(Object.keys(ERROR_TEXTS).sort()).toEqual(Object.keys(kinds).sort());
    expect(all.length).toBeGreaterThan(50);
  });

  it.each(names)('says what happened and what to do about %s', (_, kind, code) => {
    for (const message of ['', 'Title is required. Give it a value.']) {
      const { headline, detail } = describeError(new ConvoyError(made(kind, code, message)));
      for (const text of [headline, detail]) expect(text).toMatch(/^[A-Z].*[.]$/);
      expect(errorText(new ConvoyError(made(kind, code, message)))).toBe(`${headline} ${detail}`);
    }
  });

  it.each(names)('shows no code and no missing value about %s', (_, kind, code) => {
    const shown = Object.values(describeError(new ConvoyError(made(kind, code, '')))).join(' ');
    expect(shown).not.toMatch(/undefined|\[object|\bNaN\b|[a-z]_[a-z]|\bError\b/);
    if (code.includes('_')) expect(shown).not.toContain(code);
  });

  it('calls nothing unexpected but what is', () => {
    const unexpected = all.filter(({ kind, code }) =>
      describeError(new ConvoyError(made(kind, code, 'What the code said.'))).headline.includes(UNEXPECTED),
    );
    expect(unexpected).toEqual([{ kind: 'unexpected', code: 'unexpected' }]);
    for (const thrown of [new Error('a bug'), 'a bug', undefined, { kind: 'storage', code: 'quota' }]) {
      expect(errorText(thrown)).toContain(UNEXPECTED);
    }
    expect(describeError(new Error('a bug')).technical).toBe('a bug');
  });

  it('keeps the sentence that names the field or limit, and the technical cause apart from the words', () => {
    const limit = 'Title is 600 characters long; shorten it to 500.';
    expect(describeDetail(made('validation', 'too_long', limit)).headline).toBe(limit);
    const cause = 'The local database cannot be read or written. (disk I/O error)';
    const told = describeDetail(made('storage', 'unavailable', cause));
    expect(told.technical).toBe(cause);
    expect(`${told.headline} ${told.detail}`).not.toContain('I/O');
    expect(describeDetail(made('rejected', 'credentials', 'Signups not allowed')).headline).toBe(
      'Signups not allowed.',
    );
  });

  it('knows what to say about stored errors of another version, and about refusals of whole requests', () => {
    const later = { kind: 'storage', code: 'cosmic_ray', message: 'A bit has flipped.' };
    expect(describeDetail(later)).toMatchObject({ headline: `${UNEXPECTED}.`, technical: later.message });
    expect(describeDetail({ kind: 'toString', code: 'name', message: '' }).headline).toBe(`${UNEXPECTED}.`);
    const tooLarge = describeRefusal({ code: 'too_large', message: 'A batch takes 4 MB.' });
    expect(tooLarge).toMatchObject({
      headline: ERROR_TEXTS.rejected.too_large.headline,
      technical: 'A batch takes 4 MB.',
    });
    // It was taken out of the records, so nothing sends it again.
    expect(tooLarge.detail).not.toContain('is sent');
    const uncertain = describeRefusal({ code: 'uncertain', message: 'x' });
    expect(uncertain.headline).toBe(ERROR_TEXTS.rejected.uncertain.headline);
    expect(describeRefusal({ code: 'client_too_old', message: '' }).headline).toBe(
      ERROR_TEXTS.protocol.client_too_old.headline,
    );
    expect(describeRefusal({ code: 'forbidden', message: '' }).headline).toBe(
      ERROR_TEXTS.rejected.forbidden.headline,
    );
    expect(describeRefusal({ code: 'of_tomorrow', message: '' }).headline).not.toContain(UNEXPECTED);
  });
});
