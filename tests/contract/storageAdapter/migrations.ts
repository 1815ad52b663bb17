import { appSchema, tableSchema } from '@nozbe/watermelondb';
import { WAIT_MS } from '../../support/patience';
import {
  type Adapter,
  type AdapterCase,
  type AdapterHost,
  addColumns,
  createTable,
  expectFailure,
  expectSame,
  find,
  insert,
  newName,
  open,
  type Row,
  schemaMigrations,
  TABLES,
  unsafeExecuteSql,
} from './fixture';

const ADDED = [
  { name: 'built', type: 'number' as const },
  { name: 'owner', type: 'string' as const, isOptional: true, isIndexed: true },
  { name: 'insured', type: 'boolean' as const },
];
const ANCHORS = { name: 'anchors', columns: [{ name: 'weight', type: 'number' as const }] };

const [boats, ...others] = TABLES as [(typeof TABLES)[number], ...typeof TABLES];
const SCHEMA_3 = appSchema({
  version: 3,
  tables: [
    tableSchema({ name: boats.name, columns: [...boats.columnArray, ...ADDED] as never }),
    ...others,
    tableSchema(ANCHORS as never),
  ],
});
const TO_3 = [
  { toVersion: 2, steps: [addColumns({ table: 'boats' as never, columns: ADDED as never })] },
  {
    toVersion: 3,
    steps: [createTable(ANCHORS as never), unsafeExecuteSql("update boats set owner = 'harbour master';")],
  },
];

const openAs = (host: AdapterHost, name: string, steps: unknown[] = TO_3): Promise<Adapter> =>
  host.open({ name, schema: SCHEMA_3, migrations: schemaMigrations({ migrations: steps as never }) });

export const migrationCases: AdapterCase[] = [
  {
    title: 'migrates an older database over several versions, and keeps what is in it',
    async run(host) {
      const old = await open(host);
      await insert(old.adapter, 'boats', { id: 'b1', name: 'kept', length: 3 });
      await old.adapter.close();
      const adapter = await openAs(host, old.name);
      const found = (await find(adapter, 'boats', 'b1')) as Row;
      expectSame(
        [found.name, found.length, found.built, found.owner, found.insured],
        ['kept', 3, 0, 'harbour master', false],
      );
      expectSame(await find(adapter, 'anchors', 'a1'), null);
      await adapter.close();
      await (await openAs(host, old.name)).close();
    },
  },
  {
    title: 'refuses a database that is newer than the code, and leaves it as it was',
    async run(host) {
      const name = newName();
      const adapter = await openAs(host, name);
      await adapter.close();
      await expectFailure(open(host, name), 'newer_schema');
      await (await openAs(host, name)).close();
    },
  },
  {
    title: 'leaves a database as it was when its migration fails',
    async run(host) {
      const old = await open(host);
      await insert(old.adapter, 'boats', { id: 'b1', name: 'kept' });
      await old.adapter.close();
      const broken = [TO_3[0], { toVersion: 3, steps: [unsafeExecuteSql('update nothing set x = 1;')] }];
      await expectFailure(openAs(host, old.name, broken), 'migration_failed');
      const again = await open(host, old.name);
      expectSame(((await find(again.adapter, 'boats', 'b1')) as Row).name, 'kept');
      await again.adapter.close();
    },
  },
  {
    title: 'refuses a database for which there is no migration, instead of resetting it',
    async run(host) {
      const old = await open(host);
      await insert(old.adapter, 'boats', { id: 'b1', name: 'kept' });
      await old.adapter.close();
      await expectFailure(openAs(host, old.name, TO_3.slice(1)), 'no_migration');
      const again = await open(host, old.name);
      expectSame(((await find(again.adapter, 'boats', 'b1')) as Row).name, 'kept');
      await again.adapter.close();
    },
  },
  {
    title:
      'tells those who still have the older version open that theirs is over, and takes no write of them',
    async run(host) {
      const old = await open(host);
      const told: string[] = [];
      old.adapter.onTrouble((error) => told.push(error?.code ?? 'over'));
      await insert(old.adapter, 'boats', { id: 'b1', name: 'kept' });
      const adapter = await openAs(host, old.name);
      await expectFailure(
        old.adapter.whileSoleWriter(() => insert(old.adapter, 'boats', { id: 'b2' })),
        'newer_schema',
      );
      const deadline = Date.now() + WAIT_MS;
      while (told.length === 0 && Date.now() < deadline) await new Promise((go) => setTimeout(go, 20));
      expectSame(told, ['newer_schema']);
      expectSame(((await find(adapter, 'boats', 'b1')) as Row).name, 'kept');
      expectSame(await find(adapter, 'boats', 'b2'), null);
      await old.adapter.close().catch(() => undefined);
      await adapter.close();
    },
  },
];
