/** Changes that are taken or refused together, and the order of a push. */

import { beforeAll, describe, expect, it } from 'vitest';
import type { PushChange } from '@/core/protocol';
import { database, team, teamForFile } from '../../support/teamDatabase';
import { setPushLimits } from '../../support/work';

teamForFile();
// A slow machine must not leave some of a batch to the next push (U18).
beforeAll(() => setPushLimits(database, '1 hour'));

const tasksTitled = (title: string) =>
  database.query<{ id: string }>('select id::text as id from public.tasks where title = $1', [title]);
const newTask = (title: string, more: Partial<PushChange> = {}, of = team) =>
  of.make.insert('tasks', { title, milestone_id: of.milestone }, more);

describe('groups', () => {
  it('a refused change takes its group along and no other change (U12)', async () => {
    const before = newTask('before');
    const after = newTask('after');
    const answer = await team.owner.push([
      before,
      newTask('good mate', { group: 500 }),
      newTask('x'.repeat(501), { group: 500 }),
      team.make.update('tasks', team.task, null, { description: 'of the group' }, { group: 500 }),
      after,
    ]);
    expect(answer.outcomes).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'rejected', code: 'group' },
      { outcome: 'rejected', code: 'too_long', column: 'title' },
      { outcome: 'rejected', code: 'group' },
      { outcome: 'applied' },
    ]);
    expect(await tasksTitled('good mate')).toHaveLength(0);
    const rows = await database.query("select 1 from public.tasks where description = 'of the group'");
    expect(rows).toHaveLength(0);
  });

  it('each of many refused changes is found (U12)', async () => {
    const changes = Array.from({ length: 60 }, (_, n) =>
      newTask(n % 7 === 3 ? 'x'.repeat(501) : `culprits ${n}`),
    );
    const { outcomes } = await team.owner.push(changes);
    expect(outcomes.map((one) => one.outcome)).toEqual(
      changes.map((_, n) => (n % 7 === 3 ? 'rejected' : 'applied')),
    );
  });

  it('a group that needs a later one is not refused for it (U12)', async () => {
    const milestone = team.make.insert(
      'milestones',
      { name: 'later', project_id: team.project },
      { group: 9 },
    );
    const task = team.make.insert('tasks', { title: 'sooner', milestone_id: milestone.id }, { group: 1 });
    const culprit = newTask('x'.repeat(501), { group: 5 });
    const { outcomes } = await team.owner.push([milestone, task, culprit]);
    expect(outcomes.map((one) => one.outcome)).toEqual(['applied', 'applied', 'rejected']);
  });

  it('changes under a refused record are blocked, through groups and generations (U11)', async () => {
    const project = team.make.insert('projects', { name: 'x'.repeat(201) });
    const milestone = team.make.insert('milestones', { name: 'm', project_id: project.id });
    const task = team.make.insert('tasks', { title: 'blocked', milestone_id: milestone.id });
    const mate = newTask('mate of a blocked one', { group: task.group });
    const update = team.make.update('tasks', task.id, null, { title: 'later' });
    const { outcomes } = await team.owner.push([project, milestone, task, mate, update, newTask('free')]);
    expect(outcomes).toMatchObject([
      { outcome: 'rejected', code: 'too_long' },
      { outcome: 'blocked', by: project.id },
      { outcome: 'blocked', by: milestone.id },
      { outcome: 'blocked', by: milestone.id },
      { outcome: 'blocked', by: task.id },
      { outcome: 'applied' },
    ]);
  });

  it('parents and children of one batch are applied in any order (U15)', async () => {
    const project = team.make.insert('projects', { name: 'p' });
    const milestone = team.make.insert('milestones', { name: 'm', project_id: project.id });
    const task = team.make.insert('tasks', { title: 't', milestone_id: milestone.id });
    const subtask = team.make.insert('tasks', {
      title: 's',
      milestone_id: milestone.id,
      parent_task_id: task.id,
    });
    const needed = team.make.insert('tasks', { title: 'n', milestone_id: milestone.id });
    const dependency = team.make.insert('task_dependencies', {
      task_id: task.id,
      depends_on_task_id: needed.id,
    });
    const { outcomes } = await team.owner.push([dependency, subtask, task, needed, milestone, project]);
    expect(outcomes.map((one) => one.outcome)).toEqual(Array(6).fill('applied'));
  });

  it('a dependency can be reversed in one batch (U15)', async () => {
    const [one, other] = [newTask('one'), newTask('other')];
    const there = team.make.insert('task_dependencies', { task_id: one.id, depends_on_task_id: other.id });
    await team.owner.push([one, other, there]);
    const back = team.make.insert('task_dependencies', { task_id: other.id, depends_on_task_id: one.id });
    const { outcomes } = await team.owner.push([back, team.make.delete('task_dependencies', there.id, null)]);
    expect(outcomes.map((outcome) => outcome.outcome)).toEqual(['applied', 'applied']);
  });

  it('one batch adds a stage to a workflow and a task in that stage (U15)', async () => {
    const stage = (name: string, order: number) => ({ name, order, description: '', is_checkpoint: false });
    const workflow = team.make.insert('workflows', { name: 'w', stages: [stage('A', 1)] });
    await team.owner.push([workflow]);
    const { outcomes } = await team.owner.push([
      team.make.insert('tasks', {
        title: 'in B',
        milestone_id: team.milestone,
        workflow_id: workflow.id,
        current_stage: 'B',
      }),
      team.make.update('workflows', workflow.id, null, { stages: [stage('A', 1), stage('B', 2)] }),
    ]);
    expect(outcomes.map((one) => one.outcome)).toEqual(['applied', 'applied']);
  });
});
