import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import type { Task, TaskContext } from '@/domain/entities';
import { addTaskDependency, removeTaskDependency } from '@/lib/watermelon/contextService';
import { usePermissions } from '../hooks/usePermissions';
import { useQuery } from '../hooks/useQuery';
import { ErrorNote } from '../ui/ErrorNote';
import { Icon } from '../ui/Icon';
import { byName } from '../ui/order';
import { ShowMore } from '../ui/ShowMore';
import { useAction } from '../ui/useAction';
import { TaskLinkList } from './TaskLinkList';
import { TaskSearch } from './TaskSearch';

interface DependenciesProps {
  context: TaskContext;
  onMore: () => void;
}

/** The tasks that this one depends on. */
export function Dependencies({ context: { task, dependencies, left_out }, onMore }: DependenciesProps) {
  return (
    <Related
      task={task}
      title="Depends on"
      question="What has to be done first?"
      add="Add dependency"
      remove={(other) => `Remove the dependency on ${other.title}`}
      none="No dependencies: this task can start at any time."
      tasks={dependencies}
      isAny={dependencies.length > 0 || left_out.dependencies !== undefined}
      onAdd={(id) => addTaskDependency(task.id, id)}
      onRemove={(id) => removeTaskDependency(task.id, id)}
    >
      <ShowMore
        noun="dependencies"
        shown={dependencies.length}
        all={left_out.dependencies?.all ?? null}
        onMore={onMore}
      />
    </Related>
  );
}

/** The tasks that depend on this one, as far as they are on this device. */
export function Blocks({ task }: { task: Task }) {
  const entries = useQuery('task_dependencies', { depends_on_task_id: task.id });
  const ids = (entries ?? []).map(({ task_id }) => task_id);
  const tasks = byTitle(useQuery('tasks', { id: ids }) ?? []);
  return (
    <Related
      task={task}
      title="Blocks"
      question="What has to wait for this task?"
      add="Add a task that waits"
      remove={(other) => `Remove ${other.title}, which waits for this task`}
      none="Nothing waits for this task."
      tasks={tasks}
      isAny={ids.length > 0}
      onAdd={(id) => addTaskDependency(id, task.id)}
      onRemove={(id) => removeTaskDependency(id, task.id)}
    />
  );
}

function byTitle<T extends Task>(tasks: readonly T[]): T[] {
  return byName(tasks.map((task) => ({ ...task, name: task.title })));
}

interface RelatedProps {
  task: Task;
  title: string;
  question: string;
  /** The button that opens the search. */
  add: string;
  /** Names the button that removes one of them. */
  remove: (other: Task) => string;
  none: string;
  tasks: readonly Task[];
  isAny: boolean;
  onAdd: (id: string) => Promise<unknown>;
  onRemove: (id: string) => Promise<unknown>;
  children?: ReactNode;
}

/** Tasks that wait for each other: one direction. */
function Related(props: RelatedProps) {
  const { task, title, question, add, remove, none, tasks, isAny, children } = props;
  const { whyNot } = usePermissions(task.workspace_id);
  const [isAdding, setAdding] = useState(false);
  const removing = useAction(props.onRemove);
  const adding = useAction(props.onAdd);
  const titleId = useId();
  const search = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (adding.error) search.current?.scrollIntoView({ block: 'nearest' });
  }, [adding.error]);
  const close = () => {
    setAdding(false);
    adding.clearError();
  };
  return (
    <section aria-labelledby={titleId}>
      <div className="section-title">
        <h2 id={titleId}>{title}</h2>
        <button
          type="button"
          className="button quiet"
          aria-label={add}
          aria-expanded={isAdding}
          disabled={whyNot('task_dependencies', 'insert') !== null}
          onClick={() => (isAdding ? close() : setAdding(true))}
        >
          <Icon name="plus" />
          Add
        </button>
      </div>
      {isAdding && (
        <div ref={search} className="related-search">
          <TaskSearch
            label={question}
            placeholder="Key, or part of the title"
            where={{ workspace_id: task.workspace_id }}
            exclude={[task.id, ...tasks.map(({ id }) => id)]}
            takesFocus
            onClose={close}
            onChoose={(chosen) => adding.run(chosen.id)}
          />
          <ErrorNote error={adding.error} />
        </div>
      )}
      {isAny ? (
        <TaskLinkList
          tasks={tasks}
          action={(other) => (
            <button
              type="button"
              className="button quiet"
              aria-label={remove(other)}
              disabled={whyNot('task_dependencies', 'delete') !== null || removing.isRunning}
              onClick={() => void removing.run(other.id)}
            >
              <Icon name="close" />
              <span className="wide-only">Remove</span>
            </button>
          )}
        />
      ) : (
        !isAdding && <p className="muted">{none}</p>
      )}
      {children}
      <ErrorNote error={removing.error} />
    </section>
  );
}
