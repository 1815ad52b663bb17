import { Q } from '@nozbe/watermelondb';
import * as encodeMatcherModule from '@nozbe/watermelondb/observation/encodeMatcher/index.js';
import { type AdapterCase, type Boat, expectSame, insert, type Opened, open, type Row, row } from './fixture';

type Clause = Parameters<ReturnType<Opened['database']['get']>['query']>[0] extends infer C
  ? C extends unknown[]
    ? C[number]
    : C
  : never;

const FLEET: Row[] = [
  { id: 'b1', name: 'Anna', length: 7, draught: 1.5, afloat: true, note: 'a', order: 3 },
  { id: 'b2', name: 'Berta', length: 12, draught: null, afloat: false, note: null, order: 1 },
  { id: 'b3', name: 'anna', length: 12, draught: 2, afloat: true, note: '', order: 2 },
  { id: 'b4', name: 'Cleo 100%', length: -3, draught: 12, afloat: false, note: 'b', order: null },
  { id: 'b5', name: "D'Arcy_x", length: 0.5, draught: 0, afloat: true, note: 'ab', order: 2 },
  { id: 'b6', name: 'Öre', length: 1e15, draught: -0.25, afloat: false, note: 'null', order: 9 },
];

/** A clause and the boats it finds. */
const OPERATORS: [string, Clause, string[]][] = [
  ['eq text', Q.where('name', 'Anna'), ['b1']],
  ['eq number', Q.where('length', 12), ['b2', 'b3']],
  ['eq fraction', Q.where('length', 0.5), ['b5']],
  ['eq large', Q.where('length', 1e15), ['b6']],
  ['eq true', Q.where('afloat', true), ['b1', 'b3', 'b5']],
  ['eq false', Q.where('afloat', false), ['b2', 'b4', 'b6']],
  ['eq null', Q.where('draught', null), ['b2']],
  ['eq empty text, which is not null', Q.where('note', ''), ['b3']],
  ['eq the word null', Q.where('note', 'null'), ['b6']],
  ['notEq, null included', Q.where('draught', Q.notEq(2)), ['b1', 'b2', 'b4', 'b5', 'b6']],
  ['notEq null', Q.where('note', Q.notEq(null)), ['b1', 'b3', 'b4', 'b5', 'b6']],
  ['gt', Q.where('length', Q.gt(7)), ['b2', 'b3', 'b6']],
  ['gte', Q.where('length', Q.gte(7)), ['b1', 'b2', 'b3', 'b6']],
  ['lt', Q.where('length', Q.lt(0.5)), ['b4']],
  ['lte', Q.where('length', Q.lte(0.5)), ['b4', 'b5']],
  ['gt leaves null out', Q.where('draught', Q.gt(-100)), ['b1', 'b3', 'b4', 'b5', 'b6']],
  ['lt leaves null out', Q.where('draught', Q.lt(100)), ['b1', 'b3', 'b4', 'b5', 'b6']],
  ['gt of text', Q.where('name', Q.gt('Cleo 100%')), ['b3', 'b5', 'b6']],
  ['gt of a column', Q.where('length', Q.gt(Q.column('draught'))), ['b1', 'b3', 'b5', 'b6']],
  ['weakGt of a column', Q.where('length', Q.weakGt(Q.column('draught'))), ['b1', 'b2', 'b3', 'b5', 'b6']],
  ['eq of a column', Q.where('length', Q.eq(Q.column('order'))), []],
  ['oneOf texts', Q.where('name', Q.oneOf(['Anna', "D'Arcy_x", 'nobody'])), ['b1', 'b5']],
  ['oneOf numbers', Q.where('order', Q.oneOf([1, 9])), ['b2', 'b6']],
  ['oneOf nothing', Q.where('name', Q.oneOf([])), []],
  ['notIn leaves null out', Q.where('order', Q.notIn([1, 9])), ['b1', 'b3', 'b5']],
  ['between', Q.where('length', Q.between(0.5, 12)), ['b1', 'b2', 'b3', 'b5']],
  ['like, whatever the case', Q.where('name', Q.like('ann%')), ['b1', 'b3']],
  ['like in the middle', Q.where('name', Q.like('%ert%')), ['b2']],
  ['like one letter', Q.where('name', Q.like('_nna')), ['b1', 'b3']],
  ['notLike leaves null out', Q.where('note', Q.notLike('a%')), ['b3', 'b4', 'b6']],
  ['like of sanitized text', Q.where('name', Q.like(`${Q.sanitizeLikeString('Cleo 100%')}`)), ['b4']],
  ['includes, by case', Q.where('name', Q.includes('nn')), ['b1', 'b3']],
  ['includes a quote', Q.where('name', Q.includes("'A")), ['b5']],
  ['includes a per cent sign', Q.where('name', Q.includes('%')), ['b4']],
  ['and', Q.and(Q.where('length', 12), Q.where('afloat', true)), ['b3']],
  ['or', Q.or(Q.where('name', 'Berta'), Q.where('note', 'b')), ['b2', 'b4']],
  [
    'and in or in and',
    Q.and(
      Q.where('afloat', true),
      Q.or(Q.where('length', 7), Q.and(Q.where('order', 2), Q.where('note', 'ab'))),
    ),
    ['b1', 'b5'],
  ],
  ['a column named like a keyword', Q.where('order', 2), ['b3', 'b5']],
  ['an expression', Q.unsafeSqlExpr('boats.length % 2 = 1 -- "odd" isn\'t even'), ['b1']],
];

async function withFleet(host: Parameters<AdapterCase['run']>[0]): Promise<Opened> {
  const opened = await open(host);
  await insert(opened.adapter, 'boats', ...FLEET);
  return opened;
}

