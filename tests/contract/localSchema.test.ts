/** Postgres against the WatermelonDB schema, table by table and column by column: neither may drift. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVER_ONLY_COLUMNS } from '@/domain/schema';
import { modelClasses, schema } from '@/lib/watermelon/models';
import { openDatabase, type TestDatabase } from '../support/database';

/** What only the device keeps beside the columns of the server. */
const DEVICE_COLUMNS = ['remote_id', 'is_synced', 'sync_status', 'sync_base', 'sync_error'];

/** How each type of Postgres is stored here. */
const STORED_AS: Record<string, string> = {
  uuid: 'string',
  text: 'string',
  jsonb: 'string',
  bigint: 'number',
  'double precision': 'number',
  'timestamp with time zone': 'number',
};

interface ServerColumn {
  table_name: string;
  column_name: string;
  data_type: string;
  is_nullable: string;
}

let database: TestDatabase;
let columns: ServerColumn[];

beforeAll(async () => {
  database = await openDatabase();
  columns = await database.query<ServerColumn>(
    `select table_name::text, column_name::text, data_type::text, is_nullable::text
     from information_schema.columns
     where table_schema = 'public' and table_name in (
       select table_name from information_schema.columns where table_schema = 'public' and column_name = 'field_revisions')`,
  );
});
afterAll(() => database.close());

const local = Object.entries(schema.tables as unknown as Record<string, LocalTable>);
interface LocalTable {
  columns: Record<string, { type: string; isOptional?: boolean }>;
}
const synced = local.filter(([name]) => !name.startsWith('sync_'));

describe('the WatermelonDB schema', () => {
  it('has the synced tables of Postgres, all and no others', () => {
    const tables = [...new Set(columns.map(({ table_name }) => table_name))].sort();
    expect(synced.map(([name]) => name).sort()).toEqual(tables);
  });

  it.each(synced)('%s mirrors the columns of Postgres', (name, table) => {
    const hidden: readonly string[] = SERVER_ONLY_COLUMNS;
    const expected = columns
      .filter(({ table_name, column_name }) => table_name === name && !hidden.includes(column_name))
      .filter(({ column_name }) => column_name !== 'id')
      .map(({ column_name, data_type, is_nullable }) => [
        column_name,
        STORED_AS[data_type] ?? `unknown ${data_type}`,
        is_nullable === 'YES',
      ]);
    const actual = Object.entries(table.columns)
      .filter(([column]) => !DEVICE_COLUMNS.includes(column))
      .map(([column, { type, isOptional = false }]) => [column, type, isOptional]);
    const sorted = (list: unknown[][]) => list.map((item) => item.join(' ')).sort();
    expect(sorted(actual)).toEqual(sorted(expected));
    expect(Object.keys(table.columns)).toEqual(expect.arrayContaining(DEVICE_COLUMNS));
  });

  it('has one model for each table', () => {
    const tables = modelClasses.map(({ table }) => table as unknown as string).sort();
    expect(tables).toEqual(local.map(([name]) => name).sort());
  });
});
