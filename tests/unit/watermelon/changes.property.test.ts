import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tells } from '@/domain/activities';
import { columnsOf, SYNCED_TABLES } from '@/domain/schema';
import type { Raw } from '@/lib/watermelon/models/watermelondb';
import { toChange } from '@/lib/watermelon/sync/push/changes';
import { inPushOrder } from '@/lib/watermelon/sync/push/groups';
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
  inPushOrder(items).groups.flatMap((group, number) =>
    group.map((item) => toChange(item, number, ids, null)),
  );

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

  it('what one action wrote is one group, but for activities that people write (D3)', () => {
    fc.assert(
      fc.property(dirty, (items) => {
        const groupOf = new Map(
          inPushOrder(items).groups.flatMap((group, number) =>
            group.map(({ raw }) => [raw.id, number] as const),
          ),
        );
        for (const one of items) {
          for (const other of items) {
            if (one === other) continue;
            const isActivity = [one, other].some(({ table }) => table === 'activity_feed');
            const isShared =
              !isActivity && one.base.groups.some((group) => other.base.groups.includes(group));
            if (isShared) expect(groupOf.get(one.raw.id)).toBe(groupOf.get(other.raw.id));
            else expect(groupOf.get(one.raw.id)).not.toBe(groupOf.get(other.raw.id));
          }
        }
      }),
    );
  });
});

/** Edits of tasks that the server has, each column by an action, and one activity for each action and task. */
const edited = fc
  .array(
    fc.record({
      action: fc.integer({ min: 1, max: 12 }),
      task: fc.nat(5),
      column: fc.constantFrom('title', 'description', 'priority', 'current_stage'),
      size: fc.nat(400),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((edits) => {
    const tasks = new Map<number, UnsyncedRecord>();
    const activities: UnsyncedRecord[] = [];
    // The action that edits a column last has it.
    for (const { action, task, column, size } of edits.sort((one, other) => one.action - other.action)) {
      const group = `action-${action}`;
      const known: UnsyncedRecord = tasks.get(task) ?? {
        table: 'tasks',
        raw: { id: `task-${task}`, _status: 'updated', _changed: '', workspace_id: WORKSPACE } as Raw,
        record: null as never,
        base: { revision: 1, groups: [], columns: {} },
      };
      tasks.set(task, known);
      known.raw[column] = 'x'.repeat(size);
      known.base.columns[column] = { value: null, editedAt: action, offset: 0, group };
      const isMove = column === 'current_stage';
      activities.push({
        table: 'activity_feed',
        raw: {
          id: `told-${activities.length}`,
          _status: 'created',
          _changed: '',
          workspace_id: WORKSPACE,
          task_id: known.raw.id,
          activity_type: isMove ? 'stage_changed' : 'task_updated',
          details: JSON.stringify(isMove ? { from: 'A', to: 'B' } : { fields: [column] }),
        } as Raw,
        record: null as never,
        base: { revision: 0, groups: [group], columns: {}, created: { editedAt: action, offset: 0 } },
      });
    }
    return [...tasks.values(), ...activities];
  });
const small = fc.record({
  changes: fc.integer({ min: 2, max: 12 }),
  characters: fc.integer({ min: 800, max: 6_000 }),
});
const isActivity = ({ table }: UnsyncedRecord) => table === 'activity_feed';
const tasksOf = (group: UnsyncedRecord[]) => group.filter((item) => !isActivity(item));

describe('groups of what several actions edited', () => {
  it('hold the columns of one action, or of those that wrote one record alone (D3)', () => {
    fc.assert(
      fc.property(edited, (items) => {
        const wrote = new Map<string, Set<string>>();
        for (const { raw, base } of tasksOf(items)) {
          for (const { group } of Object.values(base.columns)) {
            wrote.set(String(group), (wrote.get(String(group)) ?? new Set()).add(raw.id));
          }
        }
        for (const group of inPushOrder(items).groups) {
          const actions = new Set(
            tasksOf(group).flatMap(({ base }) => Object.values(base.columns).map((edit) => edit.group)),
          );
          if (tasksOf(group).length > 1) expect(actions.size).toBe(1);
          else
            for (const action of actions) {
              if (actions.size > 1) expect(wrote.get(String(action))?.size).toBe(1);
            }
        }
      }),
    );
  });

  it('send each column once, and each activity beside a change that it tells of (D3, U30)', () => {
    fc.assert(
      fc.property(edited, (items) => {
        const { groups, untold, cut } = inPushOrder(items);
        expect([...untold, ...cut.keys()]).toEqual([]);
        const sent = groups.flatMap((group) =>
          group.flatMap(({ raw, base }) => Object.keys(base.columns).map((name) => `${raw.id} ${name}`)),
        );
        const all = items.flatMap(({ raw, base }) =>
          Object.keys(base.columns).map((name) => `${raw.id} ${name}`),
        );
        expect(sent.sort()).toEqual(all.sort());
        expect(groups.flat().filter(isActivity)).toHaveLength(items.filter(isActivity).length);
        for (const group of groups) {
          for (const { raw } of group.filter(isActivity)) {
            const told = group.find((item) => item.raw.id === raw.task_id);
            expect(tells(raw, Object.keys(told?.base.columns ?? {}))).toBe(true);
          }
        }
      }),
    );
  });

  it('stay within the bounds, with activities that wait for their part where it has to be (D35)', () => {
    fc.assert(
      fc.property(edited, small, (items, bounds) => {
        const { groups, untold, cut } = inPushOrder(items, bounds);
        expect(untold).toEqual([]);
        const sent = new Set(groups.flat().filter(isActivity));
        for (const group of groups) {
          expect(group.length).toBeLessThanOrEqual(bounds.changes);
          expect(tasksOf(group).length).toBeGreaterThan(0);
        }
        for (const item of items.filter((one) => isActivity(one) && !sent.has(one))) {
          const waiting = [...cut].filter(([{ raw }]) => raw.id === item.raw.task_id);
          expect(waiting.some(([, { until }]) => until >= (item.base.created?.editedAt ?? 0))).toBe(true);
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
    const ordered = inPushOrder(chain(() => [])).groups.flat();
    expect(ordered).toHaveLength(COUNT);
    expect(ordered.at(0)?.raw.id).toBe(`t${COUNT - 1}`);
    expect(ordered.at(-1)?.raw.id).toBe('t0');
  });

  it('that one action wrote are cut to the bound, a record before those that need it (U15, D35)', () => {
    const { groups } = inPushOrder(chain(() => ['one action']));
    expect(groups).toHaveLength(COUNT / 2_000);
    expect(groups.flat().map(({ raw }) => raw.id)).toEqual(
      chain(() => [])
        .map(({ raw }) => raw.id)
        .reverse(),
    );
  });
});
