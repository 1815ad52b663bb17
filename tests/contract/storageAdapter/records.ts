import {
  type AdapterCase,
  batch,
  call,
  expectFailure,
  expectSame,
  find,
  insert,
  open,
  type Row,
  row,
} from './fixture';

/** Texts that quoting, encoding or a like-minded driver could spoil. */
const NASTY = [
  '',
  ' ',
  "'",
  "''",
  '"',
  '""',
  '\\',
  "\\'",
  '?',
  ':name',
  '@x $y',
  '%_',
  '--',
  '/* */',
  ';',
  "'; drop table boats; --",
  'null',
  'undefined',
  'NaN',
  '0',
  '1e5',
  'true',
  '\n\r\t',
  '\u0001\u001f\u007f',
  '\ufeffbom first',
  'bom \ufeff inside',
  '\u2028\u2029',
  'ÅÄÖ ß ñ',
  'e\u0301',
  '汉字仮名',
  'עברית العربية',
  '👩‍👩‍👧‍👦🏳️‍🌈',
  '\u{10ffff}',
  '__proto__',
  'constructor',
  '<script>',
  'x'.repeat(200_000),
];

const NUMBERS = [0, -0, 1, -1, 0.1, 1 / 3, 1e-7, 2 ** 31, 2 ** 53 - 1, -(2 ** 53) + 1, 1e300, 5e-324];

const shown = (found: Row | string | null) => (typeof found === 'object' && found ? found : { id: found });

