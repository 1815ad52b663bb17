import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskChanges } from '@/domain/contextService';
import type { Task } from '@/domain/entities';
import { TASK_PRIORITIES, TASK_STATUSES } from '@/domain/vocabulary';
import {
  requestActivityInsert,
  requestStageUpdate,
  requestTaskDelete,
  requestTaskInsert,
  requestTaskUpdate,
} from '@/domain/writes/tasks';
import {
  contextOf,
  type Memory,
  milestone,
  NOW,
  OTHER_WORKSPACE,
  planned,
  planOf,
  standard,
  task,
  uuid,
  WORKSPACE,
  workflow,
} from './planning';

const OWN = uuid(20);
const FOREIGN = uuid(21);
const memory = (...tasks: Task[]): Memory => ({
  records: {
    milestones: [milestone(10), milestone(11), milestone(12, OTHER_WORKSPACE)],
    workflows: [standard, workflow(OWN, ['DRAFT', 'SHIP']), workflow(FOREIGN, ['X'], OTHER_WORKSPACE)],
    tasks,
  },
});
const fault = (code: string, field: string) => ({ ok: false, error: { kind: 'validation', code, field } });

describe('the plan of a new task', () => {
  it('begins at the first stage of its workflow, and tells the feed', async () => {
    const request = requestTaskInsert({ milestone_id: uuid(10), title: ' New ', workflow_id: OWN });
    const plan = await planOf(request, contextOf(memory()));
    const [change] = plan.changes;
    expect(change).toMatchObject({
      op: 'insert',
      table: 'tasks',
      id: uuid(1000),
      values: { title: 'New', current_stage: 'DRAFT', status: 'todo', completion_date: null },
    });
    expect(plan).toMatchObject({
      workspaceId: WORKSPACE,
      answer: { table: 'tasks', id: uuid(1000) },
      move: { workflowId: OWN, from: null, to: 'DRAFT', finishes: false },
    });
    expect(plan.activities).toEqual([
      {
        id: uuid(1001),
        draft: expect.objectContaining({
          task_id: uuid(1000),
          activity_type: 'task_created',
          details: { title: 'New', stage: 'DRAFT' },
        }),
      },
    ]);
  });

  it('that is done is completed now, and finishes', async () => {
    const request = requestTaskInsert({ milestone_id: uuid(10), title: 'x', status: 'done' });
    const plan = await planOf(request, contextOf(memory()));
    expect(plan.changes[0]).toMatchObject({ values: { completion_date: NOW } });
    expect(plan.move).toMatchObject({ finishes: true });
  });

  it('takes any stage where the workflow is not in the store: the server decides (R5)', async () => {
    const unknown = { records: { milestones: [milestone(10)] } };
    const request = (current_stage?: string) =>
      requestTaskInsert({ milestone_id: uuid(10), title: 'x', ...(current_stage && { current_stage }) });
    const plan = await planOf(request('ELSEWHERE'), contextOf(unknown));
    expect(plan.changes[0]).toMatchObject({ values: { current_stage: 'ELSEWHERE' } });
    expect((await planOf(request(), contextOf(unknown))).changes[0]).toMatchObject({
      values: { current_stage: 'PLAN' },
    });
  });

  it.each([
    [{ parent_task_id: uuid(99) }, 'not_found', 'parent_task_id'],
    [{ workflow_id: FOREIGN }, 'not_found', 'workflow_id'],
    [{ workflow_id: OWN, current_stage: 'PLAN' }, 'unknown_stage', 'current_stage'],
    [{ workflow_id: FOREIGN, current_stage: 'PLAN' }, 'not_found', 'workflow_id'],
  ])('is refused with %j: %s (S1, R5)', async (values, code, field) => {
    const request = requestTaskInsert({ milestone_id: uuid(10), title: 'x', ...values });
    expect(await planned(request, contextOf(memory()))).toMatchObject(fault(code, field));
  });
});

