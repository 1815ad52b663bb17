import { describe, expect, it } from 'vitest';
import { titleOf } from '@/cli/commands/tasks';
import { readyText, taskRow, taskText, waitingText } from '@/cli/taskText';
import type { Task, WorkspaceMember } from '@/domain/entities';
import type { Readiness, ReadinessReason } from '@/domain/ready';
import { assignedTo } from '@/machine/records';

const ID = '01900000-0000-7000-8000-000000000001';
const task = (values: Partial<Task> = {}) =>
  ({
    id: ID,
    key: 'FIELD-12',
    title: 'Sub one',
    current_stage: 'PLAN',
    status: 'todo',
    priority: 'high',
    assignee_id: null,
    ...values,
  }) as Task;
const members = [
  { id: 'm1', user_id: 'u1', display_name: 'Ada' },
  { id: 'm2', user_id: 'u2', display_name: 'Bot' },
] as WorkspaceMember[];

describe('a task in words', () => {
  it('is named by its key, and before it has one by the derived key', () => {
    expect(taskText(task())).toBe('FIELD-12 Sub one');
    expect(taskText(task({ key: null }))).toMatch(/^~[0-9a-z]{7} Sub one$/);
  });

  it('has its assignee in the row of a list', () => {
    const assigned = (assignee_id: string | null) => taskRow(task({ assignee_id }), members)[4];
    expect([assigned('u1'), assigned(null), assigned('left')]).toEqual([
      'Ada',
      'nobody',
      'no member any more',
    ]);
    expect(taskRow(task(), members)).toEqual(['FIELD-12', 'PLAN', 'todo', 'high', 'nobody', 'Sub one']);
  });
});

describe('whether a task is ready', () => {
  const readiness = (...reasons: ReadinessReason[]): Readiness => ({
    task_id: ID,
    title: 'Sub one',
    ready: reasons.length === 0,
    reasons,
    passed: [],
  });
  const names = {
    tasks: new Map([
      [ID, 'FIELD-12'],
      ['t7', 'FIELD-7'],
    ]),
    members: new Map([['u1', 'Ada']]),
  };

  it('is said with every reason, by names and keys', () => {
    expect(readyText(readiness(), names)).toBe('yes');
    const reasons: ReadinessReason[] = [
      { code: 'assigned', to: 'u1' },
      { code: 'claimed', by: 'u9', until: null },
      { code: 'dependency', of: ID, task_id: 't7', title: 'Dig' },
      { code: 'done' },
    ];
    const said = 'assigned to "Ada"; claimed by somebody else; waits for FIELD-7 "Dig"; is done';
    expect(readyText(readiness(...reasons), names)).toBe(`no: ${said}`);
    expect(waitingText(readiness(...reasons), names)).toBe(`FIELD-12 Sub one: ${said}`);
  });
});

describe('the tasks of an assignee', () => {
  const listed = [task({ assignee_id: 'u1' }), task({ assignee_id: 'u2' }), task()];
  const of = (named: string) =>
    listed.filter(assignedTo(members, named, 'u2')).map(({ assignee_id }) => assignee_id);

  it('are named by a member, me or nobody', () => {
    expect([of('ada'), of('u1'), of('Me'), of('nobody')]).toEqual([['u1'], ['u1'], ['u2'], [null]]);
    expect(() => of('Eve')).toThrow('"Ada", "Bot"');
  });
});

describe('the title of a new task', () => {
  it('is given once, as an argument or by its option', () => {
    expect(titleOf('A', undefined)).toEqual({ ok: true, value: 'A' });
    expect(titleOf(undefined, 'A')).toEqual({ ok: true, value: 'A' });
    expect(titleOf('A', 'A')).toEqual({ ok: true, value: 'A' });
    expect(titleOf('A', 'B')).toMatchObject({ ok: false, error: expect.stringContaining('"A" and "B"') });
    expect(titleOf(undefined, undefined)).toMatchObject({
      ok: false,
      error: expect.stringContaining('missing'),
    });
  });
});
