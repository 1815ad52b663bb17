/** The write that orders tasks by hand: the task that was moved, and neighbours that had to make room for it. */

import { taskChanged } from '../activities';
import type { Task } from '../entities';
import type { TaskPlace } from '../taskBatches';
import { invalid, noSuchRecord, validateChanges, validateId } from '../validation';
import type { PlannedChange, Requested } from './plan';

/** The first place is that of the task that was moved: the feed tells of it alone. */
export function requestTaskOrder(places: readonly TaskPlace[]): Requested<'tasks'> {
  const given: TaskPlace[] = [];
  for (const [n, place] of places.entries()) {
    const id = validateId(`places[${n}].id`, place.id);
    if (!id.ok) return id;
    const values = validateChanges('tasks', { sort_order: place.sort_order });
    if (!values.ok) return values;
    given.push({ id: id.value, sort_order: Number(values.value.sort_order) });
  }
  const [moved, ...others] = given;
  if (moved === undefined) return invalid('required', 'places', 'Give the place of at least one task.');
  return {
    ok: true,
    value: {
      target: { table: 'tasks', id: moved.id, field: 'places[0].id' },
      plan: async (before, context) => {
        const { id, workspace_id: workspaceId } = before;
        const update = (task: Task, { sort_order }: TaskPlace): PlannedChange[] =>
          task.sort_order === sort_order
            ? []
            : [{ op: 'update', table: 'tasks', id: task.id, values: { sort_order } }];
        const changes = update(before, moved);
        for (const [n, other] of others.entries()) {
          const task = await context.find('tasks', other.id);
          if (task?.workspace_id !== workspaceId) return noSuchRecord(`places[${n + 1}].id`, 'tasks');
          changes.push(...update(task, other));
        }
        const drafts = taskChanged(before, { sort_order: moved.sort_order });
        return {
          ok: true,
          value: {
            workspaceId,
            changes,
            activities: drafts.map((draft) => ({ id: context.newId(), draft })),
            answer: { table: 'tasks', id },
          },
        };
      },
    },
  };
}
