/** The write that orders tasks by hand: the task that was moved, and neighbours that had to make room for it. */

import type { StaleError } from '@/core/errors';
import { ok, type Result } from '@/core/result';
import { taskChanged } from '../activities';
import type { Task } from '../entities';
import type { TaskPlace } from '../taskBatches';
import { invalid, noSuchRecord, validateChanges, validateId } from '../validation';
import { checkExpected, type Expectation, requireExpected } from './expected';
import type { PlanContext, PlannedChange, Requested } from './plan';

interface GivenPlace extends Pick<Task, 'id' | 'sort_order'> {
  expectation: Expectation;
}

/** The first place is that of the task that was moved: the feed tells of it alone. */
export function requestTaskOrder(places: readonly TaskPlace[]): Requested<'tasks'> {
  const given: GivenPlace[] = [];
  for (const [n, place] of places.entries()) {
    const id = validateId(`places[${n}].id`, place.id);
    if (!id.ok) return id;
    const values = validateChanges('tasks', { sort_order: place.sort_order });
    if (!values.ok) return values;
    const expected = place.expected === undefined ? {} : { sort_order: place.expected };
    // As screens edit: what others move at the same time elsewhere is a conflict of one value, and settled as such.
    const expectation = checkExpected('tasks', { expected, merges: true });
    if (!expectation.ok) return invalid('bad_value', `places[${n}].expected`, expectation.error.message);
    const sort_order = Number(values.value.sort_order);
    given.push({ id: id.value, sort_order, expectation: expectation.value });
  }
  const [moved, ...others] = given;
  if (moved === undefined) return invalid('required', 'places', 'Give the place of at least one task.');
  return {
    ok: true,
    value: {
      target: { table: 'tasks', id: moved.id, field: 'places[0].id' },
      plan: async (before, context) => {
        const { id, workspace_id: workspaceId } = before;
        const changes: PlannedChange[] = [];
        for (const [n, place] of [moved, ...others].entries()) {
          const task = n === 0 ? before : await context.find('tasks', place.id);
          if (task?.workspace_id !== workspaceId) return noSuchRecord(`places[${n}].id`, 'tasks');
          const change = await changeOf(task, place, context);
          if (!change.ok) return change;
          changes.push(...change.value);
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

/** @returns none where it is there already */
async function changeOf(
  task: Task,
  { sort_order, expectation }: GivenPlace,
  context: PlanContext,
): Promise<Result<PlannedChange[], StaleError>> {
  const values = { sort_order };
  const expected = await requireExpected('tasks', task, expectation, values, context);
  if (!expected.ok) return expected;
  if (task.sort_order === sort_order) return ok([]);
  return ok([{ op: 'update', table: 'tasks', id: task.id, values, ...expected.value }]);
}
