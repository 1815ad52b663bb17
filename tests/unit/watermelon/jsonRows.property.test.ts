import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonRows, rowsOfJson } from '@/lib/watermelon/observation/jsonRows';

const COLUMNS = [
  { name: 'id', isNumber: false },
  { name: 'title', isNumber: false },
  { name: 'sort_order', isNumber: true },
  { name: 'at', isNumber: false },
];

/** Texts that a record may have: no code point is NUL, and no surrogate is alone. */
const text = fc.string({ unit: 'grapheme-composite' }).filter((one) => !one.includes('\u0000'));
const row = fc.tuple(
  fc.uuid(),
  fc.option(text),
  fc.option(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer())),
  fc.option(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 })),
);

it('rows are the same as one text of JSON, numbers to their last digit', () => {
  const database = new Sqlite(':memory:');
  database.exec('create table "t" ("id", "title", "sort_order", "at")');
  const insert = database.prepare('insert into "t" values (?, ?, ?, ?)');
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
      database.exec('delete from "t"');
      for (const one of rows) insert.run(...one);
      const found = database
        .prepare(`select ${jsonRows(COLUMNS)} from "t"`)
        .raw()
        .all() as string[][];
      const read = rowsOfJson(COLUMNS, found);
      // JSON has no negative zero for integers, and no list is ordered by it.
      const plain = rows.map((one) => one.map((value) => (value === 0 ? 0 : value)));
      expect(read.map((one) => one.map((value) => (value === 0 ? 0 : value)))).toEqual(plain);
    }),
    { numRuns: 300 },
  );
  database.close();
});
