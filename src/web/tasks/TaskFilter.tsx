import { TASK_STATUSES, type TaskStatus } from '@/domain/vocabulary';
import { TASK_STATUS_LABELS } from '../ui/labels';

interface TaskFilterProps {
  text: string;
  onText: (text: string) => void;
  status: TaskStatus | '';
  onStatus: (status: TaskStatus | '') => void;
  shown: number;
  total: number;
}

/** Filters the task list by title and status. */
export function TaskFilter({ text, onText, status, onStatus, shown, total }: TaskFilterProps) {
  return (
    <search className="filter" aria-label="Filter tasks">
      <input
        type="search"
        aria-label="Find by title"
        placeholder="Find by title"
        value={text}
        onChange={(event) => onText(event.target.value)}
      />
      <select
        aria-label="Status"
        value={status}
        onChange={(event) => onStatus(event.target.value as TaskStatus | '')}
      >
        <option value="">Any status</option>
        {TASK_STATUSES.map((option) => (
          <option key={option} value={option}>
            {TASK_STATUS_LABELS[option]}
          </option>
        ))}
      </select>
      <span className="muted small" role="status">
        {shown === total
          ? `${total.toLocaleString('en')} in all`
          : `${shown} of ${total.toLocaleString('en')}`}
      </span>
    </search>
  );
}
