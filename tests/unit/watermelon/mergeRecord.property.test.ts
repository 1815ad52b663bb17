import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SyncedTable } from '@/domain/schema';
import { SYNCED_TABLES } from '@/domain/schema';
import { trackedColumns } from '@/lib/watermelon/models/tracking';
import type { RawValue } from '@/lib/watermelon/models/watermelondb';
import { mergeRecord } from '@/lib/watermelon/sync';
import { DEFAULT_POLICIES } from '@/lib/watermelon/sync/merge/policies';

type Values = Record<string, RawValue>;

/** Text of a few lines, so that edits overlap now and then. */
const prose = fc
  .array(fc.constantFrom('one', 'two', 'three', 'four'), { maxLength: 4 })
  .map((x) => x.join('\n'));
const value = fc.oneof(fc.constant(null), prose);

/** Three versions of some columns of a table, by its own policies. */
const conflict = fc.constantFrom<SyncedTable>(...SYNCED_TABLES).chain((table) =>
  fc.subarray([...trackedColumns(table)], { minLength: 1 }).chain((names) => {
    const side = fc
      .tuple(...names.map(() => value))
      .map((values) => Object.fromEntries(names.map((name, n) => [name, values[n] ?? null])) as Values);
    const json = (values: Values): Values =>
      Object.fromEntries(
        Object.entries(values).map(([name, one]) => [
          name,
          JSON_COLUMNS.has(name) ? JSON.stringify(one) : one,
        ]),
      );
    return fc.record({
      table: fc.constant(table),
      names: fc.constant(names),
      base: side.map(json),
      local: side.map(json),
      remote: side.map(json),
      localTime: fc.integer({ min: 0, max: 5 }),
      remoteTime: fc.integer({ min: 0, max: 5 }),
    });
  }),
);
type Conflict = typeof conflict extends fc.Arbitrary<infer T> ? T : never;

const JSON_COLUMNS = new Set(['tech_stack', 'stages', 'details', 'content']);

function merge({ table, names, base, local, remote, localTime, remoteTime }: Conflict) {
  const times = (time: number) => Object.fromEntries(names.map((name) => [name, time]));
  const policies = DEFAULT_POLICIES[table];
  return mergeRecord({
    table,
    base,
    local,
    remote,
    policies,
    localTimes: times(localTime),
    remoteTimes: times(remoteTime),
  });
}

const valuesOf = (merged: ReturnType<typeof merge>): Values =>
  Object.fromEntries(Object.entries(merged).map(([name, column]) => [name, column.value]));

describe('mergeRecord with the policies of every table', () => {
  it('is deterministic, and decides every edited column', () => {
    fc.assert(
      fc.property(conflict, (given) => {
        const merged = merge(given);
        expect(merge(structuredClone(given))).toEqual(merged);
        expect(Object.keys(merged).sort()).toEqual([...given.names].sort());
      }),
    );
  });

  it('is idempotent: a decision pushed on the server’s values is applied unchanged', () => {
    fc.assert(
      fc.property(conflict, (given) => {
        const local = valuesOf(merge(given));
        const again = merge({ ...given, base: given.remote, local });
        expect(valuesOf(again)).toEqual(local);
        expect(Object.values(again).filter(({ how }) => how === 'conflict')).toEqual([]);
      }),
    );
  });

  it('takes columns of a unit from one side (U6)', () => {
    fc.assert(
      fc.property(conflict, (given) => {
        if (given.table !== 'tasks') return;
        const merged = merge(given);
        for (const unit of [
          ['current_stage', 'status', 'completion_date'],
          ['milestone_id', 'parent_task_id'],
        ]) {
          const columns = unit.filter((name) => given.names.includes(name));
          const isFrom = (side: Values) => columns.every((name) => merged[name]?.value === side[name]);
          expect(isFrom(given.local) || isFrom(given.remote)).toBe(true);
        }
      }),
    );
  });

  it('never invents a value, and reports a conflict wherever a side lost (P-NOLOSS)', () => {
    fc.assert(
      fc.property(conflict, (given) => {
        for (const [name, { value: chosen, how, by }] of Object.entries(merge(given))) {
          if (by !== 'text') expect([given.local[name], given.remote[name]]).toContain(chosen);
          if (how === 'same') expect(given.local[name]).toEqual(given.remote[name]);
        }
      }),
    );
  });

  it('two devices choose alike whichever pushes first, where the later edit wins and where texts merge (P-CONVERGE)', () => {
    fc.assert(
      fc.property(conflict, (given) => {
        if (given.localTime === given.remoteTime) return;
        const there = { local: given.remote, remote: given.local };
        const other = merge({ ...given, ...there, localTime: given.remoteTime, remoteTime: given.localTime });
        for (const [name, { value: chosen, how, by }] of Object.entries(merge(given))) {
          if (how === 'conflict' && by !== 'later' && by !== 'text') continue;
          expect(other[name]?.value).toEqual(chosen);
        }
      }),
    );
  });
});
