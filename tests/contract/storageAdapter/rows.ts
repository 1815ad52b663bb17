import type { BulkRows, ForeignChange, Replica } from '@/core/storage';
import {
  type AdapterCase,
  batch,
  expectFailure,
  expectSame,
  find,
  insert,
  open,
  type Row,
  row,
} from './fixture';

const boats = (...rows: [id: string, name: string][]): BulkRows => ({
  columns: ['id', 'name'],
  rows,
  same: {
    _status: 'synced',
    _changed: '',
    note: "it's",
    harbour_id: null,
    length: 3,
    draught: null,
    afloat: 1,
    order: null,
  },
});

/** Rows that come and go without a record for each. */
export const rowCases: AdapterCase[] = [
  {
    title: 'fills in rows, in place of those that have their ids',
    async run(host) {
      const { adapter } = await open(host);
      await insert(adapter, 'boats', { id: 'b1', name: 'old', length: 9 }, { id: 'b2', name: 'stays' });
      await batch(adapter, [['fill', 'boats', boats(['b1', 'new'], ['b3', "o'new"])]]);
      const wanted = { note: "it's", length: 3, afloat: true };
      expectSame(await find(adapter, 'boats', 'b1'), row('boats', { id: 'b1', name: 'new', ...wanted }));
      expectSame(((await find(adapter, 'boats', 'b2')) as Row).name, 'stays');
      expectSame(await find(adapter, 'boats', 'b3'), row('boats', { id: 'b3', name: "o'new", ...wanted }));
      await adapter.close();
    },
  },
  {
    title: 'fills in rows with the rest of a batch, or not at all',
    async run(host) {
      const { adapter } = await open(host);
      await insert(adapter, 'harbours', { id: 'h1' });
      const both = [
        ['fill', 'boats', boats(['b1', 'new'])],
        ['create', 'harbours', row('harbours', { id: 'h1' })],
      ];
      await expectFailure(batch(adapter, both));
      expectSame(await find(adapter, 'boats', 'b1'), null);
      await adapter.close();
    },
  },
  {
    title: 'tells of filled rows that are in memory or watched, and of their table in any case',
    async run(host) {
      const { adapter } = await open(host);
      const told: ForeignChange[] = [];
      const replica: Replica = {
        holds: (_table, id) => id === 'b2',
        held: () => ['b2'],
        takeOver: (changes) => told.push(...changes),
      };
      adapter.attach(replica);
      await batch(adapter, [['fill', 'boats', boats(['b1', 'one'], ['b2', 'two'])]]);
      expectSame(
        told.map(({ table, rows }) => [table, rows.map(({ id, name, length }) => [id, name, length])]),
        [['boats', [['b2', 'two', 3]]]],
      );
      await batch(adapter, [['fill', 'boats', boats(['b1', 'three'])]]);
      expectSame(told.slice(1), [{ table: 'boats', rows: [], gone: [] }]);
      await adapter.close();
    },
  },
  {
    title:
      'runs statements with the rest of a batch, or not at all; of their records, those in memory follow',
    async run(host) {
      const { adapter } = await open(host);
      for (const [id, name] of [
        ['b1', 'one'],
        ['b2', 'two'],
        ['b3', 'three'],
      ] as const)
        await insert(adapter, 'boats', { id, name });
      const told: ForeignChange[] = [];
      adapter.attach({
        holds: (_table, id) => id !== 'b3',
        held: () => ['b1', 'b2'],
        takeOver: (changes) => told.push(...changes),
      });
      const rename = 'update "boats" set "name" = ? where "id" in (select "value" from json_each(?))';
      const remove = 'delete from "boats" where "id" = ?';
      const both = [
        ['run', 'boats', { sql: rename, args: ['new', '["b1","b3"]'], ids: ['b1', 'b3'] }],
        ['run', 'boats', { sql: remove, args: ['b2'], ids: ['b2'] }],
      ];
      await expectFailure(batch(adapter, [...both, ['create', 'boats', row('boats', { id: 'b1' })]]));
      expectSame(told, []);
      await batch(adapter, both);
      const seen = () => told.map(({ rows, gone }) => [rows.map(({ id, name }) => [id, name]), gone]);
      expectSame(seen(), [[[['b1', 'new']], ['b2']]]);
      expectSame(await adapter.readAll([{ sql: 'select "id", "name" from "boats" order by 1', args: [] }]), [
        [
          ['b1', 'new'],
          ['b3', 'new'],
        ],
      ]);
      const again = { sql: rename, args: ['newer', '["b3"]'], ids: ['b3'] };
      await batch(adapter, [['run', 'boats', again]]);
      // Of what is not in memory the table is told, so that lists read it.
      expectSame(seen().slice(1), [[[], []]]);
      await adapter.close();
    },
  },
  {
    title: 'writes of an update that says what is stored only what differs',
    async run(host) {
      const { adapter } = await open(host);
      await insert(adapter, 'boats', { id: 'b1', name: 'one', length: 7, note: 'kept' });
      const before = row('boats', { id: 'b1', name: 'one', length: 1, note: 'seen' });
      const after = { ...before, name: 'two', afloat: true };
      await batch(adapter, [
        ['update', 'boats', after, before],
        ['update', 'boats', after, after],
      ]);
      const wanted = row('boats', { id: 'b1', name: 'two', length: 7, note: 'kept', afloat: true });
      expectSame(await find(adapter, 'boats', 'b1'), wanted);
      await adapter.close();
    },
  },
  {
    title: 'answers several queries at once, past the records in memory',
    async run(host) {
      const { adapter } = await open(host);
      await insert(adapter, 'boats', { id: 'b1', name: 'one' }, { id: 'b2', name: 'two' });
      const found = await adapter.readAll([
        { sql: 'select "name", "id" from "boats" where "id" = ?', args: ['b2'] },
        { sql: 'select count(*) from "boats"', args: [] },
        { sql: 'select "id" from "boats" where "name" = ?', args: ['none'] },
      ]);
      expectSame(found, [[['two', 'b2']], [[2]], []]);
      await expectFailure(adapter.readAll([{ sql: 'select nothing from nowhere', args: [] }]));
      expectSame(await adapter.readAll([{ sql: 'select 1', args: [] }]), [[[1]]]);
      await adapter.close();
    },
  },
];
