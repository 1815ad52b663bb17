import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TASK_PRIORITIES, TASK_STATUSES } from '@/domain/vocabulary';
import { type ListedColumns, type ListFacts, listRows, siblingsOf } from '@/web/tasks/list/rows';
import {
  FILTERS,
  GROUPINGS,
  type ListView,
  NOBODY,
  PLAIN_VIEW,
  SORTS,
  searchOf,
  toggled,
  viewFrom,
} from '@/web/tasks/list/view';

const task = (id: string, values: Partial<ListedColumns> = {}): ListedColumns => ({
  id,
  key: null,
  title: `Task ${id}`,
  workspace_id: 'w',
  milestone_id: 'm1',
  parent_task_id: null,
  current_stage: 'PLAN',
  status: 'todo',
  priority: 'medium',
  assignee_id: null,
  sort_order: 0,
  updated_at: '2026-01-01T00:00:00Z',
  ...values,
});
const facts: ListFacts = {
  userId: 'me',
  milestones: new Map([
    ['m2', { label: 'Second', target_date: '2026-03-01' }],
    ['m1', { label: 'First', target_date: null }],
  ]),
  stages: ['PLAN', 'IMPLEMENT'],
  nameOf: (_, id) => (id === 'me' ? 'You' : id),
};
const shape = (tasks: ListedColumns[], view: Partial<ListView>) =>
  listRows(tasks, { ...PLAIN_VIEW, ...view }, facts).map((row) =>
    row.kind === 'group' ? `${row.label} ${row.size}` : `${'-'.repeat(row.depth)}${row.task.id}`,
  );

describe('the rows of a list of tasks', () => {
  const some = [
    task('a', { sort_order: 3, priority: 'low', current_stage: 'IMPLEMENT', assignee_id: 'zoe' }),
    task('b', { sort_order: 2, priority: 'urgent', milestone_id: 'm2', assignee_id: 'me', title: 'Zebra' }),
    task('c', { sort_order: 1, status: 'done', updated_at: '2026-02-01T00:00:00Z', title: 'apple' }),
    task('d', { sort_order: 4, parent_task_id: 'c', current_stage: 'OTHER', key: 'FIELD-7' }),
  ];

  it.each([
    ['hand', ['c', '-d', 'b', 'a']],
    ['priority', ['b', 'c', '-d', 'a']],
    ['target', ['b', 'c', '-d', 'a']],
    ['updated', ['c', '-d', 'b', 'a']],
    ['title', ['c', '-d', 'a', 'b']],
  ] as const)('are sorted by %s, subtasks under their parent', (sort, expected) => {
    expect(shape(some, { sort })).toEqual(expected);
  });

  it.each([
    ['stage', ['Plan 2', 'c', 'b', 'Implement 1', 'a', 'Other 1', 'd']],
    ['milestone', ['Second 1', 'b', 'First 3', 'c', 'a', 'd']],
    ['assignee', ['You 1', 'b', 'zoe 1', 'a', 'Nobody 2', 'c', 'd']],
    ['status', ['To do 3', 'b', 'a', 'd', 'Done 1', 'c']],
  ] as const)('stand in groups by %s', (group, expected) => {
    expect(shape(some, { group })).toEqual(expected);
  });

  it('are those that every filter lets through', () => {
    expect(shape(some, { status: ['todo', 'blocked'], priority: ['low', 'urgent'] })).toEqual(['b', 'a']);
    expect(shape(some, { assignee: [NOBODY], stage: ['OTHER'] })).toEqual(['d']);
    expect(shape(some, { text: ' zebra ' })).toEqual(['b']);
    for (const text of ['field-7', 'Field 7', '7']) expect(shape(some, { text }), text).toEqual(['d']);
  });

  it('hold every task once, whatever the view', () => {
    const tasks = fc.array(
      fc.record({
        priority: fc.constantFrom(...TASK_PRIORITIES),
        status: fc.constantFrom(...TASK_STATUSES),
        parent_task_id: fc.option(fc.constantFrom('0', '1', '2', '3')),
        milestone_id: fc.constantFrom('m1', 'm2', 'unknown'),
        sort_order: fc.integer({ min: 0, max: 3 }),
      }),
      { maxLength: 8 },
    );
    const views = fc.record({ group: fc.constantFrom(...GROUPINGS), sort: fc.constantFrom(...SORTS) });
    fc.assert(
      fc.property(tasks, views, (values, view) => {
        const all = values.map((one, n) => task(String(n), one));
        const rows = listRows(all, { ...PLAIN_VIEW, ...view }, facts);
        const shown = rows.flatMap((row) => (row.kind === 'task' ? [row.task.id] : []));
        expect(shown.sort()).toEqual(all.map(({ id }) => id).sort());
      }),
    );
  });

  it('are moved among those of the same group and parent', () => {
    const all = [...some, task('e', { sort_order: 5, parent_task_id: 'c' })];
    const of = (view: Partial<ListView>, id: string) =>
      siblingsOf(listRows(all, { ...PLAIN_VIEW, ...view }, facts), id).map((row) => row.task.id);
    expect(of({}, 'e')).toEqual(['d', 'e']);
    expect(of({}, 'b')).toEqual(['c', 'b', 'a']);
    expect(of({ group: 'stage' }, 'c')).toEqual(['c', 'b', 'e']);
    expect(of({}, 'unknown')).toEqual([]);
  });
});

describe('the address of a list', () => {
  const values = fc.uniqueArray(fc.constantFrom('todo', 'PLAN', 'me', NOBODY), { maxLength: 3 });
  const views: fc.Arbitrary<ListView> = fc.record({
    group: fc.constantFrom(...GROUPINGS),
    sort: fc.constantFrom(...SORTS),
    status: values,
    stage: values,
    assignee: values,
    priority: values,
    text: fc.string(),
  });

  it('gives back the view that it was made of, whatever the usual one', () => {
    fc.assert(
      fc.property(views, views, (view, usual) => {
        expect(viewFrom(searchOf(view, usual, ''), usual)).toEqual(view);
      }),
    );
  });

  it('is empty for the usual view, and keeps what it says of other things', () => {
    expect(searchOf(PLAIN_VIEW, PLAIN_VIEW, 'tab=overview')).toBe('tab=overview');
    expect(searchOf({ ...PLAIN_VIEW, status: ['todo', 'done'] }, PLAIN_VIEW, '')).toBe('status=todo,done');
  });

  it('means the usual view where it says what no list has', () => {
    const usual: ListView = { ...PLAIN_VIEW, group: 'stage', status: ['todo'] };
    expect(viewFrom('group=colour&sort=', usual)).toEqual(usual);
    expect(viewFrom('status=any', usual)).toEqual({ ...usual, status: [] });
  });

  it('takes a value of a filter in and out', () => {
    expect(toggled(toggled([], 'a'), 'b')).toEqual(['a', 'b']);
    expect(toggled(['a', 'b'], 'a')).toEqual(['b']);
    expect(FILTERS).toHaveLength(4);
  });
});
