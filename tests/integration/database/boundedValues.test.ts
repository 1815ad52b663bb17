/** Values beyond the limits of JSON are refused by themselves, and rows can be asked for once more. */

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import { exceededLimit } from '@/core/text';
import { openDatabase, type TestDatabase } from '../../support/database';
import { createTeam, createUser, type Team } from '../../support/syncUser';

let database: TestDatabase;
let team: Team;
beforeAll(async () => {
  database = await openDatabase();
  team = await createTeam(database);
});
afterAll(() => database?.close());

/** Text of a JSON value that is nested so deep, which `JSON.stringify` could not print. */
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const parsed = (text: string) => JSON.parse(text) as Json;

function pattern(content: Json) {
  return team.make.insert('patterns', { name: 'p', content: { x: content } });
}

/** Values on both sides of each limit, and whether they are within. */
const EDGES: [what: string, content: string, isWithin: boolean][] = [
  ['99 levels in one', nested(99), true],
  ['100 levels in one', nested(100), false],
  ['1,000 levels', nested(1_000), false],
  ['objects that are too deep', `${'{"a":'.repeat(120)}1${'}'.repeat(120)}`, false],
  ['9,998 values in one list of one object', `[${Array(9_998).fill('0').join()}]`, true],
  ['10,001 values', `[${Array(10_001).fill('0').join()}]`, false],
  ['the largest number', '1.7976931348623157e308', true],
  ['a number beyond it', '1e309', false],
  ['one of the other sign', '[-1e400]', false],
  ['brackets and commas in a text', JSON.stringify('[{,'.repeat(5_000)), true],
  ['a text of digits', JSON.stringify('9'.repeat(500)), true],
];

describe('a JSON value', () => {
  it.each(EDGES)(
    'with %s is taken or refused by itself, as a device would',
    async (_what, text, isWithin) => {
      const values = { name: 'p', content: parsed(`{"x":${text}}`) };
      expect(exceededLimit(values.content) === null).toBe(isWithin);
      // As text: JavaScript would send 1e309 as null.
      const change = { ...pattern(0), values: { name: 'p', content: '@' } };
      const other = pattern(1);
      const changes = JSON.stringify([change, other]).replace('"@"', () => `{"x":${text}}`);
      const answer = await team.owner.pushText(changes);
      expect(answer.outcomes[1]).toMatchObject({ outcome: 'applied' });
      expect(answer.outcomes[0]).toMatchObject(
        isWithin ? { outcome: 'applied' } : { outcome: 'rejected', code: 'invalid_value', column: 'content' },
      );
    },
  );

  it.each([
    ['1e400', false],
    ['-1e309', false],
    ['-1.7976931348623157e308', true],
    ['1e-400', true],
    ['"text"', true],
  ])('that is a scalar, %s, is taken or refused as in a list', async (text, isWithin) => {
    for (const content of [text, `[${text}]`]) {
      const changes = JSON.stringify([{ ...pattern(0), values: { name: 'p', content: '@' } }]);
      const answer = await team.owner.pushText(changes.replace('"@"', () => content));
      expect(answer.outcomes[0]).toMatchObject(
        isWithin ? { outcome: 'applied' } : { outcome: 'rejected', code: 'invalid_value', column: 'content' },
      );
    }
  });

  it.each([
    ['1,000 levels', nested(1_000)],
    ['as many beside a long text', `["${'x'.repeat(140_000)}",${nested(1_000)}]`],
    ['a number beyond the largest', '1e400'],
    ['10,001 values', `[${Array(10_001).fill('0').join()}]`],
  ])('with %s that an update expects is refused by itself (U45)', async (_what, text) => {
    const row = pattern(1);
    await team.owner.push([row]);
    const update = team.make.update('patterns', row.id, null, { name: 'q' });
    const changes = JSON.stringify([{ ...update, expected: { content: '@' } }, pattern(2)]);
    const answer = await team.owner.pushText(changes.replace('"@"', () => text));
    expect(answer.outcomes).toMatchObject([
      { outcome: 'rejected', code: 'invalid_value', column: 'content' },
      { outcome: 'applied' },
    ]);
  });

  it('of any shape is judged alike by devices and by the database', async () => {
    const values = fc.jsonValue({ maxDepth: 8, depthSize: 'large' }) as fc.Arbitrary<Json>;
    const wrapped = fc
      .tuple(values, fc.integer({ min: 85, max: 105 }), fc.boolean())
      .map(([value, levels, asList]) =>
        Array.from({ length: levels }).reduce<Json>((inner) => (asList ? [inner] : { a: inner }), value),
      );
    await fc.assert(
      fc.asyncProperty(wrapped, async (content) => {
        const [row] = await database.query<{ fault: string | null }>(
          `select (convoy.json_fault(jsonb_build_object('content', $1::jsonb))).column_name as fault`,
          [JSON.stringify(content)],
        );
        expect(row?.fault === null).toBe(exceededLimit(content) === null);
      }),
      { numRuns: 60 },
    );
  });
});