const sorted = (ids: string[]) => [...ids].sort();

const operatorCases: AdapterCase[] = [
  {
    title: 'finds the same records by every operator, as records, ids and count',
    async run(host) {
      const { adapter, database } = await withFleet(host);
      for (const [what, clause, expected] of OPERATORS) {
        const query = database.get<Boat>('boats').query(clause);
        expectSame(sorted(await query.fetchIds()), expected, what);
        expectSame(sorted((await query.fetch()).map(({ id }) => id)), expected, what);
        // An expression may end in a comment, behind which nothing can be added.
        expectSame(await query.fetchCount(), expected.length, what);
      }
      await adapter.close();
    },
  },
  {
    title: 'finds all of a thousand ids in one list',
    async run(host) {
      const { adapter, database } = await open(host);
      const rows = Array.from({ length: 1_000 }, (_, at) => ({ id: `b${at}`, name: `n'${at}` }));
      await insert(adapter, 'boats', ...rows);
      const names = Q.where('name', Q.oneOf(rows.map(({ name }) => name)));
      expectSame(await database.get('boats').query(names).fetchCount(), 1_000);
      expectSame((await database.get('boats').query(names).fetch()).length, 1_000);
      await adapter.close();
    },
  },
  {
    title: 'agrees with the matcher that observers use, on random clauses',
    async run(host) {
      const { adapter, database } = await withFleet(host);
      const raws = FLEET.map((values) => row('boats', values));
      for (let seed = 1; seed <= 300; seed += 1) {
        const clause = randomClause(random(seed), 3);
        const query = database.get('boats').query(clause);
        const matches = encodeMatcher((query as unknown as { description: unknown }).description);
        const expected = raws.filter((raw) => matches(raw)).map(({ id }) => id);
        expectSame(sorted(await query.fetchIds()), expected, `seed ${seed} ${JSON.stringify(clause)}`);
      }
      await adapter.close();
    },
  },
];

const encodeMatcher = ((encodeMatcherModule.default as { default?: unknown }).default ??
  encodeMatcherModule.default) as (description: unknown) => (raw: Row) => boolean;

/** mulberry32: small, seeded, good enough to choose test data. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function randomClause(next: () => number, depth: number): Clause {
  const pick = <T>(items: readonly T[]) => items[Math.floor(next() * items.length)] as T;
  if (depth > 0 && next() < 0.4) {
    const parts = Array.from({ length: 1 + Math.floor(next() * 3) }, () => randomClause(next, depth - 1));
    return next() < 0.5 ? Q.and(...(parts as never[])) : Q.or(...(parts as never[]));
  }
  if (next() < 0.5) {
    const text = pick(['Anna', 'anna', '', 'null', "D'Arcy_x", 'Cleo 100%', 'a']);
    const comparison = pick([
      Q.eq(text),
      Q.notEq(text),
      Q.gt(text),
      Q.lte(text),
      Q.oneOf([text, 'ab']),
      Q.notIn([text, 'b']),
      Q.includes(text === '' ? 'n' : text),
    ]);
    return Q.where(pick(['name', 'note']), comparison);
  }
  const number = pick([-3, 0, 0.5, 1, 2, 7, 12, 1e15]);
  const comparison = pick([
    Q.eq(number),
    Q.eq(null),
    Q.notEq(number),
    Q.gt(number),
    Q.gte(number),
    Q.lt(number),
    Q.lte(number),
    // Not between: the matcher takes null for 0 there.
    Q.oneOf([number, 3]),
    Q.gt(Q.column('order')),
    Q.weakGt(Q.column('draught')),
  ]);
  return Q.where(pick(['length', 'draught', 'order']), comparison);
}

const orderCases: AdapterCase[] = [
  {
    title: 'sorts by columns, up and down, null first, and cuts out a part',
    async run(host) {
      const { adapter, database } = await withFleet(host);
      const ids = (...clauses: Clause[]) =>
        database
          .get('boats')
          .query(...clauses)
          .fetchIds();
      expectSame(await ids(Q.sortBy('name')), ['b1', 'b2', 'b4', 'b5', 'b3', 'b6'], 'by code point');
      expectSame(await ids(Q.sortBy('length', Q.desc), Q.sortBy('name')), [
        'b6',
        'b2',
        'b3',
        'b1',
        'b5',
        'b4',
      ]);
      expectSame((await ids(Q.sortBy('order'), Q.sortBy('length')))[0], 'b4', 'null first');
      expectSame(await ids(Q.sortBy('length'), Q.take(2)), ['b4', 'b5']);
      expectSame(await ids(Q.sortBy('length'), Q.skip(1), Q.take(2)), ['b5', 'b1']);
      expectSame(await ids(Q.sortBy('length'), Q.skip(5), Q.take(10)), ['b6']);
      await adapter.close();
    },
  },
  {
    title: 'gives raw rows, and runs SQL with arguments',
    async run(host) {
      const { adapter, database } = await withFleet(host);
      const raws = await database.get('boats').query(Q.where('id', 'b5')).unsafeFetchRaw();
      expectSame([raws.length, raws[0].name, raws[0].afloat], [1, "D'Arcy_x", 1]);
      const sql = Q.unsafeSqlQuery('select * from boats where name = ? and afloat = ?', ["D'Arcy_x", true]);
      expectSame((await database.get('boats').query(sql).fetch()).length, 1);
      const sums = Q.unsafeSqlQuery(
        "select sum(length) as sum, 'it''s' as word from boats where length < 100",
      );
      expectSame(await database.get('boats').query(sums).unsafeFetchRaw(), [{ sum: 28.5, word: "it's" }]);
      await adapter.close();
    },
  },
];

export const queryCases = [...operatorCases, ...orderCases];
