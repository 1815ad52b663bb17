import type { ForeignChange, Replica } from '@/core/storage';
import { type AdapterCase, batch, call, expectSame, find, insert, open, type Row, row } from './fixture';

/** Holds these records in memory. */
function replica(held: string[]): Replica & { told: ForeignChange[] } {
  const told: ForeignChange[] = [];
  return {
    told,
    holds: (_table, id) => held.includes(id),
    held: () => held,
    takeOver: (changes) => told.push(...changes),
  };
}

const names = (rows: { id: string }[]) => rows.map(({ id }) => id).sort();

/** Two openings of one database, as two tabs or processes have it. */
export const sharingCases: AdapterCase[] = [
  {
    title:
      'tells a writer what others wrote, before its work begins: the records that it holds, and the tables',
    async run(host) {
      const one = await open(host);
      const other = await open(host, one.name);
      await insert(one.adapter, 'boats', { id: 'b1', name: 'old' }, { id: 'b2' }, { id: 'b3' });
      const side = replica(['b1', 'b2', 'b3']);
      other.adapter.attach(side);
      await other.adapter.whileSoleWriter(async () => undefined);
      side.told.length = 0;
      await one.adapter.whileSoleWriter(async () => {
        await batch(one.adapter, [
          ['update', 'boats', row('boats', { id: 'b1', name: 'new' })],
          ['markAsDeleted', 'boats', 'b2'],
          ['destroyPermanently', 'boats', 'b3'],
          ['create', 'boats', row('boats', { id: 'b4' })],
          ['create', 'harbours', row('harbours', { id: 'h1' })],
        ]);
      });
      await other.adapter.whileSoleWriter(async () => {
        const of = (table: string) => side.told.filter((change) => change.table === table);
        const boats = of('boats');
        expectSame(names(boats.flatMap(({ rows }) => rows)), ['b1']);
        expectSame(boats.flatMap(({ rows }) => rows)[0]?.name, 'new');
        expectSame(boats.flatMap(({ gone }) => gone).sort(), ['b2', 'b3']);
        expectSame(of('harbours'), [{ table: 'harbours', rows: [], gone: [] }]);
      });
      await one.adapter.close();
      await other.adapter.close();
    },
  },
  {
    title: 'tells which tables others wrote to, also those of which it holds nothing',
    async run(host) {
      const one = await open(host);
      const other = await open(host, one.name);
      const side = replica([]);
      other.adapter.attach(side);
      await insert(one.adapter, 'boats', { id: 'b1' });
      await other.adapter.whileSoleWriter(async () => {
        expectSame(side.told, [{ table: 'boats', rows: [], gone: [] }]);
      });
      await one.adapter.close();
      await other.adapter.close();
    },
  },
  {
    title: 'tells of a reset by another',
    async run(host) {
      const one = await open(host);
      const other = await open(host, one.name);
      await insert(one.adapter, 'boats', { id: 'b1' });
      const side = replica(['b1']);
      other.adapter.attach(side);
      await other.adapter.whileSoleWriter(async () => undefined);
      side.told.length = 0;
      await call((done) => one.adapter.unsafeResetDatabase(done as never));
      await other.adapter.whileSoleWriter(async () => {
        expectSame(side.told.find(({ table }) => table === 'boats')?.gone, ['b1']);
      });
      await one.adapter.close();
      await other.adapter.close();
    },
  },
  {
    title: 'is not told what it wrote itself',
    async run(host) {
      const { adapter } = await open(host);
      const side = replica(['b1']);
      adapter.attach(side);
      await adapter.whileSoleWriter(() => insert(adapter, 'boats', { id: 'b1' }));
      await adapter.whileSoleWriter(async () => undefined);
      expectSame(side.told, []);
      await adapter.close();
    },
  },
  {
    title:
      'tells of a batch of thousands too, of records that it made by table alone, and of more batches than are remembered',
    async run(host) {
      const one = await open(host);
      const other = await open(host, one.name);
      const all = Array.from({ length: 3_000 }, (_, at) => `b${at}`);
      const side = replica(all);
      other.adapter.attach(side);
      await insert(one.adapter, 'boats', ...all.slice(0, 2_000).map((id) => ({ id })));
      await other.adapter.whileSoleWriter(async () => undefined);
      // Nobody can hold what was not there before.
      expectSame(side.told, [{ table: 'boats', rows: [], gone: [] }]);
      side.told.length = 0;
      // Some of them were there, others are new.
      const some = all
        .slice(1_600)
        .map((id) =>
          Number(id.slice(1)) < 2_000
            ? ['update', 'boats', row('boats', { id, length: 1 })]
            : ['create', 'boats', row('boats', { id })],
        );
      await batch(one.adapter, some);
      await other.adapter.whileSoleWriter(async () => undefined);
      expectSame(
        names(side.told.flatMap(({ rows }) => rows)),
        names(all.slice(1_600, 2_000).map((id) => ({ id }))),
      );
      side.told.length = 0;
      await batch(
        one.adapter,
        all.map((id) => ['update', 'boats', row('boats', { id, length: 2 })]),
      );
      await other.adapter.whileSoleWriter(async () => undefined);
      expectSame(side.told.flatMap(({ rows }) => rows).length, 3_000);
      side.told.length = 0;
      for (let turn = 0; turn < 1_010; turn += 1) {
        await batch(one.adapter, [['update', 'boats', row('boats', { id: 'b7', length: turn })]]);
      }
      await other.adapter.whileSoleWriter(async () => undefined);
      const seen = side.told.flatMap(({ rows }) => rows).filter(({ id }) => id === 'b7');
      expectSame(seen.at(-1)?.length, 1_009);
      await one.adapter.close();
      await other.adapter.close();
    },
  },
  {
    title: 'lets writers take turns, and loses none of their changes',
    async run(host) {
      const one = await open(host);
      const other = await open(host, one.name);
      await insert(one.adapter, 'boats', { id: 'b1', length: 0 });
      const add = async ({ adapter }: typeof one) => {
        const found = (await find(adapter, 'boats', 'b1')) as Row;
        await Promise.resolve();
        await batch(adapter, [['update', 'boats', { ...found, length: Number(found.length) + 1 }]]);
      };
      const side = async (opened: typeof one) => {
        for (let turn = 0; turn < 50; turn += 1) await opened.adapter.whileSoleWriter(() => add(opened));
      };
      await Promise.all([side(one), side(other)]);
      expectSame(((await find(one.adapter, 'boats', 'b1')) as Row).length, 100);
      await one.adapter.close();
      await other.adapter.close();
    },
  },
  {
    title: 'frees the turn of a writer whose work fails, and lets it write inside its own turn',
    async run(host) {
      const one = await open(host);
      const other = await open(host, one.name);
      const failed = one.adapter.whileSoleWriter(() => Promise.reject(new Error('no'))).catch(() => 'failed');
      expectSame(await failed, 'failed');
      await other.adapter.whileSoleWriter(() =>
        other.adapter.whileSoleWriter(() => insert(other.adapter, 'boats', { id: 'b1' })),
      );
      expectSame(((await find(one.adapter, 'boats', 'b1')) as Row).id, 'b1');
      await one.adapter.close();
      await other.adapter.close();
    },
  },
];
