import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import {
  derivedDigits,
  type FoundTask,
  nameOfTask,
  onlyOne,
  parseReference,
  projectKeyOf,
} from '@/domain/keys';

const ID = '01980000-1234-7abc-8def-0123456789ab';

describe('derived keys', () => {
  it('are found again by the end of their id, in capitals and small letters (Y8, Y9)', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.boolean(), fc.constantFrom('', 'FIELD-', 'x9-'), (id, isUpper, prefix) => {
        const text = `${prefix}~${derivedDigits(id)}`;
        const parsed = parseReference(isUpper ? text.toUpperCase() : text.toLowerCase());
        expect(parsed).toMatchObject({ ok: true });
        const { ends } = (parsed.ok ? parsed.value : {}) as { ends: string[] };
        expect(ends).toContain(id.slice(-9));
        expect(ends.every((end) => derivedDigits(id.slice(0, -9) + end) === derivedDigits(id))).toBe(true);
      }),
    );
  });

  it('have seven digits that are not taken for each other (Y8)', () => {
    expect(derivedDigits(ID)).toMatch(/^[0-9a-hjkmnp-tv-z]{7}$/);
    expect(derivedDigits('00000000-0000-7000-8000-000000000000')).toBe('0000000');
    expect(derivedDigits('00000000-0000-7000-8000-0000000fffff')).toBe('000zzzz');
    // Ids that WatermelonDB makes have none before the server knows them.
    expect(derivedDigits('abcdEFGH12345678')).toBeNull();
    expect(parseReference('~oiLOiL0')).toEqual(parseReference('~0110110'));
    expect(parseReference('~000000u')).toMatchObject({ ok: false });
  });
});

describe('references', () => {
  it.each([
    ['FIELD-42', { key: 'FIELD-42' }],
    [' field-42 ', { key: 'FIELD-42' }],
    ['a1-9999999999', { key: 'A1-9999999999' }],
    [ID.toUpperCase(), { id: ID }],
    ['abcdEFGH12345678', { id: 'abcdEFGH12345678' }],
  ])('%s is read (Y9)', (text, value) => {
    expect(parseReference(text)).toEqual({ ok: true, value });
  });

  it.each([
    '',
    'FIELD',
    'FIELD-0',
    'FIELD-042',
    'FIELD-~',
    'FIELD-~k7q2m9',
    'FIELD~k7q2m9x',
    '9A-1',
    'ABCDEFGHIJK-1',
    "A-1' or 1=1",
    null,
    42,
  ])('%s is none (Y9)', (text) => {
    expect(parseReference(text)).toMatchObject({
      ok: false,
      error: { kind: 'validation', code: 'bad_value', field: 'reference' },
    });
  });

  it('that several tasks have are refused with all of them (Y9)', () => {
    const task = (id: string) => ({ id, key: 'A-1', title: 'T', workspace_id: 'w' }) as Task;
    const found = (id: string): FoundTask => ({ task: task(id), workspace_name: 'W' });
    expect(onlyOne([])).toEqual({ ok: true, value: null });
    expect(onlyOne([found('1')])).toMatchObject({ ok: true, value: { id: '1' } });
    expect(onlyOne([found('1'), found('2')])).toMatchObject({
      ok: false,
      error: {
        code: 'ambiguous',
        candidates: [
          { id: '1', workspace_name: 'W' },
          { id: '2', title: 'T' },
        ],
      },
    });
  });
});

describe('names of tasks', () => {
  it('are the key, else the derived key, else the id (Y8)', () => {
    const project = { key: null, name: 'Field trips' };
    expect(nameOfTask({ id: ID, key: 'FIELD-1' }, project)).toBe('FIELD-1');
    expect(nameOfTask({ id: ID, key: null }, project)).toBe(`FIELD-~${derivedDigits(ID)}`);
    expect(nameOfTask({ id: ID, key: null }, { ...project, key: 'F' })).toBe(`F-~${derivedDigits(ID)}`);
    expect(nameOfTask({ id: ID, key: null }, null)).toBe(`~${derivedDigits(ID)}`);
    expect(nameOfTask({ id: 'abcdEFGH12345678', key: null }, project)).toBe('abcdEFGH12345678');
  });

  it('begin with the first word of the project that begins with a letter (Y1)', () => {
    expect(projectKeyOf('Field trips')).toBe('FIELD');
    expect(projectKeyOf('Überseehäfen')).toBe('UBERSEEHAF');
    expect(projectKeyOf('東京 42')).toBe('P');
  });
});
