import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Columns, Json, Page } from '@/core/protocol';
import { exceededLimit, JSON_LIMITS, nestsDeeper, storableJson } from '@/core/text';
import { COMMON_COLUMNS, columnsOf } from '@/domain/schema';
import { toBulkRows } from '@/lib/watermelon/sync/records/codec';
import { partReadable } from '@/lib/watermelon/sync/records/readable';

const SOUND: Record<string, Json> = {
  id: '',
  workspace_id: '00000000-0000-7000-8000-000000000001',
  revision: 3,
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
  last_modified_by: null,
  name: 'a pattern',
  description: null,
  pattern_type: 'general',
  content: {},
};

function pageOf(rows: Record<string, unknown>[]): Page {
  const names = Object.keys(SOUND);
  const columns = Object.fromEntries(
    names.map((name) => [name, rows.map((row, n) => ({ ...SOUND, id: `id-${n}`, ...row })[name])]),
  );
  return { rows: { patterns: columns as Columns }, deleted: {} };
}

const NAMES = Object.keys({ workspace_id: 0, ...COMMON_COLUMNS, ...columnsOf('patterns') });

describe('parting a page', () => {
  it('keeps a page of sound rows as it is', () => {
    const page = pageOf([{}, { content: [[1]] }]);
    expect(partReadable(page)).toEqual({ readable: page, unreadable: [] });
    expect(partReadable(page).readable).toBe(page);
  });

  it('a page with values of any kind is parted so that what is left can be stored, row by row (P33)', () => {
    const wrong = fc.record({
      column: fc.constantFrom(...NAMES),
      value: fc.jsonValue() as fc.Arbitrary<Json>,
    });
    fc.assert(
      fc.property(fc.array(fc.option(wrong, { nil: null }), { minLength: 1, maxLength: 6 }), (rows) => {
        const page = pageOf(rows.map((row) => (row ? { [row.column]: row.value } : {})));
        const { readable, unreadable } = partReadable(page);
        const left = readable.rows.patterns?.id ?? [];
        expect([...left, ...unreadable.map(({ id }) => id)].sort()).toEqual(
          page.rows.patterns?.id.slice().sort(),
        );
        for (const [n, row] of rows.entries()) if (!row) expect(left).toContain(`id-${n}`);
        if (!readable.rows.patterns) return;
        const { columns, rows: stored } = toBulkRows('patterns', readable.rows.patterns);
        for (const cells of stored) {
          for (const [n, cell] of cells.entries()) {
            const isNumber = ['revision', 'created_at', 'updated_at'].includes(columns[n] ?? '');
            if (cell !== null) expect(typeof cell).toBe(isNumber ? 'number' : 'string');
          }
        }
      }),
    );
  });

  it('a column that is no list, or of another length, concerns the rows of its table alone', () => {
    for (const column of [null, 7, ['one'], { a: 1 }]) {
      const { rows } = pageOf([{}, {}]);
      const tasks = { ...rows.patterns, name: column } as unknown as Columns;
      const { readable, unreadable } = partReadable({
        rows: { patterns: tasks, best_practices: rows.patterns as Columns },
        deleted: {},
      });
      expect(unreadable.map(({ id, column: name, reason }) => [id, name, reason])).toEqual([
        ['id-0', 'name', 'type'],
        ['id-1', 'name', 'type'],
      ]);
      expect(Object.keys(readable.rows)).not.toContain('patterns');
    }
  });
});

describe('the depth of JSON', () => {
  it('is judged without recursion, however deep', () => {
    const deep = JSON.parse('['.repeat(200_000) + ']'.repeat(200_000)) as Json;
    expect(exceededLimit(deep)).toBe('depth');
    expect(storableJson(deep)).toMatchObject({ ok: false, error: 'depth' });
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(storableJson(cycle)).toMatchObject({ ok: false, error: 'depth' });
    expect(storableJson(Array.from({ length: JSON_LIMITS.values + 1 }, () => 0))).toMatchObject({
      error: 'count',
    });
    expect(storableJson(Array.from({ length: JSON_LIMITS.values }, () => 0)).ok).toBe(true);
  });

  it('is the same in the text as in the value', () => {
    const depthOf = (value: Json): number =>
      value !== null && typeof value === 'object'
        ? 1 + Math.max(0, ...Object.values(value).map((inner) => depthOf(inner as Json)))
        : 0;
    fc.assert(
      fc.property(fc.jsonValue() as fc.Arbitrary<Json>, fc.nat(6), (value, most) => {
        expect(nestsDeeper(JSON.stringify(value), most)).toBe(depthOf(value) > most);
      }),
    );
  });
});
