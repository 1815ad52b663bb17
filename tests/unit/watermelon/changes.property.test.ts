import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnsOf, SYNCED_TABLES } from '@/domain/schema';
import type { Raw } from '@/lib/watermelon/models/watermelondb';
import { inPushOrder, toChange } from '@/lib/watermelon/sync/push/changes';
import type { UnsyncedRecord } from '@/lib/watermelon/sync/records/unsynced';

const ids = { toLocal: (id: string) => id, toRemote: (id: string) => id };
const WORKSPACE = 'w';

/** A workspace's worth of unsynced records; each hangs under some that come before it in the schema. */
const dirty = fc
  .array(
    fc.record({
      table: fc.constantFrom('projects', 'milestones', 'tasks', 'task_dependencies', 'activity_feed'),
      status: fc.constantFrom('created', 'created', 'updated', 'deleted'),
      parent: fc.nat(),
      group: fc.nat(6),
      editedAt: fc.nat(1000),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((drafts) => {
    const made: UnsyncedRecord[] = [];
    const sorted = [...drafts].sort(
      (a, b) => SYNCED_TABLES.indexOf(a.table as never) - SYNCED_TABLES.indexOf(b.table as never),
    );
    for (const [n, { table, status, parent, group, editedAt }] of sorted.entries()) {
      const raw = { id: `${table}-${n}`, _status: status, _changed: '', workspace_id: WORKSPACE } as Raw;
      for (const [name, column] of Object.entries(columnsOf(table as never))) {
        const above = made.filter((one) => one.table === column.to && one.raw._status !== 'deleted');
        raw[name] =
          column.kind === 'ref' ? (above[parent % Math.max(1, above.length)]?.raw.id ?? null) : `${n}`;
        if (column.kind === 'number' || column.kind === 'time') raw[name] = n;
        if (column.kind === 'json') raw[name] = '{}';
      }
      const edit = { editedAt, offset: 0 };
      made.push({
        table: table as UnsyncedRecord['table'],
        raw,
        record: null as never,
        base: {
          revision: 1,
          groups: group > 0 ? [`group-${group}`] : [],
          columns: status === 'updated' ? { name: { value: null, ...edit } } : {},
          ...(status === 'created' && { created: edit }),
          ...(status === 'deleted' && { deletion: { root: raw.id, seen: 1 } }),
        },
      });
      if (status === 'updated' && !('name' in columnsOf(table as never))) {
        const [first] = Object.keys(columnsOf(table as never));
        (made.at(-1) as UnsyncedRecord).base.columns = { [first as string]: { value: null, ...edit } };
      }
    }
    return made;
  });

const toChanges = (items: UnsyncedRecord[]) =>
  inPushOrder(items).flatMap((group, number) => group.map((item) => toChange(item, number, ids, null)));

describe('the order of a push', () => {
  it('parents are sent before children, inside a group and across groups (U15)', () => {
    fc.assert(
      fc.property(dirty, (items) => {
        const changes = toChanges(items);
        const groupOf = new Map(changes.map((change) => [change.id, change.group]));
        for (const [index, change] of changes.entries()) {
          if (change.op !== 'insert') continue;
          for (const [name, column] of Object.entries(columnsOf(change.table))) {
            const parent = column.kind === 'ref' ? change.values?.[name] : null;
            const at = changes.findIndex(({ id, op }) => id === parent && op === 'insert');
            if (at >= 0 && groupOf.get(String(parent)) === change.group) expect(at).toBeLessThan(index);
          }
        }
      }),
    );
  });

  it('deletions come last in their group, groups are numbered upwards, and each record is sent once', () => {
    fc.assert(
      fc.property(dirty, (items) => {
        const changes = toChanges(items);
        for (const [index, change] of changes.entries()) {
          const next = changes[index + 1];
          if (!next) break;
          expect(next.group - change.group).toBeOneOf([0, 1]);
          if (next.group === change.group && change.op === 'delete') expect(next.op).toBe('delete');
        }
        expect(new Set(changes.map(({ id }) => id)).size).toBe(changes.length);
        expect(changes.map(({ id }) => id).sort()).toEqual(items.map(({ raw }) => raw.id).sort());
      }),
    );
  });

  it('changes of one transaction are never parted (D3)', () => {
    fc.assert(
      fc.property(dirty, (items) => {
        const groupOf = new Map(
          inPushOrder(items).flatMap((group, number) => group.map(({ raw }) => [raw.id, number] as const)),
        );
        for (const one of items) {
          for (const other of items) {
            const isShared = one.base.groups.some((group) => other.base.groups.includes(group));
            if (isShared) expect(groupOf.get(one.raw.id)).toBe(groupOf.get(other.raw.id));
          }
        }
      }),
    );
  });
});

describe('any number of unsynced records', () => {
  const COUNT = 150_000;
  /** A chain of subtasks, the deepest first, so that each needs all of the others. */
  const chain = (groupsOf: (n: number) => string[]): UnsyncedRecord[] =>
    Array.from({ length: COUNT }, (_, n) => ({
      table: 'tasks' as const,
      raw: {
        id: `t${n}`,
        _status: 'created' as const,
        _changed: '',
        workspace_id: WORKSPACE,
        parent_task_id: n + 1 < COUNT ? `t${n + 1}` : null,
      } as Raw,
      record: null as never,
      base: { revision: 0, groups: groupsOf(n), columns: {}, created: { editedAt: n, offset: 0 } },
    }));

  it('that hang on each other are ordered without recursion (U15)', () => {
    const ordered = inPushOrder(chain(() => [])).flat();
    expect(ordered).toHaveLength(COUNT);
    expect(ordered.at(0)?.raw.id).toBe(`t${COUNT - 1}`);
    expect(ordered.at(-1)?.raw.id).toBe('t0');
  });

  it('that share transactions in one long chain are one group, cut to what the server takes (D3, D35)', () => {
    const groups = inPushOrder(chain((n) => [`g${n}`, `g${n + 1}`]));
    expect(groups.flat()).toHaveLength(COUNT);
    expect(groups).toHaveLength(COUNT / 10_000);
  });
});
