/** Postgres against src/domain/schema.ts, column by column. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  COMMON_COLUMNS,
  type Column,
  columnsOf,
  pushableColumns,
  recreatedColumns,
  SERVER_ONLY_COLUMNS,
  SYNCED_TABLES,
} from '@/domain/schema';
import { GLOBAL_SCOPE_ID, ROLES, STANDARD_STAGES, STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { openDatabase, type TestDatabase } from '../support/database';

const POSTGRES_TYPES: Record<Column['kind'], string> = {
  text: 'text',
  prose: 'text',
  json: 'jsonb',
  number: 'double precision',
  time: 'timestamp with time zone',
  ref: 'uuid',
};

interface CatalogColumn {
  name: string;
  type: string;
  nullable: boolean;
  default: string | null;
}

let database: TestDatabase;
beforeAll(async () => {
  database = await openDatabase();
});
afterAll(() => database.close());

describe.each(SYNCED_TABLES)('%s in Postgres and in src/domain/schema.ts', (table) => {
  const columns = Object.entries(columnsOf(table));

  async function catalog(): Promise<Map<string, CatalogColumn>> {
    const rows = await database.query<CatalogColumn>(
      `select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable,
         pg_get_expr(d.adbin, d.adrelid) as "default"
       from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
       where a.attrelid = ('public.' || $1)::regclass and a.attnum > 0 and not a.attisdropped`,
      [table],
    );
    return new Map(rows.map((row) => [row.name, row]));
  }

  it('has the same columns', async () => {
    const expected = [
      'id',
      'workspace_id',
      ...Object.keys(COMMON_COLUMNS),
      ...SERVER_ONLY_COLUMNS,
      ...columns.map(([name]) => name),
    ];
    expect([...(await catalog()).keys()].sort()).toEqual(expected.sort());
  });

  it('has the same types, nullability and defaults', async () => {
    const found = await catalog();
    for (const [name, column] of Object.entries<Column>({ ...columnsOf(table), ...COMMON_COLUMNS })) {
      const type = name === 'revision' ? 'bigint' : POSTGRES_TYPES[column.kind];
      expect(found.get(name), name).toMatchObject({ type, nullable: column.optional ?? false });
      const expression = found.get(name)?.default ?? null;
      const [value] = await database.query<{ value: unknown }>(
        `select to_jsonb(${expression ?? 'null::text'}) as value`,
      );
      if (!(name in COMMON_COLUMNS)) expect(value?.value ?? undefined, name).toEqual(column.default);
    }
  });

  it('sends and takes the same columns', async () => {
    const [row] = await database.query<{ sent: string[]; pushable: string[]; defaulted: string[] }>(
      `select to_jsonb(sent) as sent, to_jsonb(pushable) as pushable, to_jsonb(defaulted) as defaulted
       from convoy.synced_tables where name = $1`,
      [table],
    );
    const sent = ['id', 'workspace_id', ...columns.map(([name]) => name), ...Object.keys(COMMON_COLUMNS)];
    expect([...(row?.sent ?? [])].sort()).toEqual(sent.sort());
    expect([...(row?.pushable ?? [])].sort()).toEqual(
      [...pushableColumns(table), ...recreatedColumns(table)].sort(),
    );
    const defaulted = columns.filter(([, column]) => column.default !== undefined && !column.serverSet);
    expect(row?.defaulted).toEqual(defaulted.map(([name]) => name).sort());
  });

  it('has the same references and units', async () => {
    const rows = await database.query<{ name: string }>(
      `select name, unit, refers_to, is_parent from convoy.synced_columns where table_name = $1`,
      [table],
    );
    const expected = columns.map(([name, column]) => ({
      name,
      unit: column.unit ?? null,
      refers_to: column.to === 'user' ? null : (column.to ?? null),
      is_parent: column.parent ?? false,
    }));
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    expect(rows.sort(byName)).toEqual(expected.sort(byName));
  });

  it('checks the same closed sets and lengths', async () => {
    const constraints = await database.query<{ name: string; definition: string }>(
      `select conname::text as name, pg_get_constraintdef(oid) as definition
       from pg_constraint where conrelid = ('public.' || $1)::regclass and contype = 'c'`,
      [table],
    );
    const definition = (name: string) =>
      constraints.find((one) => one.name === `${table}_${name}`)?.definition ?? '';
    for (const [name, column] of columns) {
      if (column.oneOf) {
        const values = [...definition(`${name}_allowed`).matchAll(/'([^']*)'::text/g)].map(
          ([, value]) => value,
        );
        expect(values, name).toEqual([...column.oneOf]);
      }
      if (column.max !== undefined) {
        const limit = column.kind === 'json' ? 2 * column.max : column.max;
        const check = definition(`${name}_length`).replace(/\((\d+) \* (\d+)\)/, (_, a, b) => String(a * b));
        expect(check, name).toContain(column.kind === 'json' ? 'octet_length' : 'char_length');
        expect(check, name).toMatch(new RegExp(`<= ${limit}\\)`));
      }
    }
  });
});

describe('the fixed records', () => {
  it('the standard workflow has the standard stages, in the global scope (R5)', async () => {
    const [row] = await database.query<{ workspace: string; stages: string[] }>(
      `select workspace_id::text as workspace,
         (select jsonb_agg(s ->> 'name' order by (s ->> 'order')::int) from jsonb_array_elements(stages) s) as stages
       from public.workflows where id = $1::uuid`,
      [STANDARD_WORKFLOW_ID],
    );
    expect(row).toEqual({ workspace: GLOBAL_SCOPE_ID, stages: [...STANDARD_STAGES] });
  });

  it('the table of permissions names only known roles and tables', async () => {
    const rows = await database.query<{ role: string; table_name: string }>(
      'select distinct role, table_name from convoy.permissions',
    );
    for (const row of rows) {
      expect(ROLES).toContain(row.role);
      expect(SYNCED_TABLES).toContain(row.table_name);
    }
  });
});
