import { memo, useDeferredValue, useMemo, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { Task } from '@/domain/entities';
import { containsText } from '@/domain/search';
import type { TaskStatus } from '@/domain/vocabulary';
import type { Observed } from '@/lib/watermelon';
import { routes } from '../routes';
import { PriorityBadge, StageBadge, StatusBadge } from '../ui/Badge';
import { EmptyState } from '../ui/EmptyState';
import { SyncMark } from '../ui/SyncMark';
import { useRowHeight } from '../ui/useRowHeight';
import { useWindowedRows } from '../ui/useWindowedRows';
import { TaskFilter } from './TaskFilter';
import { type TreeRow, taskTree } from './taskTree';

type ListedTask = Observed<Task>;

/** The tasks of a milestone. Only the rows in view are rendered, so thousands of tasks cost as little as a screenful. */
export function TaskList({ tasks }: { tasks: ListedTask[] }) {
  const [text, setText] = useState('');
  const [status, setStatus] = useState<TaskStatus | ''>('');
  const query = useDeferredValue(text).trim();
  const rows = useMemo(() => {
    if (query === '' && status === '') return taskTree(tasks);
    const fits = (task: Task) => (status === '' || task.status === status) && containsText(task.title, query);
    return taskTree(tasks.filter(fits));
  }, [tasks, query, status]);

  if (tasks.length === 0) {
    return (
      <EmptyState title="No tasks yet.">
        <p>Press New task to say what has to be done first.</p>
      </EmptyState>
    );
  }
  return (
    <>
      <TaskFilter
        text={text}
        onText={setText}
        status={status}
        onStatus={setStatus}
        shown={rows.length}
        total={tasks.length}
      />
      {rows.length === 0 ? (
        <EmptyState title="No task matches.">
          <button
            type="button"
            className="button"
            onClick={() => {
              setText('');
              setStatus('');
            }}
          >
            Show all tasks
          </button>
        </EmptyState>
      ) : (
        <Rows rows={rows} />
      )}
    </>
  );
}

function Rows({ rows }: { rows: TreeRow<ListedTask>[] }) {
  const list = useRef<HTMLUListElement>(null);
  const height = useRowHeight();
  const { first, end } = useWindowedRows(list, rows.length, height);
  return (
    <div className="task-rows">
      <div className="task-columns" aria-hidden="true">
        <span>Task</span>
        <span>Stage</span>
        <span>Status</span>
        <span>Priority</span>
      </div>
      <ul ref={list} style={{ paddingTop: first * height, paddingBottom: (rows.length - end) * height }}>
        {rows.slice(first, end).map(({ task, depth }, index) => (
          <TaskRow key={task.id} task={task} depth={depth} position={first + index + 1} of={rows.length} />
        ))}
      </ul>
    </div>
  );
}

interface TaskRowProps {
  task: ListedTask;
  depth: number;
  position: number;
  of: number;
}

const TaskRow = memo(function TaskRow({ task, depth, position, of }: TaskRowProps) {
  return (
    <li aria-setsize={of} aria-posinset={position}>
      <Link className={`task-row task-${task.status}`} href={routes.task(task.id)}>
        <span className="task-title" style={{ paddingInlineStart: `${Math.min(depth, 6) * 1.25}rem` }}>
          {depth > 0 && <span className="visually-hidden">Subtask: </span>}
          <span className="task-name">{task.title}</span>
          <SyncMark sync={task.sync} />
        </span>
        <span className="task-facts">
          <StageBadge stage={task.current_stage} />
          <StatusBadge status={task.status} />
          <PriorityBadge priority={task.priority} />
        </span>
      </Link>
    </li>
  );
});
