import { describe, expect, it } from 'vitest';
import { isOnlyHere } from '@/lib/watermelon/sync';

type Entry = Parameters<typeof isOnlyHere>[0];

const withdrawn = (recordTable: Entry['recordTable'], values: Record<string, unknown>): Entry => ({
  kind: 'withdrawn',
  state: 'settled',
  recordTable,
  recordId: 'a',
  columns: Object.fromEntries(
    Object.entries(values).map(([name, local]) => [
      name,
      { base: null, local: local as string, remote: null, chosen: null, by: 'remote' },
    ]),
  ),
});
const entryOf = (activity_type: string, details: object | null) =>
  withdrawn('activity_feed', { task_id: 'b', activity_type, details: JSON.stringify(details) });

describe('what was withdrawn with a change that lost (D24)', () => {
  it('is nowhere else only where somebody wrote it', () => {
    for (const [entry, counts] of [
      [entryOf('task_updated', { fields: ['title'], changes: { title: ['a', 'b'] } }), false],
      [entryOf('stage_changed', { from: 'PLAN', to: 'IMPLEMENT', jumped: [], reason: null }), false],
      [entryOf('dependency_added', null), false],
      [withdrawn('activity_feed', { activity_type: 'task_deleted' }), false],
      [entryOf('stage_changed', { from: 'PLAN', to: 'IMPLEMENT', jumped: [], reason: 'Agreed.' }), true],
      [entryOf('review_returned', { reason: 'Say how.' }), true],
      [entryOf('conflict_settled', { table: 'tasks', columns: {} }), true],
      [entryOf('comment', { text: 'Mine.' }), true],
      [withdrawn('tasks', { milestone_id: 'c' }), false],
      [withdrawn('tasks', { milestone_id: 'c', parent_task_id: 'd' }), true],
    ] as const) {
      expect(isOnlyHere(entry), JSON.stringify(entry.columns)).toBe(counts);
    }
  });
});
