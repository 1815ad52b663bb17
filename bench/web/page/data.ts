/** The tasks of both databases: known by their numbers, so that their ids need not be passed. */

import type { AppSchema } from '@nozbe/watermelondb';
import { type Raw, sanitizedRaw } from '@/lib/watermelon/models/watermelondb';
import { randomFrom, textOf } from '../../data/random';

export const TASKS_OF_MILESTONE = 100;
const BEGAN = Date.UTC(2024, 0, 1);
const STAGES = ['PLAN', 'PLAN_REVIEW', 'IMPLEMENT', 'VALIDATE', 'CODE_REVIEW', 'COMMIT'];

const idOf = (kind: string, number: number) =>
  `01900000-000${kind}-7000-8000-${String(number).padStart(12, '0')}`;
export const milestoneId = (number: number) => idOf('1', number);
export const taskId = (number: number) => idOf('2', number);

type Create = ['create', string, Raw];

/** Tasks of about 300 bytes that the server knows, from number `from` to before `to`. */
export function makeTasks(schema: AppSchema, from: number, to: number): Create[] {
  const table = schema.tables.tasks;
  if (!table) throw new Error('There is no table of tasks.');
  const random = randomFrom(from + 1);
  return Array.from({ length: to - from }, (_, n) => {
    const number = from + n;
    const at = BEGAN + number * 60_000;
    const values = {
      id: taskId(number),
      _status: 'synced',
      workspace_id: idOf('0', 0),
      milestone_id: milestoneId(Math.floor(number / TASKS_OF_MILESTONE)),
      title: textOf(40, random),
      description: textOf(190, random),
      current_stage: STAGES[number % STAGES.length],
      status: 'todo',
      priority: 'medium',
      // Not the order in which they are stored.
      sort_order: (number * 37) % TASKS_OF_MILESTONE,
      revision: 1,
      created_at: at,
      updated_at: at,
      is_synced: true,
      sync_status: 'synced',
    };
    return ['create', 'tasks', sanitizedRaw(values, table) as unknown as Raw];
  });
}
