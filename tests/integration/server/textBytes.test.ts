import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import { hasUnstorableCharacter, storedJsonBytes } from '@/core/text';
import { columnsOf, type SyncedTable } from '@/domain/schema';
import { PART_TABLES, SINGLE_TABLES, textBytes } from '@/domain/taskContext';
import { openDatabase, type TestDatabase } from '../../support/database';

let database: TestDatabase;
beforeAll(async () => {
  database = await openDatabase();
});
afterAll(() => database?.close());

const text = fc.string({ unit: 'binary' }).filter((made) => !hasUnstorableCharacter(made));
const number = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.constantFrom(1e21, 1e-7, -1.5e-9, 1e300),
  )
  .map((made) => made + 0);
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(text, tie('json'), { maxKeys: 4 }),
  ),
}));

it('a device measures JSON as PostgreSQL writes it, to the byte', async () => {
  const property = fc.asyncProperty(json, async (value) => {
    const [row] = await database.query<{ bytes: number }>('select octet_length($1::jsonb::text) as bytes', [
      JSON.stringify(value),
    ]);
    expect(storedJsonBytes(value)).toBe(row?.bytes);
  });
  await fc.assert(property, { numRuns: 300 });
});

it('a device and the server measure the same columns of every table that a context shows', async () => {
  const tables = new Set<SyncedTable>([...Object.values(SINGLE_TABLES), ...Object.values(PART_TABLES)]);
  for (const table of tables) {
    const columns = Object.entries(columnsOf(table));
    // Each value has a length of its own, so that no column stands in for another.
    const record = Object.fromEntries(
      columns.map(([name, { kind }], n) => {
        const words = 'é'.repeat(2 ** n);
        return [name, kind === 'json' ? [words, null] : kind === 'number' ? 2 ** n : words];
      }),
    );
    const [row] = await database.query<{ bytes: string }>(
      'select public.text_bytes($1::jsonb)::text as bytes',
      [JSON.stringify({ id: 'x', workspace_id: 'y', created_at: 'z', last_modified_by: null, ...record })],
    );
    expect([table, textBytes(table, record)]).toEqual([table, Number(row?.bytes)]);
  }
});
