import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Json, PushChange } from '@/core/protocol';
import { checkpointInTheWay } from '@/domain/taskRules';
import { STANDARD_STAGES, STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { refusalOf } from '../../support/database';
import { addMembers, createUser, type SyncUser } from '../../support/syncUser';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

const CHECKPOINT = { outcome: 'rejected', code: 'checkpoint' };

teamForEachTest();

const move = (user: SyncUser, values: Record<string, Json>, id = team.task) =>
  user.pushOne(team.make.update('tasks', id, null, values));
const insert = (user: SyncUser, values: Record<string, Json>) =>
  user.pushOne(team.make.insert('tasks', { title: 'x', milestone_id: team.milestone, ...values }));

describe('checkpoints', () => {
  it('an agent moves a task up to a checkpoint and no further (R4)', async () => {
    expect(await move(team.agent, { current_stage: 'PLAN_REVIEW' })).toMatchObject({ outcome: 'applied' });
    expect(await move(team.agent, { current_stage: 'IMPLEMENT' })).toMatchObject({
      ...CHECKPOINT,
      column: 'current_stage',
    });
    expect(await move(team.editor, { current_stage: 'IMPLEMENT' })).toMatchObject({ outcome: 'applied' });
    expect(await move(team.agent, { current_stage: 'VALIDATE' })).toMatchObject({ outcome: 'applied' });
    expect(await move(team.agent, { current_stage: 'PLAN' })).toMatchObject({ outcome: 'applied' });
  });

  it('a new task cannot begin behind a checkpoint (R4)', async () => {
    expect(await insert(team.agent, { current_stage: 'PLAN_REVIEW' })).toMatchObject({ outcome: 'applied' });
    expect(await insert(team.agent, { current_stage: 'IMPLEMENT' })).toMatchObject(CHECKPOINT);
    expect(await insert(team.agent, { status: 'done' })).toMatchObject(CHECKPOINT);
    expect(await insert(team.agent, { completion_date: '2026-01-01T00:00:00Z' })).toMatchObject(CHECKPOINT);
    expect(await insert(team.owner, { current_stage: 'COMMIT', status: 'done' })).toMatchObject({
      outcome: 'applied',
    });
  });

  it('a task is not done or completed ahead of a remaining checkpoint (R4)', async () => {
    expect(await move(team.agent, { status: 'done' })).toMatchObject({ ...CHECKPOINT, column: 'status' });
    expect(await move(team.agent, { completion_date: '2026-01-01T00:00:00Z' })).toMatchObject(CHECKPOINT);
    await move(team.owner, { current_stage: 'COMMIT' });
    expect(await move(team.agent, { status: 'done' })).toMatchObject({ outcome: 'applied' });
    expect(await move(team.agent, { current_stage: 'PLAN' })).toMatchObject(CHECKPOINT);
  });

  it('an agent stays an agent in the role of an editor (R4)', async () => {
    const robot = await createUser(database, { name: 'Robot', kind: 'agent' });
    await addMembers(database, team.workspace, [robot, 'editor']);
    expect(await move(robot, { current_stage: 'IMPLEMENT' })).toMatchObject(CHECKPOINT);
    const stages = [{ name: 'PLAN', order: 1, is_checkpoint: false }];
    const workflow = team.make.insert('workflows', { name: 'free', stages });
    expect(await robot.pushOne(workflow)).toMatchObject({ code: 'forbidden' });
    await team.owner.push([workflow]);
    expect(await move(robot, { workflow_id: workflow.id })).toMatchObject({
      code: 'forbidden',
      column: 'workflow_id',
    });
  });

  it('an agent never chooses the workflow (R4)', async () => {
    expect(await insert(team.agent, { workflow_id: STANDARD_WORKFLOW_ID })).toMatchObject({
      code: 'forbidden',
      column: 'workflow_id',
    });
    expect(await move(team.agent, { workflow_id: STANDARD_WORKFLOW_ID })).toMatchObject({
      code: 'forbidden',
    });
    expect(await move(team.editor, { workflow_id: STANDARD_WORKFLOW_ID })).toMatchObject({
      outcome: 'applied',
    });
  });

  it('an agent cannot pass a checkpoint from an outdated replica (R4)', async () => {
    const stale = team.make.update('tasks', team.task, team.revision, {
      current_stage: 'COMMIT',
      status: 'done',
    });
    await move(team.owner, { current_stage: 'PLAN_REVIEW' });
    expect((await team.agent.pushOne(stale)).outcome).toBe('conflict');
    expect(await team.agent.pushOne({ ...stale, base: null })).toMatchObject(CHECKPOINT);
  });

  it('SQL in an agent’s name cannot pass a checkpoint (R4)', async () => {
    const result = await database.backend.transaction(
      (connection) =>
        connection.query("update public.tasks set current_stage = 'COMMIT' where id = $1::uuid", [team.task]),
      { settings: { 'request.jwt.claims': JSON.stringify({ role: 'authenticated', sub: team.agent.id }) } },
    );
    expect(result).toMatchObject({ ok: false, error: { sqlState: 'SN001' } });
  });

  it('every move of an agent is judged as src/domain/taskRules.ts judges it (R4)', async () => {
    const [row] = await database.query<{ stages: Parameters<typeof checkpointInTheWay>[0] }>(
      'select stages from public.workflows where id = $1::uuid',
      [STANDARD_WORKFLOW_ID],
    );
    const stages = row?.stages ?? [];
    const moves = STANDARD_STAGES.flatMap((from) =>
      STANDARD_STAGES.flatMap((to) =>
        [false, true].filter((done) => from !== to || done).map((done) => ({ from, to, done })),
      ),
    );
    const tasks = moves.map(({ from }) =>
      team.make.insert('tasks', { title: 'x', milestone_id: team.milestone, current_stage: from }),
    );
    await team.owner.push(tasks);
    for (const [n, { from, to, done }] of moves.entries()) {
      const values = { current_stage: to, status: done ? 'done' : 'todo' };
      const outcome = await move(team.agent, values, tasks[n]?.id);
      const expected = checkpointInTheWay(stages, from, to, done) === null ? 'applied' : 'rejected';
      expect(outcome.outcome, `${from} to ${to}${done ? ', done' : ''}`).toBe(expected);
    }
  });
});

describe('workflows', () => {
  it('a stage that the workflow lacks is refused as unknown_stage (R5)', async () => {
    expect(await move(team.owner, { current_stage: 'DANCE' })).toMatchObject({
      outcome: 'rejected',
      code: 'unknown_stage',
      column: 'current_stage',
    });
    const stages = [{ name: 'DANCE', order: 1, description: '', is_checkpoint: false }];
    const workflow = team.make.insert('workflows', { name: 'w', stages });
    await team.owner.push([workflow]);
    expect(await insert(team.owner, { workflow_id: workflow.id })).toMatchObject({ code: 'unknown_stage' });
    expect(await insert(team.owner, { workflow_id: workflow.id, current_stage: 'DANCE' })).toMatchObject({
      outcome: 'applied',
    });
    expect(await move(team.owner, { workflow_id: workflow.id })).toMatchObject({ code: 'unknown_stage' });
  });

  it('a stage removed from the workflow stops agents alone (R5)', async () => {
    const stage = (name: string, order: number, is_checkpoint = false) => ({ name, order, is_checkpoint });
    const workflow = team.make.insert('workflows', { name: 'w', stages: [stage('A', 1), stage('B', 2)] });
    const task = team.make.insert('tasks', {
      title: 'x',
      milestone_id: team.milestone,
      workflow_id: workflow.id,
      current_stage: 'A',
    });
    await team.owner.push([workflow, task]);
    await team.owner.push([
      team.make.update('workflows', workflow.id, null, { stages: [stage('B', 2, true), stage('C', 3)] }),
    ]);
    expect(await move(team.agent, { title: 'renamed' }, task.id)).toMatchObject({ outcome: 'applied' });
    expect(await move(team.agent, { current_stage: 'C' }, task.id)).toMatchObject(CHECKPOINT);
    expect(await move(team.owner, { current_stage: 'C' }, task.id)).toMatchObject({ outcome: 'applied' });
  });

  it.each([
    ['none', []],
    ['an object', {}],
    ['a stage without a name', [{ order: 1 }]],
    ['a stage without an order', [{ name: 'A' }]],
    [
      'two of one name',
      [
        { name: 'A', order: 1 },
        { name: 'A', order: 2 },
      ],
    ],
    [
      'two of one order',
      [
        { name: 'A', order: 1 },
        { name: 'B', order: 1 },
      ],
    ],
    ['a checkpoint that is no boolean', [{ name: 'A', order: 1, is_checkpoint: 'no' }]],
  ] as [string, Json][])('the stages of a workflow are checked: %s (R5)', async (_, stages) => {
    expect(await team.owner.pushOne(team.make.insert('workflows', { name: 'w', stages }))).toMatchObject({
      outcome: 'rejected',
      code: 'invalid_value',
      column: 'stages',
    });
  });
});

describe('cycles', () => {
  it('a batch with a refused cyclic move puts nothing under what the same batch deletes (U8)', async () => {
    const { make, owner, project } = team;
    const milestone = make.insert('milestones', { name: 'Deleted', project_id: project });
    const [first, second] = ['first', 'second'].map((title) =>
      make.insert('tasks', { title, milestone_id: milestone.id }),
    ) as [PushChange, PushChange];
    const waits = make.insert('task_dependencies', { task_id: first.id, depends_on_task_id: second.id });
    await owner.push([milestone, first, second, waits]);
    const gone = make.delete('milestones', milestone.id, null);
    const back = make.insert('task_dependencies', { task_id: second.id, depends_on_task_id: first.id });
    const { outcomes } = await owner.push([gone, back]);
    expect(outcomes).toMatchObject([{ outcome: 'applied' }, { outcome: 'rejected', code: 'cycle' }]);
    const alive = await database.query(
      `select id from public.task_dependencies where deleted_at is null and id in ('${waits.id}', '${back.id}')`,
    );
    expect(alive).toEqual([]);
  });

  it('tasks cannot depend on each other in a circle (U12)', async () => {
    const tasks = Array.from({ length: 3 }, () =>
      team.make.insert('tasks', { title: 'x', milestone_id: team.milestone }),
    );
    const [a, b, c] = tasks.map((task) => task.id) as [string, string, string];
    const waits = (task_id: string, depends_on_task_id: string) =>
      team.make.insert('task_dependencies', { task_id, depends_on_task_id });
    const { outcomes } = await team.agent.push([
      ...tasks,
      waits(a, b),
      waits(b, c),
      waits(c, a),
      waits(a, a),
      waits(a, c),
    ]);
    expect(outcomes.slice(3)).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'applied' },
      { outcome: 'rejected', code: 'cycle', column: 'depends_on_task_id' },
      { outcome: 'rejected', code: 'cycle' },
      { outcome: 'applied' },
    ]);
  });

  it('a task cannot be its own ancestor (U12)', async () => {
    const child = team.make.insert('tasks', {
      title: 'x',
      milestone_id: team.milestone,
      parent_task_id: team.task,
    });
    const grandchild = team.make.insert('tasks', {
      title: 'x',
      milestone_id: team.milestone,
      parent_task_id: child.id,
    });
    await team.owner.push([child, grandchild]);
    for (const parent of [child.id, grandchild.id]) {
      expect(await move(team.owner, { parent_task_id: parent })).toMatchObject({
        code: 'cycle',
        column: 'parent_task_id',
      });
    }
    expect(await move(team.owner, { parent_task_id: team.task })).toMatchObject({ outcome: 'rejected' });
  });

  it('the ends of a dependency and the user of a membership cannot be changed (U12)', async () => {
    const work = database.query(
      'insert into public.task_dependencies (id, workspace_id, task_id, depends_on_task_id) values ($1::uuid, $2::uuid, $3::uuid, $3::uuid)',
      [randomUUID(), team.workspace, team.task],
    );
    expect(await refusalOf(work)).toBe('SN003');
    const members =
      'update public.workspace_members set user_id = $1::uuid where workspace_id = $2::uuid and user_id = $3::uuid';
    const moved = database.query(members, [team.stranger.id, team.workspace, team.viewer.id]);
    expect(await refusalOf(moved)).toBe('SN005');
  });
});
