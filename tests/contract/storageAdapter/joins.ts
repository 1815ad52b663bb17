import { Q } from '@nozbe/watermelondb';
import { type AdapterCase, expectSame, insert, open } from './fixture';

export const joinCases: AdapterCase[] = [
  {
    title: 'joins up, down, across several and through nested tables, each record once',
    async run(host) {
      const { adapter, database } = await open(host);
      await insert(adapter, 'countries', { id: 'c1', name: 'Nor' }, { id: 'c2', name: 'Swe' });
      await insert(
        adapter,
        'harbours',
        { id: 'h1', name: 'Bergen', country_id: 'c1' },
        { id: 'h2', name: 'Kalmar', country_id: 'c2' },
        { id: 'h3', name: 'Nowhere', country_id: null },
      );
      await insert(
        adapter,
        'boats',
        { id: 'b1', name: 'Anna', harbour_id: 'h1', length: 5 },
        { id: 'b2', name: 'Berta', harbour_id: 'h2', length: 6 },
        { id: 'b3', name: 'Cleo', harbour_id: null, length: 7 },
        { id: 'b4', name: 'Dora', harbour_id: 'h1', length: 8, _status: 'deleted' },
      );
      await insert(
        adapter,
        'voyages',
        { id: 'v1', boat_id: 'b1', miles: 10 },
        { id: 'v2', boat_id: 'b1', miles: 6 },
        { id: 'v3', boat_id: 'b2', miles: 5 },
        { id: 'v4', boat_id: 'b4', miles: 99 },
      );
      const ids = async (table: string, ...clauses: never[]) => {
        const query = database.get(table).query(...clauses);
        const found = (await query.fetchIds()).sort();
        expectSame(await query.fetchCount(), found.length, 'count of a join');
        expectSame((await query.fetch()).map(({ id }) => id).sort(), found, 'records of a join');
        return found;
      };
      const on = Q.on as (...args: unknown[]) => never;
      const joined = Q.experimentalJoinTables(['harbours', 'voyages'] as never) as never;
      expectSame(
        await ids('boats', on('harbours', 'name', 'Bergen')),
        ['b1'],
        'belongs to, deleted left out',
      );
      expectSame(await ids('boats', on('voyages', 'miles', Q.gt(5))), ['b1'], 'has many, once');
      expectSame(await ids('harbours', on('boats', 'length', Q.gt(5))), ['h2'], 'has many of deleted');
      expectSame(
        await ids('boats', on('harbours', 'name', 'Bergen'), on('voyages', 'miles', 6)),
        ['b1'],
        'two tables',
      );
      expectSame(
        await ids('boats', joined, Q.or(on('harbours', 'name', 'Kalmar'), Q.where('length', 7)) as never),
        ['b2', 'b3'],
        'in an or',
      );
      expectSame(
        await ids(
          'boats',
          Q.experimentalNestedJoin('harbours' as never, 'countries' as never) as never,
          on('harbours', on('countries', 'name', 'Swe')),
        ),
        ['b2'],
        'nested',
      );
      expectSame(
        await ids('boats', on('voyages', [Q.where('miles', Q.gt(3)), Q.where('miles', Q.lt(7))])),
        ['b1', 'b2'],
        'several conditions',
      );
      await adapter.close();
    },
  },
];
