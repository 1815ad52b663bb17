import { describe, expect, it } from 'vitest';
import type { Raw } from '@/lib/watermelon/models/watermelondb';
import { inPushOrder } from '@/lib/watermelon/sync/push/groups';
import type { UnsyncedRecord } from '@/lib/watermelon/sync/records/unsynced';

/** A task that an action moved along with others. */
function moved(id: string, parent: string | null): UnsyncedRecord {
  const edit = { editedAt: 1, offset: 0, group: 'the action' };
  const columns = { milestone_id: { value: 'before', ...edit }, parent_task_id: { value: parent, ...edit } };
  const raw = {
    id,
    _status: 'updated',
    _changed: '',
    workspace_id: 'w',
    milestone_id: 'm',
    parent_task_id: parent,
  };
  return {
    table: 'tasks',
    raw: { ...raw, updated_at: 1 } as unknown as Raw,
    record: null as never,
    base: { revision: 1, groups: [], columns },
  };
}

describe('the parts of a group beyond the bounds', () => {
  it('have a task that moves before the subtasks that move along, whichever is stored first (D35, U28)', () => {
    const below = Array.from({ length: 9 }, (_, n) => moved(`${n}`, n < 8 ? `${n + 1}` : 'top'));
    const { groups } = inPushOrder([...below, moved('top', null)], { changes: 3, characters: 100_000 });
    expect(groups.map((group) => group.length)).toEqual([3, 3, 3, 1]);
    expect(groups.flat().map(({ raw }) => raw.id)).toEqual([
      'top',
      '8',
      '7',
      '6',
      '5',
      '4',
      '3',
      '2',
      '1',
      '0',
    ]);
  });
});
