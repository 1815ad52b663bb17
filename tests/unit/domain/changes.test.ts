import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import { changedColumns, sameJson } from '@/domain/changes';

describe('sameJson', () => {
  it('takes a value and its copy with the keys in reverse order for the same', () => {
    const turned = (value: Json): Json => {
      if (Array.isArray(value)) return value.map(turned);
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, item]) => [key, turned(item)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(sameJson(value as Json, turned(value as Json))).toBe(true);
      }),
    );
  });

  it.each<[Json, Json]>([
    [{}, []],
    [{ a: null }, {}],
    [{ a: null }, { b: null }],
    [[1], [1, 2]],
    [null, {}],
    ['1', 1],
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }],
  ])('tells %j and %j apart', (one, other) => {
    expect(sameJson(one, other)).toBe(false);
    expect(sameJson(other, one)).toBe(false);
  });
});

describe('changedColumns', () => {
  it('names the changed columns in the order of the schema', () => {
    const before = { name: 'a', content: { x: 1, y: [2] }, category: 'general', project_id: null };
    const changes = { category: 'other', content: { y: [2], x: 1 }, name: 'b', project_id: null };
    expect(changedColumns('best_practices', before, changes)).toEqual(['name', 'category']);
  });
});
