import { type FormEvent, useState } from 'react';
import type { TaskContext } from '@/domain/entities';
import { createTask } from '@/lib/watermelon/contextService';
import { usePageActions } from '../actions/pageActions';
import { usePermissions } from '../hooks/usePermissions';
import { useCount } from '../hooks/useQuery';
import { useDraft } from '../shared/useDraft';
import { ErrorNote } from '../ui/ErrorNote';
import { Icon } from '../ui/Icon';
import { ShowMore } from '../ui/ShowMore';
import { useAction } from '../ui/useAction';
import styles from './Subtasks.module.css';
import { TaskLinkList } from './TaskLinkList';

interface SubtasksProps {
  context: TaskContext;
  onMore: () => void;
}

/** The subtasks of a task, how many are done, and a line that adds one. */
export function Subtasks({ context, onMore }: SubtasksProps) {
  const { task, subtasks, left_out } = context;
  const { whyNot } = usePermissions(task.workspace_id);
  const why = whyNot('tasks', 'insert');
  const kept = useDraft(task.id, 'subtask');
  const [isAdding, setAdding] = useState(kept.draft !== null);
  usePageActions(
    why === null ? [{ group: 'Task', label: 'Add a subtask', keys: 's', run: () => setAdding(true) }] : [],
  );
  return (
    <section aria-labelledby="subtasks-title">
      <div className="section-title">
        <h2 id="subtasks-title">Subtasks</h2>
        <Progress context={context} />
        <button
          type="button"
          className="button quiet"
          aria-label="Add subtask"
          aria-expanded={isAdding}
          title="Add subtask (S)"
          disabled={why !== null}
          onClick={() => setAdding(!isAdding)}
        >
          <Icon name="plus" />
          Add
        </button>
      </div>
      {subtasks.length > 0 || left_out.subtasks ? (
        <TaskLinkList tasks={subtasks} />
      ) : (
        !isAdding && <p className="muted">None. Add some when the task is more than one step.</p>
      )}
      <ShowMore
        noun="subtasks"
        shown={subtasks.length}
        all={left_out.subtasks?.all ?? null}
        onMore={onMore}
      />
      {isAdding && why === null && <NewSubtask context={context} onClose={() => setAdding(false)} />}
    </section>
  );
}

function Progress({ context: { task, subtasks, left_out } }: { context: TaskContext }) {
  const done = useCount('tasks', { parent_task_id: task.id, status: 'done' });
  const all = left_out.subtasks?.all ?? subtasks.length;
  if (all === 0 || done === undefined) return null;
  return (
    <span className={styles.progress}>
      <progress max={all} value={Math.min(done, all)} aria-label="Subtasks that are done" />
      <span className="muted small">
        {done.toLocaleString('en')} of {all.toLocaleString('en')} done
      </span>
    </span>
  );
}

/** The line stays for another one. What is typed is a draft until it is added. */
function NewSubtask({ context: { task }, onClose }: { context: TaskContext; onClose: () => void }) {
  const kept = useDraft(task.id, 'subtask');
  const title = kept.draft?.text ?? '';
  const adding = useAction(() =>
    createTask({
      title: title.trim(),
      milestone_id: task.milestone_id,
      parent_task_id: task.id,
    }),
  );
  const add = async (event: FormEvent) => {
    event.preventDefault();
    if (title.trim() === '' || adding.isRunning) return;
    if (await adding.run()) kept.remove();
  };
  return (
    <form className={styles.add} onSubmit={(event) => void add(event)}>
      <input
        aria-label="Title of the new subtask"
        placeholder="Title of the subtask"
        dir="auto"
        autoComplete="off"
        // biome-ignore lint/a11y/noAutofocus: it takes the place of the button that was pressed
        autoFocus
        value={title}
        onChange={({ target }) => (target.value === '' ? kept.remove() : kept.write(target.value))}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.preventDefault();
          onClose();
        }}
      />
      <button type="submit" className="button" aria-disabled={adding.isRunning || title.trim() === ''}>
        Add
      </button>
      <ErrorNote error={adding.error} />
    </form>
  );
}
