import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SyncedTable } from '@/domain/schema';
import { byGroup } from '@/lib/watermelon/sync/setAside/reapply';

interface Edit {
  table: SyncedTable;
  base: { revision: number; groups: string[]; columns: Record<string, never> };
}

const edit = fc.record({
  table: fc.constantFrom<SyncedTable>('workspaces', 'tasks', 'activity_feed'),
  base: fc
    .array(fc.integer({ min: 0, max: 30 }).map(String), { maxLength: 3 })
    .map((groups) => ({ revision: 1, groups, columns: {} })),
});

/** Joins any two that share a group, until there are no two. */
function joinedOneByOne(all: readonly Edit[]): Set<Edit>[] {
  let actions = all.map((one) => new Set([one]));
  for (let isOver = false; !isOver; ) {
    isOver = true;
    for (const [n, one] of actions.entries()) {
      const groups = new Set([...one].flatMap(({ base }) => base.groups));
      const other = actions.find(
        (each, at) => at > n && [...each].some(({ base }) => base.groups.some((group) => groups.has(group))),
      );
      if (!other) continue;
      actions = actions.filter((each) => each !== one && each !== other);
      actions.push(new Set([...one, ...other]));
      isOver = false;
      break;
    }
  }
  return actions;
}

describe('lost edits that are reapplied together', () => {
  it('are those that share a group, directly or through others; each is in one action (D13)', () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 40 }), (all) => {
        const asIds = (actions: Iterable<Iterable<Edit>>) =>
          [...actions].map((action) => [...action].map((one) => all.indexOf(one)).sort((a, b) => a - b));
        const sorted = (actions: number[][]) => actions.sort((a, b) => (a[0] as number) - (b[0] as number));
        expect(sorted(asIds(byGroup(all)))).toEqual(sorted(asIds(joinedOneByOne(all))));
      }),
    );
  });

  it('come parents first, and in the order in which they were lost (D13)', () => {
    const of = (table: SyncedTable): Edit => ({ table, base: { revision: 1, groups: ['one'], columns: {} } });
    const all = [of('activity_feed'), of('tasks'), of('tasks'), of('workspaces')];
    expect(byGroup(all)).toEqual([[all[3], all[1], all[2], all[0]]]);
    expect(byGroup(all)[0]?.[1]).toBe(all[1]);
  });

  it('are found in work that grows with their number, be there one group for each or one chain of all (D13)', () => {
    const MANY = 50_000;
    const chain = Array.from({ length: MANY }, (_, n) => ({
      table: 'tasks' as const,
      base: { revision: 1, groups: [`${n}`, `${n + 1}`], columns: {} },
    }));
    const alone = chain.map((one, n) => ({ ...one, base: { ...one.base, groups: [`${n}`] } }));
    expect(byGroup(chain)).toHaveLength(1);
    expect(byGroup(alone)).toHaveLength(MANY);
  });
});
