import { useEffect, useState } from 'react';
import type { Task } from '@/domain/entities';
import { containsText } from '@/domain/search';
import { findTasks, type Where } from '@/lib/watermelon';
import { useDevice } from '../hooks/useDevice';
import { useRecord } from '../hooks/useQuery';
import { Icon } from '../ui/Icon';

const SHOWN = 6;

interface TaskPickerProps {
  id: string;
  /** Limits the tasks to choose from. */
  where: Where;
  /** The chosen task's id, or ''. */
  value: string;
  onChange: (id: string) => void;
  exclude: string[];
  /** Whether to show tasks before anything is typed. */
  suggests?: boolean;
}

/** Chooses a task by part of its title. */
export function TaskPicker({ id, where, value, onChange, exclude, suggests = false }: TaskPickerProps) {
  const { database } = useDevice();
  const chosen = useRecord('tasks', value);
  const [text, setText] = useState('');
  const [found, setFound] = useState<Task[]>([]);
  const scope = JSON.stringify(where);

  useEffect(() => {
    let isLatest = true;
    const among = JSON.parse(scope) as Where;
    void findTasks(database, text, among, SHOWN + 20).then((tasks) => {
      if (isLatest) setFound(tasks);
    });
    return () => {
      isLatest = false;
    };
  }, [database, text, scope]);

  if (value !== '') {
    return (
      <p className="picked">
        <span>{chosen?.title ?? 'A task that is not on this device'}</span>
        <button id={id} type="button" className="button quiet" onClick={() => onChange('')}>
          <Icon name="close" />
          Remove
        </button>
      </p>
    );
  }
  const isAsked = suggests || text.trim() !== '';
  // What was found for the text of before goes at once: an option that moves while it is clicked is not chosen.
  const fits = (task: Task) => !exclude.includes(task.id) && containsText(task.title, text);
  const shown = isAsked ? found.filter(fits).slice(0, SHOWN) : [];
  return (
    <div className="picker">
      <input
        id={id}
        type="search"
        placeholder="Part of the title"
        autoComplete="off"
        value={text}
        onChange={(event) => setText(event.target.value)}
        // Enter searches; it must not submit the surrounding form.
        onKeyDown={(event) => {
          if (event.key === 'Enter') event.preventDefault();
        }}
      />
      <ul aria-label="Tasks found" hidden={!isAsked}>
        {shown.map((task) => (
          <li key={task.id}>
            <button type="button" className="picker-option" onClick={() => onChange(task.id)}>
              {task.title}
            </button>
          </li>
        ))}
        {shown.length === 0 && <li className="muted small">No other task with this in its title.</li>}
      </ul>
    </div>
  );
}
