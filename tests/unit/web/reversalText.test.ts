import { describe, expect, it } from 'vitest';
import type { Json } from '@/core/protocol';
import { checkpointSentence, reversedColumns } from '@/web/tasks/reversalText';

const nameOf = (id: string | null) => (id === 'u1' ? 'Mara' : 'A former member');
const side = (chosen: Json, local: Json, remote: Json) => ({
  base: null,
  local,
  remote,
  chosen,
  by: 'remote',
});

describe('what a reversal sets', () => {
  it('names the value that was not chosen, of both sides', () => {
    const columns = {
      title: side('Theirs', 'Mine', 'Theirs'),
      current_stage: side('PLAN', 'PLAN', 'CODE_REVIEW'),
      assignee_id: side(null, null, 'u1'),
      priority: side('high', 'low', 'high'),
    };
    expect(reversedColumns({ columns }, nameOf)).toEqual([
      { column: 'title', label: 'title', chosen: { text: 'Theirs' }, other: { text: 'Mine' } },
      {
        column: 'current_stage',
        label: 'current stage',
        chosen: { text: 'Plan' },
        other: { text: 'Code review' },
      },
      { column: 'assignee_id', label: 'assignee', chosen: { text: 'nobody' }, other: { text: 'Mara' } },
      { column: 'priority', label: 'priority', chosen: { text: 'High' }, other: { text: 'Low' } },
    ]);
  });

  it('takes this device’s value where the chosen one is neither side’s', () => {
    const columns = { description: side('both', 'mine', 'theirs') };
    expect(reversedColumns({ columns }, nameOf)?.[0]?.other).toEqual({ text: 'mine' });
  });

  it('leaves the name of another record to the screen', () => {
    const columns = { milestone_id: side('m1', 'm1', 'm2') };
    expect(reversedColumns({ columns }, nameOf)?.[0]?.other).toEqual({ table: 'milestones', id: 'm2' });
  });

  it.each([
    { columns: { title: side(null, null, null) }, shortened: true },
    { columns: {} },
    { columns: 'x' },
    null,
    7,
    [],
  ] as Json[])('says nothing where the details do not have the values: %j', (details) => {
    expect(reversedColumns(details, nameOf)).toBeNull();
  });
});

describe('passing a checkpoint by a reversal', () => {
  it('names the task, the stage it goes to, and the checkpoint', () => {
    const columns =
      reversedColumns({ columns: { current_stage: side('PLAN', 'PLAN', 'IMPLEMENT') } }, nameOf) ?? [];
    expect(checkpointSentence('Show the tide', columns, 'PLAN_REVIEW')).toBe(
      'This moves “Show the tide” to the stage Implement, past the human checkpoint Plan review.',
    );
  });

  it('says that the task is finished where only its status changes', () => {
    const columns = reversedColumns({ columns: { status: side('todo', 'todo', 'done') } }, nameOf) ?? [];
    expect(checkpointSentence('Show the tide', columns, 'CODE_REVIEW')).toBe(
      'This finishes “Show the tide”, past the human checkpoint Code review.',
    );
  });
});
