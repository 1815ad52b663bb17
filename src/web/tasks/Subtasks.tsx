import { useState } from 'react';
import type { TaskContext } from '@/domain/entities';
import { usePermissions } from '../hooks/usePermissions';
import { Icon } from '../ui/Icon';
import { TaskDialog } from './TaskDialog';
import { TaskLinkList } from './TaskLinkList';

/** The subtasks of a task. */
export function Subtasks({ context: { task, subtasks } }: { context: TaskContext }) {
  const { whyNot } = usePermissions(task.workspace_id);
  const [isAdding, setAdding] = useState(false);
  return (
    <section aria-labelledby="subtasks-title">
      <div className="section-title">
        <h2 id="subtasks-title">Subtasks</h2>
        <button
          type="button"
          className="button"
          disabled={whyNot('tasks', 'insert') !== null}
          onClick={() => setAdding(true)}
        >
          <Icon name="plus" />
          Add subtask
        </button>
      </div>
      {subtasks.length === 0 ? (
        <p className="muted">None. Add some when the task is more than one step.</p>
      ) : (
        <TaskLinkList tasks={subtasks} />
      )}
      {isAdding && (
        <TaskDialog
          milestone={{ id: task.milestone_id }}
          parentId={task.id}
          onClose={() => setAdding(false)}
        />
      )}
    </section>
  );
}
