import { useCallback } from 'react';
import type { Task } from '@/domain/entities';
import { makeUndoable } from '../actions/undo';
import { useSaveEdit } from './useSaveEdit';

/**
 * Saves what a person changed of a task, as `useSaveEdit` does, and offers to undo it. Undone is only what still has the value that
 * the person gave it.
 */
export function useTaskEdit() {
  const saveEdit = useSaveEdit();
  return useCallback(
    /** @param told what was done, in a sentence */
    async (seen: Task, changes: Partial<Task>, told: string): Promise<void> => {
      const before = Object.fromEntries(
        Object.keys(changes).map((column) => [column, seen[column as keyof Task]]),
      );
      await makeUndoable(told, async () => {
        await saveEdit('tasks', seen, changes);
        return () => saveEdit('tasks', { ...seen, ...changes }, before);
      });
    },
    [saveEdit],
  );
}
