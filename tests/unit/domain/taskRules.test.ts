import { describe, expect, it } from 'vitest';
import { taskChanged } from '@/domain/activities';
import type { Task } from '@/domain/entities';
import { mayWrite, passesCheckpoints } from '@/domain/permissions';
import { checkpointInTheWay, withCompletion } from '@/domain/taskRules';
import { STANDARD_STAGES } from '@/domain/vocabulary';

const stages = STANDARD_STAGES.map((name, index) => ({
  name,
  description: '',
  order: index + 1,
  is_checkpoint: name.endsWith('_REVIEW'),
}));
const NOW = '2026-03-01T00:00:00.000Z';

describe('checkpointInTheWay', () => {
  it.each([
    ['PLAN', 'PLAN_REVIEW', false, null],
    ['PLAN', 'IMPLEMENT', false, 'PLAN_REVIEW'],
    ['PLAN_REVIEW', 'IMPLEMENT', false, 'PLAN_REVIEW'],
    ['IMPLEMENT', 'CODE_REVIEW', false, null],
    ['IMPLEMENT', 'COMMIT', false, 'CODE_REVIEW'],
    ['COMMIT', 'PLAN', false, null],
    ['COMMIT', 'COMMIT', true, null],
    ['IMPLEMENT', 'IMPLEMENT', true, 'CODE_REVIEW'],
    ['COMMIT', 'PLAN', true, 'PLAN_REVIEW'],
    [null, 'PLAN', false, null],
    [null, 'IMPLEMENT', false, 'PLAN_REVIEW'],
    [null, 'PLAN', true, 'PLAN_REVIEW'],
  ])('from %s to %s (finished: %s) the checkpoint %s is in the way (R4)', (from, to, finished, expected) => {
    expect(checkpointInTheWay(stages, from, to, finished)).toBe(expected);
  });

  it('does not rely on the order of the list', () => {
    expect(checkpointInTheWay([...stages].reverse(), 'PLAN', 'COMMIT', false)).toBe('PLAN_REVIEW');
  });
});

describe('roles', () => {
  it('only human owners and editors pass checkpoints (R4)', () => {
    expect(passesCheckpoints({ role: 'editor', kind: 'human' })).toBe(true);
    expect(passesCheckpoints({ role: 'owner', kind: 'agent' })).toBe(false);
    expect(passesCheckpoints({ role: 'agent', kind: 'human' })).toBe(false);
  });

  it('follows the table of roles', () => {
    expect(mayWrite('owner', 'workspaces', 'delete')).toBe(true);
    expect(mayWrite('editor', 'workspaces', 'update')).toBe(false);
    expect(mayWrite('editor', 'workspace_members', 'insert')).toBe(false);
    expect(mayWrite('editor', 'workflows', 'update')).toBe(true);
    expect(mayWrite('agent', 'projects', 'insert')).toBe(false);
    expect(mayWrite('agent', 'tasks', 'update')).toBe(true);
    expect(mayWrite('agent', 'tasks', 'delete')).toBe(false);
    expect(mayWrite('owner', 'activity_feed', 'delete')).toBe(false);
    expect(mayWrite('owner', 'task_dependencies', 'update')).toBe(false);
    expect(mayWrite('viewer', 'activity_feed', 'insert')).toBe(false);
    expect(mayWrite(null, 'workspaces', 'insert')).toBe(true);
    expect(mayWrite(null, 'tasks', 'insert')).toBe(false);
  });
});

describe('withCompletion', () => {
  it('sets the date of a task that becomes done, and clears it when the task is reopened', () => {
    expect(withCompletion({ status: 'todo' }, { status: 'done' }, NOW).completion_date).toBe(NOW);
    expect(withCompletion({ status: 'done' }, { status: 'todo' }, NOW).completion_date).toBeNull();
    expect(withCompletion(null, { status: 'done', completion_date: null }, NOW).completion_date).toBe(NOW);
  });

  it('keeps a given date, and leaves other changes alone', () => {
    expect(withCompletion({ status: 'todo' }, { status: 'done', completion_date: 'given' }, NOW)).toEqual({
      status: 'done',
      completion_date: 'given',
    });
    expect(withCompletion({ status: 'done' }, { status: 'done' }, NOW)).toEqual({ status: 'done' });
    expect(withCompletion({ status: 'done' }, { title: 'x' }, NOW)).toEqual({ title: 'x' });
  });
});

describe('taskChanged', () => {
  const task = { id: 't', title: 'Old', current_stage: 'PLAN', description: 'a', priority: 'low' } as Task;

  it('tells a move from other changes, and does not repeat long text', () => {
    const drafts = taskChanged(task, { priority: 'high', current_stage: 'IMPLEMENT', description: 'b' });
    expect(drafts.map((draft) => [draft.activity_type, draft.details])).toEqual([
      ['stage_changed', { from: 'PLAN', to: 'IMPLEMENT' }],
      ['task_updated', { fields: ['description', 'priority'], changes: { priority: ['low', 'high'] } }],
    ]);
  });

  it('gives nothing when nothing differs', () => {
    expect(taskChanged(task, { title: 'Old', current_stage: 'PLAN' })).toEqual([]);
  });
});
