import { Link } from 'wouter';
import type { Task } from '@/domain/entities';
import { taskAddress } from '../routes';
import styles from './panes.module.css';

/** The task that an item is about, with a link to it. */
export function TaskLine({ task }: { task: Pick<Task, 'id' | 'key' | 'title'> }) {
  return (
    <h2 className={styles.task}>
      <Link href={taskAddress(task)}>
        {task.key !== null && <span className={styles.key}>{task.key}</span>}{' '}
        <span dir="auto">{task.title}</span>
      </Link>
    </h2>
  );
}
