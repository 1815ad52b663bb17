import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Columns, Json } from '@/core/protocol';
import { filledRow } from '@/core/storage';
import { columnsOf, SYNCED_TABLES, type SyncedTable } from '@/domain/schema';
import {
  canonicalJson,
  rowsOf,
  SAME_IDS,
  sameValue,
  toBulkRows,
  toRaw,
  toStored,
  toWire,
} from '@/lib/watermelon/sync/records/codec';

/** Ids that differ on both sides, as after a merged duplicate or with WatermelonDB's own ids. */
const ids = {
  toLocal: (id: string) => (id.startsWith('remote-') ? id.replace('remote-', 'local-') : id),
  toRemote: (id: string) => (id.startsWith('local-') ? id.replace('local-', 'remote-') : id),
};

const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as Json);
const time = fc.integer({ min: 0, max: 4_000_000_000_000 }).map((ms) => new Date(ms).toISOString());
const OF_KIND: Record<string, fc.Arbitrary<Json>> = {
  json,
  time,
  number: fc.double({ noNaN: true, noDefaultInfinity: true }),
  ref: fc.nat(9).map((n) => `remote-${n}`),
};

const column = fc.constantFrom(
  ...SYNCED_TABLES.flatMap((table) =>
    Object.entries(columnsOf(table)).map(([name, { kind }]) => ({ table, name, kind })),
  ),
);
const cell = column.chain(({ table, name, kind }) =>
  fc.record({
    table: fc.constant<SyncedTable>(table),
    name: fc.constant(name),
    value: fc.option(OF_KIND[kind] ?? fc.string()),
  }),
);

/** Pages of one table, some columns null throughout, some not known to the server yet. */
const page = fc.constantFrom(...SYNCED_TABLES).chain((table) =>
  fc.integer({ min: 1, max: 4 }).chain((length) => {
    const values = (kind: string) =>
      fc.array(fc.option(OF_KIND[kind] ?? fc.string()), { minLength: length, maxLength: length });
    const columns = Object.fromEntries(
      Object.entries(columnsOf(table)).map(([name, { kind }]) => [name, values(kind)]),
    );
    const ids = Array.from({ length }, (_, n) => `id-${n}`);
    return fc.record({
      table: fc.constant(table),
      columns: fc
        .record(columns, { requiredKeys: [] })
        .map((given): Columns => ({ id: ids, workspace_id: ids, ...given })),
    });
  }),
);

describe('wire values and stored values', () => {
  it('are stored the same, whether written in bulk or as records (P31)', () => {
    fc.assert(
      fc.property(page, ({ table, columns }) => {
        const filled = toBulkRows(table, columns);
        const looked = [...rowsOf(columns)].map((row) => {
          const raw = toRaw(table, row, SAME_IDS);
          return { ...raw, is_synced: Number(raw.is_synced) };
        });
        expect(filled.rows.map((row) => filledRow(filled, row))).toEqual(looked);
      }),
    );
  });

  it('survive the way to the wire and back, for every column of every table', () => {
    fc.assert(
      fc.property(cell, ({ table, name, value }) => {
        expect(toWire(table, name, toStored(table, name, value, ids), ids)).toEqual(value);
      }),
    );
  });

  it('have one stored form, whatever their origin and the order of keys', () => {
    const shuffled = (value: Json): Json => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, nested]) => [key, shuffled(nested)]),
      );
    };
    fc.assert(
      fc.property(json, (value) => {
        const [one, other] = [canonicalJson(value), canonicalJson(shuffled(value))];
        expect(sameValue('patterns', 'content', one, other)).toBe(true);
      }),
    );
  });

  it.each(['infinity', '-infinity', '0044-03-15T00:00:00+00:00 BC', 'soon', ''])(
    'become null where a time is expected and %j is given',
    (text) => {
      const row = { id: 'a', workspace_id: 'w', target_date: text, created_at: text };
      expect(toRaw('milestones', row, ids)).toMatchObject({ target_date: null, created_at: null });
      expect(toStored('tasks', 'completion_date', text, ids)).toBeNull();
      const page = { id: ['a', 'b'], workspace_id: ['w', 'w'], target_date: [text, '2026-03-01T00:00:00Z'] };
      const filled = toBulkRows('milestones', page);
      expect(filled.rows.map((row) => filledRow(filled, row).target_date)).toEqual([
        null,
        Date.UTC(2026, 2, 1),
      ]);
    },
  );

  it('use local ids, and a row becomes a clean record', () => {
    fc.assert(
      fc.property(fc.nat(9), fc.nat(9), (n, m) => {
        const row = { id: `remote-${n}`, workspace_id: 'remote-w', milestone_id: `remote-${m}`, title: 'x' };
        const raw = toRaw('tasks', row, ids);
        expect(raw).toMatchObject({
          id: `local-${n}`,
          remote_id: `remote-${n}`,
          workspace_id: 'local-w',
          milestone_id: `local-${m}`,
          _status: 'synced',
          is_synced: true,
          sync_base: null,
        });
      }),
    );
  });
});
