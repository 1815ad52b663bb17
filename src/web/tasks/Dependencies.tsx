import { useState } from 'react';
import type { TaskContext } from '@/domain/entities';
import { addTaskDependency, removeTaskDependency } from '@/lib/watermelon/contextService';
import { usePermissions } from '../hooks/usePermissions';
import { Dialog } from '../ui/Dialog';
import { ErrorNote } from '../ui/ErrorNote';
import { Field } from '../ui/Field';
import { Icon } from '../ui/Icon';
import { ShowMore } from '../ui/ShowMore';
import { useAction } from '../ui/useAction';
import { TaskLinkList } from './TaskLinkList';
import { TaskPicker } from './TaskPicker';

interface DependenciesProps {
  context: TaskContext;
  onMore: () => void;
}

/** The tasks that this one depends on. */
export function Dependencies({ context: { task, dependencies, left_out }, onMore }: DependenciesProps) {
  const { whyNot } = usePermissions(task.workspace_id);
  const [isAdding, setAdding] = useState(false);
  const removing = useAction((id: string) => removeTaskDependency(task.id, id));
  const adding = useAction((id: string) => addTaskDependency(task.id, id));
  const close = () => {
    setAdding(false);
    adding.clearError();
  };
  return (
    <section aria-labelledby="dependencies-title">
      <div className="section-title">
        <h2 id="dependencies-title">Depends on</h2>
        <button
          type="button"
          className="button"
          disabled={whyNot('task_dependencies', 'insert') !== null}
          onClick={() => setAdding(true)}
        >
          <Icon name="link" />
          Add dependency
        </button>
      </div>
      {dependencies.length === 0 && !left_out.dependencies ? (
        <p className="muted">No dependencies: this task can start at any time.</p>
      ) : (
        <TaskLinkList
          tasks={dependencies}
          action={(dependsOn) => (
            <button
              type="button"
              className="button quiet"
              aria-label={`Remove the dependency on ${dependsOn.title}`}
              disabled={whyNot('task_dependencies', 'delete') !== null || removing.isRunning}
              onClick={() => void removing.run(dependsOn.id)}
            >
              <Icon name="close" />
              <span className="wide-only">Remove</span>
            </button>
          )}
        />
      )}
      <ShowMore
        noun="dependencies"
        shown={dependencies.length}
        all={left_out.dependencies?.all ?? null}
        onMore={onMore}
      />
      <ErrorNote error={removing.error} />
      {isAdding && (
        <Dialog title="Add a dependency" onClose={close}>
          <Field label="What has to be done first?">
            {({ id }) => (
              <TaskPicker
                id={id}
                where={{ workspace_id: task.workspace_id }}
                value=""
                suggests
                onChange={async (dependsOnId) => {
                  if (await adding.run(dependsOnId)) close();
                }}
                exclude={[task.id, ...dependencies.map((known) => known.id)]}
              />
            )}
          </Field>
          <ErrorNote error={adding.error} />
        </Dialog>
      )}
    </section>
  );
}