export const recordCases: AdapterCase[] = [
  {
    title: 'keeps every text as it is, in columns, ids and conditions',
    async run(host) {
      const { adapter, database, name } = await open(host);
      const rows = NASTY.map((text, at) => ({ id: `${at} ${text.slice(0, 40)}`, name: text, note: text }));
      await insert(adapter, 'boats', ...rows);
      for (const { id, name: text } of rows) {
        expectSame(shown(await find(adapter, 'boats', id)), row('boats', { id, name: text, note: text }));
      }
      await adapter.close();
      const again = await open(host, name);
      for (const { id, name: text } of rows) {
        const { Q } = await import('@nozbe/watermelondb');
        const query = again.database.get('boats').query(Q.where('name', text), Q.where('id', id));
        expectSame(await query.fetchIds(), [id], 'by text');
      }
      expectSame(await again.database.get('boats').query().fetchCount(), NASTY.length);
      void database;
      await again.adapter.close();
    },
  },
  {
    title: 'keeps numbers, booleans and null; what is no number becomes what the column allows',
    async run(host) {
      const { adapter } = await open(host);
      await insert(
        adapter,
        'boats',
        ...NUMBERS.map((length, at) => ({ id: `n${at}`, length, draught: length, afloat: at % 2 === 0 })),
      );
      for (const [at, length] of NUMBERS.entries()) {
        const found = shown(await find(adapter, 'boats', `n${at}`)) as Row;
        expectSame([found.length, found.draught, found.afloat], [length, length, at % 2 === 0]);
      }
      const odd = [Number.NaN, Number.POSITIVE_INFINITY] as number[];
      await insert(
        adapter,
        'boats',
        ...odd.map((length, at) => ({ id: `o${at}`, length, draught: length, note: undefined as never })),
      );
      for (const at of odd.keys()) {
        const found = shown(await find(adapter, 'boats', `o${at}`)) as Row;
        expectSame([found.length, found.draught, found.note], [0, null, null]);
      }
      await adapter.close();
    },
  },
  {
    title: 'updates, marks and destroys; an unknown record is null',
    async run(host) {
      const { adapter, database } = await open(host);
      await insert(adapter, 'boats', { id: 'b1', name: 'one' }, { id: 'b2' }, { id: 'b3' });
      await batch(adapter, [
        ['update', 'boats', row('boats', { id: 'b1', name: 'uno', _status: 'updated', _changed: 'name' })],
        ['markAsDeleted', 'boats', 'b2'],
        ['destroyPermanently', 'boats', 'b3'],
      ]);
      expectSame(
        shown(await find(adapter, 'boats', 'b1')),
        row('boats', { id: 'b1', name: 'uno', _status: 'updated', _changed: 'name' }),
      );
      expectSame((shown(await find(adapter, 'boats', 'b2')) as Row)._status, 'deleted');
      expectSame(await find(adapter, 'boats', 'b3'), null);
      expectSame(await find(adapter, 'boats', 'b4'), null);
      expectSame(await database.get('boats').query().fetchIds(), ['b1'], 'deleted ones are not found');
      expectSame(await call((done) => adapter.getDeletedRecords('boats' as never, done as never)), ['b2']);
      await call((done) => adapter.destroyDeletedRecords('boats' as never, ['b2'], done as never));
      expectSame(await find(adapter, 'boats', 'b2'), null);
      await adapter.close();
    },
  },
  {
    title: 'writes a batch whole or not at all, in its order',
    async run(host) {
      const { adapter } = await open(host);
      await insert(adapter, 'boats', { id: 'b1', name: 'first' });
      await expectFailure(
        batch(adapter, [
          ['create', 'boats', row('boats', { id: 'b2' })],
          ['update', 'boats', row('boats', { id: 'b1', name: 'changed' })],
          ['create', 'boats', row('boats', { id: 'b1' })],
        ]),
      );
      expectSame(await find(adapter, 'boats', 'b2'), null);
      expectSame((shown(await find(adapter, 'boats', 'b1')) as Row).name, 'first');
      await batch(adapter, [
        ['create', 'boats', row('boats', { id: 'b3', name: 'a' })],
        ['create', 'harbours', row('harbours', { id: 'h1' })],
        ['update', 'boats', row('boats', { id: 'b3', name: 'b' })],
        ['destroyPermanently', 'boats', 'b3'],
        ['create', 'boats', row('boats', { id: 'b3', name: 'c' })],
      ]);
      expectSame((shown(await find(adapter, 'boats', 'b3')) as Row).name, 'c');
      await batch(adapter, []);
      await adapter.close();
    },
  },
  {
    title: 'takes ten thousand records in one batch, and finds them by index afterwards',
    async run(host) {
      const { Q } = await import('@nozbe/watermelondb');
      const { adapter, database } = await open(host);
      await insert(
        adapter,
        'boats',
        ...Array.from({ length: 10_000 }, (_, at) => ({ id: `b${at}`, harbour_id: `h${at % 100}` })),
      );
      const query = database.get('boats').query(Q.where('harbour_id', 'h42'));
      expectSame(await query.fetchCount(), 100);
      await adapter.close();
    },
  },
  {
    title: 'refuses tables that the schema does not have',
    async run(host) {
      const { adapter } = await open(host);
      const fails = async (work: () => Promise<unknown>) => expectFailure(Promise.resolve().then(work));
      await fails(() => find(adapter, 'nothing', 'x'));
      await fails(() => batch(adapter, [['create', 'nothing', { id: 'x' }]]));
      await fails(() => find(adapter, 'constructor', 'x'));
      await fails(() => call((done) => adapter.getDeletedRecords('"; --' as never, done as never)));
      await adapter.close();
    },
  },
  {
    title: 'keeps local values, and runs SQL of the application',
    async run(host) {
      const { adapter, name } = await open(host);
      const get = (key: string) => call<string | undefined>((done) => adapter.getLocal(key, done as never));
      expectSame((await get('a')) ?? null, null);
      for (const text of NASTY) {
        await call((done) => adapter.setLocal(`k${text.slice(0, 10)}`, text, done as never));
        expectSame(await get(`k${text.slice(0, 10)}`), text);
      }
      await call((done) => adapter.setLocal('a', '1', done as never));
      await call((done) => adapter.setLocal('a', '2', done as never));
      await call((done) => adapter.setLocal('b', '3', done as never));
      await call((done) => adapter.removeLocal('b', done as never));
      await insert(adapter, 'boats', { id: 'b1', length: 1 });
      const sqls = [['update boats set length = ?, afloat = ? where id = ?', [5, true, 'b1']]];
      await call((done) => adapter.unsafeExecute({ sqls } as never, done as never));
      const sqlString = "update boats set note = 'x;y'; update boats set name = 'z'";
      await call((done) => adapter.unsafeExecute({ sqlString } as never, done as never));
      const found = shown(await find(adapter, 'boats', 'b1')) as Row;
      expectSame([found.length, found.afloat, found.note, found.name], [5, true, 'x;y', 'z']);
      await adapter.close();
      const again = await open(host, name);
      expectSame(await call((done) => again.adapter.getLocal('a', done as never)), '2');
      await call((done) => again.adapter.unsafeResetDatabase(done as never));
      expectSame(await find(again.adapter, 'boats', 'b1'), null);
      await insert(again.adapter, 'boats', { id: 'b1' });
      await again.adapter.close();
    },
  },
  {
    title: 'keeps what is written right behind a reset that is not yet done',
    async run(host) {
      const { name, adapter } = await open(host);
      await insert(adapter, 'boats', { id: 'before' });
      await Promise.all([
        call((done) => adapter.unsafeResetDatabase(done as never)),
        insert(adapter, 'boats', { id: 'behind' }),
        call((done) => adapter.setLocal('key', 'behind', done as never)),
      ]);
      await adapter.close();
      const again = await open(host, name);
      expectSame(await find(again.adapter, 'boats', 'before'), null);
      expectSame((shown(await find(again.adapter, 'boats', 'behind')) as Row | null)?.id, 'behind');
      expectSame(await call((done) => again.adapter.getLocal('key', done as never)), 'behind');
      await again.adapter.close();
    },
  },
];
