import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SyncedTable } from '@/domain/schema';
import { afterTry, lateLast, stillLate } from '@/lib/watermelon/sync/push/lateChanges';
import type { UnsyncedRecord } from '@/lib/watermelon/sync/records/unsynced';

/** Groups of one new or edited record each; a record may name an earlier one. */
const groups = fc.array(fc.record({ names: fc.nat(30), isNew: fc.boolean(), tries: fc.nat(4) }), {
  maxLength: 30,
});

function recordOf(index: number, { names, isNew }: { names: number; isNew: boolean }): UnsyncedRecord {
  const parent = index === 0 ? null : `record ${names % index}`;
  return {
    table: 'tasks' as SyncedTable,
    raw: {
      id: `record ${index}`,
      _status: isNew ? 'created' : 'updated',
      _changed: '',
      workspace_id: 'workspace',
      milestone_id: null,
      parent_task_id: parent,
    },
    base: { revision: 0, groups: [], columns: {} },
  } as unknown as UnsyncedRecord;
}

describe('late changes', () => {
  it('come last, the least tried first, and each group still comes after those that it needs (U43)', () => {
    fc.assert(
      fc.property(groups, (made) => {
        const given = made.map((one, index) => [recordOf(index, one)]);
        const tries = new Map(made.map((one, index) => [`record ${index}`, one.tries > 2 ? one.tries : 0]));
        const { groups: sorted, aloneFrom } = lateLast(given, (id) => tries.get(id) ?? 0);
        expect(new Set(sorted)).toEqual(new Set(given));
        const ids = sorted.map(([only]) => only?.raw.id ?? '');
        const isNew = new Set(given.flat().flatMap(({ raw }) => (raw._status === 'created' ? [raw.id] : [])));
        for (const [at, [only]] of sorted.entries()) {
          const named = only?.raw.parent_task_id;
          if (typeof named === 'string' && isNew.has(named)) expect(ids.indexOf(named)).toBeLessThan(at);
        }
        for (const id of ids.slice(0, aloneFrom)) expect(tries.get(id)).toBe(0);
        const late = ids.slice(aloneFrom).map((id) => tries.get(id) ?? 0);
        // What waits only since it needs a late one has no tries of its own.
        const own = late.filter((count) => count > 0);
        expect(own.length).toBe([...tries.values()].filter((count) => count > 0).length);
        if (aloneFrom < ids.length) expect(late[0]).toBeGreaterThan(0);
      }),
    );
  });

  it('are counted by tries, and by what the server itself gave up; forgotten when they are synced (U43)', () => {
    const changes = [{ id: 'a' }, { id: 'b' }] as never;
    const first = afterTry(undefined, changes, false);
    expect(first).toEqual({ late: { a: { tries: 1, refused: 0 }, b: { tries: 1, refused: 0 } }, refused: 0 });
    const second = afterTry(first.late, changes, true);
    expect(second.refused).toBe(1);
    expect(stillLate(second.late, new Set(['b', 'c']))).toEqual({ b: { tries: 2, refused: 1 } });
    expect(stillLate(second.late, new Set(['c']))).toBeUndefined();
  });
});
