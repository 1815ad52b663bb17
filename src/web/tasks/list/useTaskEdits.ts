import { useCallback } from 'react';
import type { TaskPlace } from '@/domain/taskBatches';
import type { TaskLine } from '@/lib/watermelon';
import { makeUndoable } from '../../actions/undo';
import { useDevice } from '../../hooks/useDevice';
import { useSaveEdit } from '../../hooks/useSaveEdit';
import { describeError } from '../../ui/errorText';
import { toasts } from '../../ui/toasts';

interface ToastAction {
  children: string;
  onClick: () => void;
}

export type Edit = Partial<
  Pick<TaskLine, 'title' | 'priority' | 'status' | 'assignee_id' | 'current_stage' | 'completion_date'>
>;

/** Saves edits that are made in the rows of a list, and offers to undo them. What fails is told in a toast. */
export function useTaskEdits() {
  const { contextService } = useDevice();
  const saveEdit = useSaveEdit();

  const edit = useCallback(
    /** @param onFailed in the toast that tells why it failed */
    async (task: TaskLine, changes: Edit, done: string, onFailed?: ToastAction): Promise<boolean> => {
      try {
        await makeUndoable(done, async () => {
          await saveEdit('tasks', task, changes);
          // Other columns may have followed, and the undo is for what the edit has made of the task.
          const after = await contextService.getLocalTask(task.id);
          return after && (() => saveEdit('tasks', after, before(task, changes)));
        });
        return true;
      } catch (error) {
        tellFailure('This was not saved.', error, onFailed);
        return false;
      }
    },
    [contextService, saveEdit],
  );

  /** Moves a task past human checkpoints. @returns the error; null: it worked */
  const jump = useCallback(
    async (task: TaskLine, current_stage: string, reason: string): Promise<unknown> => {
      try {
        await saveEdit('tasks', task, { current_stage }, { reason });
        return null;
      } catch (error) {
        return error;
      }
    },
    [saveEdit],
  );

  /** @param places each with where it was seen, to which undo brings it back unless somebody has moved it since */
  const order = useCallback(
    async (task: TaskLine, places: readonly Required<TaskPlace>[]) => {
      try {
        await makeUndoable(`“${task.title}” is moved.`, async () => {
          await contextService.orderTasks(places.map(({ id, sort_order }) => ({ id, sort_order })));
          const back = places.map((place) => ({
            id: place.id,
            sort_order: place.expected,
            expected: place.sort_order,
          }));
          return () => contextService.orderTasks(back);
        });
      } catch (error) {
        tellFailure('The task was not moved.', error);
      }
    },
    [contextService],
  );

  return { edit, jump, order };
}

export function tellFailure(what: string, error: unknown, action?: ToastAction): void {
  const { headline, detail } = describeError(error);
  const title = `${what} ${headline}`;
  toasts.add({ title, description: detail, priority: 'high', ...(action && { actionProps: action }) });
}

/** @returns the values that an edit has changed, with those that follow from them */
function before(task: TaskLine, changes: Edit): Edit {
  const previous: Edit = {};
  if ('title' in changes) previous.title = task.title;
  if ('priority' in changes) previous.priority = task.priority;
  if ('assignee_id' in changes) previous.assignee_id = task.assignee_id;
  if ('current_stage' in changes) previous.current_stage = task.current_stage;
  if ('current_stage' in changes || 'status' in changes) {
    previous.status = task.status;
    previous.completion_date = task.completion_date;
  }
  return previous;
}
