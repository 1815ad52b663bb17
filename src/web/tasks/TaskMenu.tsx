import { count } from '@/core/count';
import type { TaskContext } from '@/domain/entities';
import { deleteTask, getDeletions, restoreDeletion } from '@/lib/watermelon/contextService';
import { makeUndoable } from '../actions/undo';
import { usePermissions } from '../hooks/usePermissions';
import { describeError } from '../ui/errorText';
import { Menu } from '../ui/Menu';
import { toasts } from '../ui/toasts';

interface TaskMenuProps {
  context: TaskContext;
  onShowContext: () => void;
  /** The page is left before the task is gone. */
  onDelete: (work: () => Promise<void>) => void;
}

/** Actions that are seldom needed. */
export function TaskMenu({ context, onShowContext, onDelete }: TaskMenuProps) {
  const { task, left_out } = context;
  const subtasks = left_out.subtasks?.all ?? context.subtasks.length;
  const { whyNot } = usePermissions(task.workspace_id);
  const remove = async () => {
    try {
      const along = subtasks > 0 ? `, together with its ${count(subtasks, 'subtask')}` : '';
      await makeUndoable(`“${task.title}” is deleted${along}.`, async () => {
        await deleteTask(task.id);
        const deletions = await getDeletions(task.workspace_id);
        const deletion = deletions.find(({ entity_id }) => entity_id === task.id);
        return deletion ? () => restoreDeletion(deletion.id) : null;
      });
    } catch (error) {
      const { headline, detail } = describeError(error);
      toasts.add({
        title: `“${task.title}” is not deleted. ${headline}`,
        description: detail,
        priority: 'high',
      });
      throw error;
    }
  };
  return (
    <Menu
      label="More actions"
      groups={[
        [{ label: 'What the agent sees', icon: 'agent', onSelect: onShowContext }],
        [
          {
            label: 'Delete task',
            icon: 'trash',
            isDangerous: true,
            whyNot: whyNot('tasks', 'delete'),
            onSelect: () => onDelete(remove),
          },
        ],
      ]}
    />
  );
}
