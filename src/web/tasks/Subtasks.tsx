import { useState } from 'react';
import type { TaskContext } from '@/domain/entities';
import { usePermissions } from '../hooks/usePermissions';
import { Icon } from '../ui/Icon';
import { ShowMore } from '../ui/ShowMore';
import { TaskDialog } from './TaskDialog';
import { TaskLinkList } from './TaskLinkList';

interface SubtasksProps {
  context: TaskContext;
  onMore: () => void;
}

/** The subtasks of a task. */
export function Subtasks({ context: { task, subtasks, left_out }, onMore }: SubtasksProps) {
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
      {subtasks.length === 0 && !left_out.subtasks ? (
        <p className="muted">None. Add some when the task is more than one step.</p>
      ) : (
        <TaskLinkList tasks={subtasks} />
      )}
      <ShowMore
        noun="subtasks"
        shown={subtasks.length}
        all={left_out.subtasks?.all ?? null}
        onMore={onMore}
      />
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
