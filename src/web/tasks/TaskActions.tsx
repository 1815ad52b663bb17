import { useState } from 'react';
import { count } from '@/core/count';
import type { TaskContext } from '@/domain/entities';
import { deleteTask, getDeletions, restoreDeletion } from '@/lib/watermelon/contextService';
import { offerUndo } from '../actions/undo';
import { usePermissions } from '../hooks/usePermissions';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { Icon } from '../ui/Icon';
import { TaskDialog } from './TaskDialog';

interface TaskActionsProps {
  context: TaskContext;
  onDeleted: () => void;
}

/** The buttons that edit and delete a task, with their dialogs. */
export function TaskActions({ context, onDeleted }: TaskActionsProps) {
  const { task, left_out } = context;
  const subtasks = left_out.subtasks?.all ?? context.subtasks.length;
  const { whyNot } = usePermissions(task.workspace_id);
  const [open, setOpen] = useState<'edit' | 'delete' | null>(null);
  const close = () => setOpen(null);
  return (
    <div className="page-actions">
      <button
        type="button"
        className="button"
        aria-label="Edit task"
        disabled={whyNot('tasks', 'update') !== null}
        onClick={() => setOpen('edit')}
      >
        <Icon name="edit" />
        Edit
      </button>
      <button
        type="button"
        className="button quiet-danger"
        aria-label="Delete task"
        disabled={whyNot('tasks', 'delete') !== null}
        onClick={() => setOpen('delete')}
      >
        <Icon name="trash" />
        Delete
      </button>
      {open === 'edit' && <TaskDialog milestone={{ id: task.milestone_id }} task={task} onClose={close} />}
      {open === 'delete' && (
        <ConfirmDialog
          title="Delete this task?"
          confirmLabel="Delete task"
          onConfirm={async () => {
            await deleteTask(task.id);
            const deletions = await getDeletions(task.workspace_id);
            const deletion = deletions.find(({ entity_id }) => entity_id === task.id);
            onDeleted();
            if (deletion) offerUndo(`“${task.title}” is deleted.`, () => restoreDeletion(deletion.id));
          }}
          onClose={close}
        >
          <p>
            “{task.title}” is deleted for everybody
            {subtasks > 0 ? `, together with its ${count(subtasks, 'subtask')}` : ''}.
          </p>
        </ConfirmDialog>
      )}
    </div>
  );
}
