import { expect, it } from 'vitest';
import { MOST_NEW_TASKS } from '@/domain/taskBatches';
import { expectError, type Section, UNKNOWN_ID, validation } from './world';

export const taskBatchesContract: Section = (world) => {
  const plan = (request_id: string) => ({
    request_id,
    tasks: [
      { name: 'docs', title: 'Write it down', parent: 'feature', depends_on: ['code'] },
      { name: 'feature', title: 'A feature', description: 'All of it.', priority: 'high' as const },
      { name: 'code', title: 'Build it', parent: 'feature' },
    ],
  });

  it('creates tasks with subtasks and dependencies by the names of the batch, once for each request', async () => {
    const { owner, agent, editor, milestone, settle, feed } = world();
    const { id } = await milestone();
    const ids = await agent.createTasks(id, plan('first'));
    expect(await agent.createTasks(id, plan('first'))).toEqual(ids);
    await settle();
    // The retry of a caller whose answer was lost, by way of another device.
    expect(await editor.createTasks(id, plan('first'))).toEqual(ids);
    await settle();
    const tasks = await owner.getTasks(id);
    expect(tasks.map((task) => task.id).sort()).toEqual([...ids].sort());
    const [docs, feature, code] = ids.map((one) => tasks.find((task) => task.id === one));
    expect(feature).toMatchObject({ parent_task_id: null, priority: 'high', description: 'All of it.' });
    expect(docs).toMatchObject({ parent_task_id: feature?.id, current_stage: 'PLAN' });
    expect(code).toMatchObject({ parent_task_id: feature?.id, status: 'todo' });
    const context = await owner.getTaskContext(docs?.id ?? '');
    expect(context?.dependencies.map((task) => task.id)).toEqual([code?.id]);
    expect((await feed(owner, docs?.id ?? '')).map(({ activity_type }) => activity_type)).toEqual([
      'task_created',
      'dependency_added',
    ]);
    expect(await owner.createTasks(id, plan('second'))).not.toEqual(ids);
  });

  it('puts new tasks after those that are there, in the order in which they are made (N10)', async () => {
    const { owner, agent, milestone, settle } = world();
    const { id: milestone_id } = await milestone();
    const byHand = await owner.createTask({ milestone_id, title: 'by hand', sort_order: 1_000 });
    await owner.createTask({ milestone_id, title: 'first of all', sort_order: 0 });
    await settle();
    const batch = (...titles: string[]) => ({
      request_id: titles.join(),
      tasks: titles.map((title) => ({ title })),
    });
    const numbers = Array.from({ length: 12 }, (_, n) => `one of ${n}`);
    await agent.createTasks(milestone_id, batch(...numbers));
    await agent.createTasks(milestone_id, batch('next', 'over next'));
    await agent.createTask({ milestone_id, title: 'alone' });
    await agent.createTask({ milestone_id, title: 'below', parent_task_id: byHand.id });
    await settle();
    // An order by sort_order alone: no two tasks have one place.
    const tasks = await owner.getTasks(milestone_id);
    expect(tasks.map(({ title }) => title)).toEqual([
      'first of all',
      'by hand',
      ...numbers,
      'next',
      'over next',
      'alone',
      'below',
    ]);
    expect(new Set(tasks.map(({ sort_order }) => sort_order)).size).toBe(tasks.length);
  });

  it('refers to tasks that are there', async () => {
    const { owner, milestone, task, settle } = world();
    const { id } = await milestone();
    const [above, needed] = [await task({ milestone_id: id }), await task()];
    const [made] = await owner.createTasks(id, {
      request_id: 'there',
      tasks: [{ title: 'Below', parent: above.id, depends_on: [needed.id, needed.id] }],
    });
    await settle();
    const context = await owner.getTaskContext(made ?? '');
    expect(context).toMatchObject({ parent_task: { id: above.id }, dependencies: [{ id: needed.id }] });
  });

  it.each([
    ['no name', { request_id: ' ', tasks: [{ title: 'A' }] }, 'required', 'request_id'],
    ['no tasks', { request_id: 'x', tasks: [] }, 'required', 'tasks'],
    [
      'too many tasks',
      { request_id: 'x', tasks: Array.from({ length: MOST_NEW_TASKS + 1 }, () => ({ title: 'A' })) },
      'too_long',
      'tasks',
    ],
    [
      'a task without a title',
      { request_id: 'x', tasks: [{ title: 'A' }, { title: ' ' }] },
      'required',
      'tasks[1].title',
    ],
    [
      'a name twice',
      {
        request_id: 'x',
        tasks: [
          { title: 'A', name: 'a' },
          { title: 'B', name: 'a' },
        ],
      },
      'duplicate',
      'tasks[1].name',
    ],
    [
      'an unknown name',
      { request_id: 'x', tasks: [{ title: 'A', parent: 'b' }] },
      'bad_id',
      'tasks[0].parent',
    ],
    [
      'an unknown task',
      { request_id: 'x', tasks: [{ title: 'A', depends_on: [UNKNOWN_ID] }] },
      'not_found',
      'tasks[0].depends_on',
    ],
    [
      'tasks that wait for each other',
      {
        request_id: 'x',
        tasks: [
          { title: 'A', name: 'a', depends_on: ['b'] },
          { title: 'B', parent: 'a', name: 'b', depends_on: ['a'] },
        ],
      },
      'cycle',
      'tasks[0].depends_on',
    ],
    [
      'its own parent',
      { request_id: 'x', tasks: [{ title: 'A', name: 'a', parent: 'a' }] },
      'cycle',
      'tasks[0].depends_on',
    ],
  ] as const)('creates nothing of a batch with %s', async (_, batch, code, field) => {
    const { owner, milestone } = world();
    const { id } = await milestone();
    await expectError(owner.createTasks(id, batch), validation(code, field));
    expect(await owner.getTasks(id)).toEqual([]);
  });

  it('refuses viewers, strangers, and a subtask that waits for the task that it is a part of', async () => {
    const { owner, viewer, outsider, milestone, task } = world();
    const { id } = await milestone();
    const batch = { request_id: 'refused', tasks: [{ title: 'A' }] };
    await expectError(viewer.createTasks(id, batch), { kind: 'rejected', code: 'forbidden' });
    await expectError(outsider.createTasks(id, batch), validation('not_found', 'milestone_id'));
    const above = await task({ milestone_id: id });
    const waiting = {
      request_id: 'around',
      tasks: [{ title: 'A', parent: above.id, depends_on: [above.id] }],
    };
    await expectError(owner.createTasks(id, waiting), validation('cycle', 'tasks[0].depends_on'));
  });

  it('gives tasks their places together, tells of the one that was moved, and of none where one is unknown', async () => {
    const { owner, viewer, editor, milestone, settle, feed } = world();
    const { id } = await milestone();
    const batch = { request_id: 'ordered', tasks: [{ title: 'A' }, { title: 'B' }, { title: 'C' }] };
    const [a = '', b = '', c = ''] = await owner.createTasks(id, batch);
    await settle();
    await editor.orderTasks([
      { id: c, sort_order: 1 },
      { id: a, sort_order: 2 },
      { id: b, sort_order: 3 },
    ]);
    await settle();
    expect((await owner.getTasks(id)).map((task) => task.id)).toEqual([c, a, b]);
    const told = async (task: string) => (await feed(owner, task)).map((entry) => entry.activity_type);
    expect(await told(c)).toEqual(['task_created', 'task_updated']);
    expect(await told(a)).toEqual(['task_created']);
    const unknown = [
      { id: a, sort_order: 9 },
      { id: UNKNOWN_ID, sort_order: 10 },
    ];
    await expectError(owner.orderTasks(unknown), validation('not_found', 'places[1].id'));
    await expectError(owner.orderTasks([]), validation('required', 'places'));
    const refused = viewer.orderTasks([{ id: a, sort_order: 9 }]);
    await expectError(refused, { kind: 'rejected', code: 'forbidden' });
    expect((await owner.getTasks(id)).map((task) => task.id)).toEqual([c, a, b]);
  });

  it('moves none of several tasks where one is not where it is expected, and says where it is', async () => {
    const { owner, editor, milestone, settle } = world();
    const { id } = await milestone();
    const batch = { request_id: 'moved', tasks: [{ title: 'A' }, { title: 'B' }] };
    const [a = '', b = ''] = await owner.createTasks(id, batch);
    await settle();
    await owner.orderTasks([
      { id: a, sort_order: 20 },
      { id: b, sort_order: 10 },
    ]);
    await settle();
    const back = [
      { id: a, sort_order: 1, expected: 20 },
      { id: b, sort_order: 2, expected: 10 },
    ];
    await editor.orderTasks([{ id: b, sort_order: 30 }]);
    await settle();
    await expectError(owner.orderTasks(back), {
      kind: 'conflict',
      code: 'stale',
      columns: ['sort_order'],
      present: { sort_order: 30 },
    });
    const wrong = [{ id: a, sort_order: 1, expected: Number.NaN }];
    await expectError(owner.orderTasks(wrong), validation('bad_value', 'places[0].expected'));
    expect((await owner.getTasks(id)).map((task) => [task.id, task.sort_order])).toEqual([
      [a, 20],
      [b, 30],
    ]);
    await editor.orderTasks([{ id: b, sort_order: 10 }]);
    await settle();
    await owner.orderTasks(back);
    await settle();
    expect((await editor.getTasks(id)).map((task) => task.sort_order)).toEqual([1, 2]);
  });
};
