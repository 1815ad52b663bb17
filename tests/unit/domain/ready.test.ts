import { describe, expect, it } from 'vitest';
import type { Task } from '@/domain/entities';
import {
  type Asker,
  compareReady,
  isLive,
  type Ranked,
  type ReadinessFacts,
  readinessOf,
} from '@/domain/ready';
import { isLastStage, statusAfter } from '@/domain/taskRules';

const NOW = Date.parse('2026-05-01T12:00:00.000Z');
const LATER = '2026-05-01T12:10:00.000Z';
const EARLIER = '2026-05-01T11:50:00.000Z';
const ME: Asker = { userId: 'me', claimId: null, now: NOW };
const STAGES = [
  { name: 'DO', description: '', order: 2, is_checkpoint: false },
  { name: 'PLAN', description: '', order: 1, is_checkpoint: false },
  { name: 'REVIEW', description: '', order: 3, is_checkpoint: true },
];

const task = (values: Partial<Task> = {}): Task =>
  ({
    id: 'task',
    title: 'A task',
    milestone_id: 'milestone',
    workflow_id: null,
    status: 'todo',
    current_stage: 'PLAN',
    assignee_id: null,
    claimed_by: null,
    claimed_until: null,
    claim_id: null,
    ...values,
  }) as Task;

const facts = (values: Partial<ReadinessFacts> = {}): ReadinessFacts => ({
  task: task(),
  milestone: { id: 'milestone', status: 'active' },
  project: { id: 'project', status: 'active' },
  stages: STAGES,
  subtasks: [],
  dependencies: [],
  absent: [],
  ...values,
});

const codes = (given: ReadinessFacts, asker = ME) =>
  readinessOf(given, asker).reasons.map(({ code }) => code);

describe('a task', () => {
  it('is ready where nothing stands against it', () => {
    expect(readinessOf(facts(), ME)).toMatchObject({ ready: true, reasons: [], passed: [] });
  });

  it.each([
    [{ status: 'done' }, ['done']],
    [{ status: 'cancelled' }, ['cancelled']],
    [{ status: 'blocked' }, ['blocked']],
    [{ status: 'in_progress', current_stage: 'DO' }, []],
    [{ current_stage: 'REVIEW' }, ['checkpoint']],
    [{ current_stage: 'GONE' }, ['unknown_stage']],
    [{ assignee_id: 'other' }, ['assigned']],
    [{ assignee_id: 'me' }, []],
  ] as const)('that is %j has the reasons %j (N1, N4)', (values, expected) => {
    expect(codes(facts({ task: task(values) }))).toEqual(expected);
  });

  it.each([
    [{ milestone: null }, ['not_here']],
    [{ project: null }, ['not_here']],
    [{ stages: null }, ['not_here']],
    [{ milestone: { id: 'm', status: 'completed' } }, ['milestone']],
    [{ milestone: { id: 'm', status: 'cancelled' } }, ['milestone']],
    [{ project: { id: 'p', status: 'paused' } }, ['project']],
    [{ project: { id: 'p', status: 'completed' } }, ['project']],
    [{ project: { id: 'p', status: 'archived' } }, ['project']],
    [{ project: { id: 'p', status: 'planning' }, milestone: { id: 'm', status: 'planned' } }, []],
    [{ absent: [{ what: 'ancestor', id: 'x' }] }, ['not_here']],
    [{ absent: [{ what: 'dependency', id: 'x' }] }, ['not_here']],
  ] as const)('where %j has the reasons %j (N3, N8)', (values, expected) => {
    expect(codes(facts(values as Partial<ReadinessFacts>))).toEqual(expected);
  });

  it('waits for open subtasks and dependencies, and names those that it waits for no more (N2)', () => {
    const statuses = ['todo', 'in_progress', 'blocked', 'done', 'cancelled', 'deleted'] as const;
    const all = statuses.map((status) => ({ id: status, title: status, status }));
    const dependencies = all.map((one) => ({ ...one, of: 'above' }));
    const { reasons, passed } = readinessOf(facts({ subtasks: all, dependencies }), ME);
    const open = statuses.slice(0, 3);
    expect(reasons).toEqual([
      ...open.map((id) => ({ code: 'subtask', task_id: id, title: id })),
      ...open.map((id) => ({ code: 'dependency', of: 'above', task_id: id, title: id })),
    ]);
    expect(passed.map(({ status }) => status)).toEqual(['cancelled', 'deleted']);
  });

  it.each([
    [
      'of somebody else, live',
      { claimed_by: 'other', claim_id: 'c', claimed_until: LATER },
      null,
      ['claimed'],
    ],
    ['of somebody else, run out', { claimed_by: 'other', claim_id: 'c', claimed_until: EARLIER }, null, []],
    [
      'of somebody else, without an id',
      { claimed_by: 'other', claim_id: null, claimed_until: LATER },
      null,
      [],
    ],
    ['of mine', { claimed_by: 'me', claim_id: 'c', claimed_until: LATER }, null, []],
    ['of this session', { claimed_by: 'me', claim_id: 'c', claimed_until: LATER }, 'c', []],
    ['of another session', { claimed_by: 'me', claim_id: 'c', claimed_until: LATER }, 'd', ['claimed']],
  ] as const)('with a claim %s (N4, C4, C9)', (_case, values, claimId, expected) => {
    expect(codes(facts({ task: task(values) }), { ...ME, claimId })).toEqual(expected);
  });

  it('that waits at a checkpoint keeps its claim live (C4)', () => {
    const claimed = task({ claimed_by: 'other', claim_id: 'c', claimed_until: EARLIER });
    expect(isLive(claimed, true, NOW)).toBe(true);
    expect(isLive(claimed, false, NOW)).toBe(false);
    expect(codes(facts({ task: { ...claimed, current_stage: 'REVIEW' } }))).toEqual([
      'checkpoint',
      'claimed',
    ]);
  });
});