const changes: fc.Arbitrary<TaskChanges> = fc.record(
  {
    title: fc.constantFrom('Task 1', ' Task 1 ', 'Renamed'),
    description: fc.constantFrom(null, 'long'),
    milestone_id: fc.constantFrom(uuid(10), uuid(11)),
    parent_task_id: fc.constantFrom(null, uuid(2), uuid(3)),
    workflow_id: fc.constant(null),
    current_stage: fc.constantFrom('PLAN', 'IMPLEMENT', 'COMMIT'),
    status: fc.constantFrom(...TASK_STATUSES),
    priority: fc.constantFrom(...TASK_PRIORITIES),
    sort_order: fc.constantFrom(0, 1.5),
    completion_date: fc.constantFrom(null, NOW),
  },
  { requiredKeys: [] },
);
const before = fc.record({
  status: fc.constantFrom(...TASK_STATUSES),
  current_stage: fc.constantFrom('PLAN', 'IMPLEMENT'),
  parent_task_id: fc.constantFrom(null, uuid(2)),
  completion_date: fc.constantFrom(null, NOW),
});

describe('the plan of a changed task', () => {
  const others = [task(2), task(3, { milestone_id: uuid(11) }), task(4, { parent_task_id: uuid(1) })];

  it('holds what differs and nothing else; made twice, it is empty', async () => {
    await fc.assert(
      fc.asyncProperty(before, changes, async (values, given) => {
        const stored = task(1, values);
        const plan = await planOf(requestTaskUpdate(stored.id, given), contextOf(memory(stored, ...others)));
        const [change] = plan.changes;
        const changed = change && change.op === 'update' ? change.values : {};
        for (const [column, value] of Object.entries(changed)) {
          expect(value).not.toEqual(stored[column as keyof Task]);
        }
        expect(plan.activities.length > 0).toBe(plan.changes.length > 0);
        const after = { ...stored, ...changed } as Task;
        // A move that names the old parent leaves it behind; named again, it is a new parent (U29).
        const isLeft = given.parent_task_id === uuid(2) && after.parent_task_id === null;
        if (isLeft) return;
        const again = await planOf(requestTaskUpdate(stored.id, given), contextOf(memory(after, ...others)));
        expect(again).toMatchObject({ changes: [], activities: [], answer: { id: stored.id } });
      }),
    );
  });

  it('tells of a completion date that is given by itself', async () => {
    const stored = task(1, { status: 'in_progress' });
    const given = { completion_date: '2026-01-05T10:00:00.000Z' };
    const plan = await planOf(requestTaskUpdate(stored.id, given), contextOf(memory(stored, ...others)));
    expect(plan.activities).toMatchObject([
      { draft: { activity_type: 'task_updated', details: { fields: ['completion_date'] } } },
    ]);
  });

  it('moves subtasks to the milestone of the task, exactly where the task changes its own (U29)', async () => {
    await fc.assert(
      fc.asyncProperty(before, changes, async (values, given) => {
        const stored = task(1, values);
        const plan = await planOf(requestTaskUpdate(stored.id, given), contextOf(memory(stored, ...others)));
        const [change, ...followers] = plan.changes;
        const to = change?.op === 'update' ? change.values.milestone_id : undefined;
        const follower = { op: 'update', table: 'tasks', id: uuid(4), values: { milestone_id: to } };
        expect(followers).toEqual(to === undefined ? [] : [follower]);
      }),
    );
  });

  it('is the same without a graph, but for the subtasks, which the server moves (U29)', async () => {
    await fc.assert(
      fc.asyncProperty(before, changes, async (values, given) => {
        const all = memory(task(1, values), ...others);
        const request = requestTaskUpdate(uuid(1), given);
        const local = await planOf(request, contextOf(all));
        const remote = await planOf(request, contextOf({ ...all, hasGraph: false }));
        expect(remote).toEqual({ ...local, changes: local.changes.slice(0, 1) });
      }),
    );
  });

  it('has a move where the stage changes or the task becomes finished, and only there (R4)', async () => {
    await fc.assert(
      fc.asyncProperty(before, changes, async (values, given) => {
        const stored = task(1, values);
        const { changes: planChanges, move } = await planOf(
          requestTaskUpdate(stored.id, given),
          contextOf(memory(stored, ...others)),
        );
        const [change] = planChanges;
        const after = { ...stored, ...(change?.op === 'update' && change.values) } as Task;
        const isFinished = (each: Task) => each.status === 'done' || each.completion_date !== null;
        const finishes = isFinished(after) && !isFinished(stored);
        const expected = finishes || after.current_stage !== stored.current_stage;
        expect(move !== undefined).toBe(expected);
        if (move)
          expect(move).toMatchObject({ from: stored.current_stage, to: after.current_stage, finishes });
      }),
    );
  });

  it('does not look up what stays: a record that is gone does not keep a task from other changes', async () => {
    const stored = task(1, { milestone_id: uuid(98), parent_task_id: uuid(97), workflow_id: uuid(96) });
    const given = { title: 'New', parent_task_id: uuid(97), workflow_id: uuid(96), milestone_id: uuid(98) };
    const plan = await planOf(requestTaskUpdate(stored.id, given), contextOf(memory(stored)));
    expect(plan.changes).toEqual([{ op: 'update', table: 'tasks', id: stored.id, values: { title: 'New' } }]);
  });

  it('holds the ids that records have in the store', async () => {
    const context = contextOf(memory(task(1), task(2)));
    const mapped: typeof context = {
      ...context,
      find: (table, id) => context.find(table, id === uuid(900) ? uuid(2) : id),
    };
    const plan = await planOf(requestTaskUpdate(uuid(1), { parent_task_id: uuid(900) }), mapped);
    expect(plan.changes[0]).toMatchObject({ values: { parent_task_id: uuid(2) } });
  });

  it.each([
    [{ milestone_id: uuid(12) }, 'not_found', 'milestone_id'],
    [{ parent_task_id: uuid(1) }, 'cycle', 'parent_task_id'],
    [{ parent_task_id: uuid(4) }, 'cycle', 'parent_task_id'],
    [{ parent_task_id: uuid(1), current_stage: 'SHIP' }, 'cycle', 'parent_task_id'],
    [{ current_stage: 'SHIP' }, 'unknown_stage', 'current_stage'],
    [{ workflow_id: OWN }, 'unknown_stage', 'current_stage'],
  ])('is refused with %j: %s (S1, R5)', async (values, code, field) => {
    const context = contextOf(memory(task(1), ...others));
    expect(await planned(requestTaskUpdate(uuid(1), values), context)).toMatchObject(fault(code, field));
  });
});

describe('other requests on tasks', () => {
  it('a stage that is left out is required', () => {
    const request = requestStageUpdate(uuid(1), undefined as never);
    expect(request).toMatchObject(fault('required', 'current_stage'));
  });

  it('a deletion is told to the parent task', async () => {
    const stored = task(4, { parent_task_id: uuid(1) });
    const plan = await planOf(requestTaskDelete(stored.id), contextOf(memory(stored)));
    expect(plan).toMatchObject({
      changes: [{ op: 'delete', table: 'tasks', id: stored.id }],
      activities: [{ draft: { task_id: uuid(1), entity_id: stored.id, activity_type: 'task_deleted' } }],
      answer: null,
    });
  });

  it('an activity by hand is the change itself', async () => {
    const request = requestActivityInsert(uuid(1), 'comment', { text: 'x', left: undefined } as never);
    const plan = await planOf(request, contextOf(memory(task(1))));
    expect(plan.activities).toEqual([]);
    expect(plan.changes).toMatchObject([
      { table: 'activity_feed', values: { task_id: uuid(1), details: { text: 'x' } } },
    ]);
  });
});
