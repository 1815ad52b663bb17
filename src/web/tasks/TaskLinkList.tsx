import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { Task } from '@/domain/entities';
import { routes } from '../routes';
import { StageBadge, StatusBadge } from '../ui/Badge';

/** Links to related tasks. */
export function TaskLinkList({
  tasks,
  action,
}: {
  tasks: readonly Task[];
  action?: (task: Task) => ReactNode;
}) {
  return (
    <ul className="rows">
      {tasks.map((task) => (
        <li key={task.id} className="task-link">
          <Link className="row-link" href={routes.task(task.id)}>
            <span className="row-title" dir="auto">
              {task.title}
            </span>
            <span className="facts">
              {task.key !== null && <span className="task-key">{task.key}</span>}
              <StageBadge stage={task.current_stage} />
              <StatusBadge status={task.status} />
            </span>
          </Link>
          {action?.(task)}
        </li>
      ))}
    </ul>
  );
}
