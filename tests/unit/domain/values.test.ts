import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalDay, canonicalTime, compareText, isBlank, storedTime } from '@/core/text';
import { validateChanges, validateInsert } from '@/domain/validation';

const HOUR_MS = 3_600_000;
const days = fc
  .date({ min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-30T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

describe('a day', () => {
  it.each([
    ['2026-03-01', '2026-03-01T12:00:00.000Z'],
    ['2026-03-01T00:00:00Z', '2026-03-01T12:00:00.000Z'],
    ['2026-03-01T02:00:00+02:00', '2026-03-01T12:00:00.000Z'],
    ['2026-03-01T00:00:00.001Z', '2026-02-28T12:00:00.000Z'],
    ['2026-03-01T10:59:59.999Z', '2026-02-28T12:00:00.000Z'],
    ['2026-03-01T11:00:00Z', '2026-03-01T12:00:00.000Z'],
    ['2026-03-06T07:59:59Z', '2026-03-05T12:00:00.000Z'],
    ['9999-12-31', '9999-12-31T12:00:00.000Z'],
    ['0001-01-01', '0001-01-01T12:00:00.000Z'],
    ['0001-01-01T10:59:59Z', null],
    ['12026-03-05', null],
    ['0000-12-31T23:59:00-01:00', null],
    ['tomorrow', null],
  ])('of %s is %s', (given, expected) => {
    expect(canonicalDay(given)).toBe(expected);
  });

  it('stays the same when it is normalised again, and is its own date by any clock from UTC-12 to UTC+11', () => {
    fc.assert(
      fc.property(days, fc.integer({ min: -12, max: 11 }), (date, offset) => {
        const day = canonicalDay(date) ?? '';
        expect(canonicalDay(day)).toBe(day);
        const there = new Date(Date.parse(day) + offset * HOUR_MS);
        expect(there.toISOString().slice(0, 10)).toBe(date);
      }),
    );
  });

  it('that an earlier version sends as its end is that day from UTC-11 to UTC+12', () => {
    fc.assert(
      fc.property(days, fc.integer({ min: -11, max: 12 }), (date, offset) => {
        const end = new Date(Date.parse(`${date}T23:59:59Z`) - offset * HOUR_MS).toISOString();
        expect(canonicalDay(end)).toBe(`${date}T12:00:00.000Z`);
      }),
    );
  });

  it('beyond the years 1 and 9999 is refused with its column', () => {
    for (const target_date of ['12026-03-05', '0000-01-01', '+002026-03-05', '']) {
      expect(validateChanges('milestones', { target_date })).toMatchObject({
        error: { kind: 'validation', code: 'bad_value', field: 'target_date' },
      });
    }
  });
});

describe('a text', () => {
  it.each([
    '',
    ' ',
    '\u200b',
    '\u202e\u2066',
    '\u3164',
    '\u115f\u1160',
    '\uffa0',
    '\u2800',
    '\ufeff',
    '\u00ad',
    '\u{e0041}',
  ])('of what cannot be seen alone, %j, is no title and no name', (blank) => {
    expect(isBlank(blank)).toBe(true);
    const refused = (field: string) => ({ error: { code: 'required', field } });
    expect(validateChanges('tasks', { title: blank })).toMatchObject(refused('title'));
    expect(validateInsert('workspaces', { name: blank })).toMatchObject(refused('name'));
    expect(validateChanges('patterns', { name: blank })).toMatchObject(refused('name'));
  });

  it.each(['a', '\u200ba', 'é', '任', '\u{1f600}', '\u0600', '.', '\u0301'])('%j can be seen', (text) => {
    expect(isBlank(text)).toBe(false);
  });

  it('is ordered by code points, as SQLite and PostgreSQL order it', () => {
    const text = fc.string({ unit: 'binary', maxLength: 5 });
    const close = fc.string({
      unit: fc.constantFrom('a', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
    });
    fc.assert(
      fc.property(fc.oneof(text, close), fc.oneof(text, close), (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  it('is as long as PostgreSQL counts it, in characters and not in halves of them', () => {
    expect(validateChanges('tasks', { title: '\u{1f600}'.repeat(500) }).ok).toBe(true);
    expect(validateChanges('tasks', { title: '\u{1f600}'.repeat(501) })).toMatchObject({
      error: { code: 'too_long', field: 'title' },
    });
  });
});

describe('a time as PostgreSQL prints it', () => {
  it.each([
    ['2026-03-01T12:00:00+00:00', '2026-03-01T12:00:00.000Z'],
    ['2026-03-01T17:30:00.123456+05:30', '2026-03-01T12:00:00.123Z'],
    ['0001-12-31T19:03:58-04:56:02 BC', '0001-01-01T00:00:00.000Z'],
    ['10000-01-01T13:59:59.999+14:00', '9999-12-31T23:59:59.999Z'],
    ['0001-01-01T00:53:28+00:53:28', '0001-01-01T00:00:00.000Z'],
  ])('%s is %s, whatever the time zone of the server', (printed, expected) => {
    expect(storedTime(printed)).toBe(expected);
  });
});

it('a time is cut to milliseconds', () => {
  expect(canonicalTime('2026-03-01T09:00:00.9999999Z')).toBe('2026-03-01T09:00:00.999Z');
});
