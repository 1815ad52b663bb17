import { describe, expect, it } from 'vitest';
import type { StorageError } from '@/core/errors';
import { storageText } from '@/web/status/storageText';

const well = { trouble: null, isDurable: true, salvaged: null };
const trouble = (code: StorageError['code']) =>
  storageText({ ...well, trouble: { kind: 'storage', code, message: 'In words.' } });

describe('the state of the local storage in words', () => {
  it('says nothing while nothing is wrong', () => {
    expect(storageText(well)).toBeNull();
  });

  it('says when nothing outlives the window', () => {
    expect(storageText({ ...well, isDurable: false })).toMatchObject({
      headline: 'Not durable in this window.',
      needsReload: false,
    });
  });

  it('asks for a reload where nothing can be written before it, and only there', () => {
    const codes = [
      'newer_schema',
      'corrupt',
      'locked',
      'overtaken',
      'no_migration',
      'migration_failed',
      'unavailable',
      'not_loaded',
      'quota',
    ] as const;
    expect(codes.filter((code) => trouble(code)?.needsReload !== true)).toEqual(['quota']);
  });

  it('tells whether every unsynced record could be salvaged from a damaged database', () => {
    const salvaged = { saved: {}, keptAs: 'x', complete: true };
    expect(storageText({ ...well, salvaged })).toMatchObject({ isError: false });
    expect(storageText({ ...well, salvaged: { ...salvaged, complete: false } })).toMatchObject({
      isError: true,
    });
  });
});