describe('wanted rows', () => {
  const wantedOf = async (user = team.owner, wanted: unknown = [], cursors = {}) =>
    user.pullRaw({ wanted, cursors });

  it('come once more from behind the cursor, deleted ones as tombstones; others do not (P33)', async () => {
    const { owner, make } = team;
    const [kept, gone] = [pattern(1), pattern(2)];
    await owner.push([kept, gone]);
    const { cursors } = await owner.pullAll();
    await owner.push([make.delete('patterns', gone.id, null)]);
    const later = (await owner.pullAll(cursors)).cursors;
    const named = [kept, gone].map(({ id }) => ({ table: 'patterns', id }));
    const unknown = [
      { table: 'patterns', id: randomUUID() },
      { table: 'no_such_table', id: kept.id },
      { table: 'tasks', id: kept.id },
    ];
    const answer = await wantedOf(owner, [...named, ...unknown], later);
    expect(answer).toMatchObject({
      rows: { patterns: { id: [kept.id] } },
      deleted: { patterns: [gone.id] },
      more: false,
    });
    expect(Object.keys((answer as { rows: object }).rows)).toEqual(['patterns']);
    // What a page brings anyway comes once.
    const whole = await owner.pull({}, { wanted: named });
    expect(whole.rows.patterns?.id.filter((id) => id === kept.id)).toHaveLength(1);
  });

  it('of workspaces that the user may not see do not come (P-PRIVATE)', async () => {
    const row = pattern(1);
    await team.owner.push([row]);
    const stranger = await createUser(database);
    const { cursors } = await team.owner.pullAll();
    const wanted = [{ table: 'patterns', id: row.id }];
    expect(await wantedOf(stranger, wanted, cursors)).toMatchObject({ rows: {}, deleted: {} });
    expect(await wantedOf(team.viewer, wanted, cursors)).toMatchObject({
      rows: { patterns: { id: [row.id] } },
    });
  });

  it.each<[string, unknown]>([
    ['no list', {}],
    ['more than 100', Array.from({ length: 101 }, () => ({ table: 'tasks', id: randomUUID() }))],
    ['no table', [{ id: randomUUID() }]],
    ['no id', [{ table: 'tasks', id: 'x' }]],
    ['an id that is no text', [{ table: 'tasks', id: {} }]],
    ['no object', [null]],
  ])('that are %s are malformed', async (_what, wanted) => {
    expect(await wantedOf(team.owner, wanted)).toMatchObject({ error: { code: 'malformed' } });
  });
});

it('what is too complex for PostgreSQL is refused, not resent for ever', async () => {
  const [row] = await database.query<{ transient: boolean[] }>(
    `select array[convoy.is_transient('54001'), convoy.is_transient('57014'), convoy.is_transient('40P01')] as transient`,
  );
  expect(row?.transient).toEqual([false, true, true]);
});
