import type { TaskLine } from '@/lib/watermelon';
import styles from './TaskPreview.module.css';

/**
 * A task as the list from which somebody comes knows it, until it is read: a click shows at once that it was right. It can be
 * neither used nor read out, and gives way to the page within a few frames.
 */
export function TaskPreview({ task }: { task: TaskLine }) {
  return (
    <div className="page" aria-hidden="true" data-preview>
      <div className="page-header">
        <div className={styles.trail} />
        <div className={styles.key}>{task.key}</div>
        <div className={styles.title} dir="auto">
          {task.title}
        </div>
      </div>
    </div>
  );
}