it('ready tasks are in order by whose they are, priority, date, sort order, age and id (N6)', () => {
  const one = (id: string, values: Partial<Ranked> = {}): Ranked => ({
    id,
    priority: 'medium',
    sort_order: 0,
    created_at: '2026-01-01T00:00:00.001Z',
    claimed_by: null,
    claim_id: null,
    claimed_until: null,
    target_date: null,
    ...values,
  });
  const inOrder = [
    one('z1', { claimed_by: 'me', claim_id: 'c', claimed_until: LATER, priority: 'low' }),
    one('z2', { claimed_by: 'me', claim_id: 'c', claimed_until: EARLIER, priority: 'low' }),
    one('z3', { priority: 'urgent' }),
    one('z4', { priority: 'high', claimed_by: 'me' }),
    one('z5', { target_date: '2026-02-01T12:00:00.000Z', sort_order: 5 }),
    one('z6', { target_date: '2026-03-01T12:00:00.000Z' }),
    one('z7', { sort_order: -1 }),
    one('z8', { created_at: '2026-01-01T00:00:00.000Z' }),
    one('a'),
    one('b'),
    one('z9', { priority: 'low' }),
  ];
  expect(inOrder.toReversed().sort(compareReady(ME))).toEqual(inOrder);
});

describe('stage and status', () => {
  it.each([
    ['PLAN', null, 'todo'],
    ['DO', null, 'in_progress'],
    ['REVIEW', 'todo', 'in_progress'],
    ['PLAN', 'in_progress', 'todo'],
    ['DO', 'done', 'in_progress'],
    ['DO', 'blocked', null],
    ['DO', 'cancelled', null],
    ['GONE', 'todo', null],
  ] as const)('in %s a task that was %s becomes %s (T1, T2)', (stage, before, after) => {
    expect(statusAfter(STAGES, stage, before)).toBe(after);
  });

  it('without the workflow the status stays (T1)', () => {
    expect(statusAfter(null, 'DO', 'todo')).toBeNull();
  });

  it('the last stage is that of the highest order (T3)', () => {
    expect(STAGES.map(({ name }) => isLastStage(STAGES, name))).toEqual([false, false, true]);
    expect(isLastStage(STAGES, 'GONE')).toBe(false);
  });
});
