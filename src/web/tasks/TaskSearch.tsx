import { Combobox } from '@base-ui/react/combobox';
import { useId, useState } from 'react';
import type { Task } from '@/domain/entities';
import { containsText, isKeyTyped } from '@/domain/search';
import type { Where } from '@/lib/watermelon';
import { useFoundTasks } from '../hooks/useFoundTasks';
import { StageBadge } from '../ui/Badge';
import styles from './TaskSearch.module.css';

/** Tasks that are offered at once. */
const SHOWN = 8;

interface TaskSearchProps {
  label: string;
  placeholder: string;
  /** Limits the tasks to choose from. */
  where: Where & { workspace_id: string };
  exclude: readonly string[];
  /** @returns whether it was done: the search then begins anew */
  onChoose: (task: Task) => Promise<boolean>;
  /** Escape, where the list is closed. */
  onClose?: () => void;
  takesFocus?: boolean;
}

/** Finds a task by its key or part of its title, and chooses it by arrow keys or a click. */
export function TaskSearch(props: TaskSearchProps) {
  const { label, placeholder, where, exclude, onChoose, onClose, takesFocus = false } = props;
  const [text, setText] = useState('');
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const candidates = useFoundTasks({ text, where, most: SHOWN + 20, isAsked: isOpen });
  // Tasks that were found for the text of before go at once: an option that moves while it is clicked is not chosen.
  const fits = (task: Task) =>
    !exclude.includes(task.id) && (containsText(task.title, text) || isKeyTyped(task.key, text));
  const shown = candidates.filter(fits).slice(0, SHOWN);
  return (
    <Combobox.Root<Task>
      items={shown}
      filter={null}
      value={null}
      inputValue={text}
      open={isOpen}
      autoHighlight
      itemToStringLabel={({ title }) => title}
      onOpenChange={setOpen}
      onInputValueChange={setText}
      onValueChange={async (chosen) => {
        if (chosen && (await onChoose(chosen))) setText('');
      }}
    >
      <div className={styles.search}>
        <label className={styles.label} htmlFor={id}>
          {label}
        </label>
        <Combobox.Input
          id={id}
          className={styles.input}
          placeholder={placeholder}
          autoFocus={takesFocus}
          onKeyDown={(event) => {
            if (event.key !== 'Escape' || isOpen) return;
            event.preventDefault();
            onClose?.();
          }}
        />
      </div>
      <Combobox.Portal>
        <Combobox.Positioner className={styles.positioner} sideOffset={4} align="start">
          <Combobox.Popup className={styles.popup}>
            <Combobox.Empty className={styles.empty}>
              {text.trim() === ''
                ? 'No other task is here.'
                : 'No other task has this key or this in its title.'}
            </Combobox.Empty>
            <Combobox.List>
              {(task: Task) => (
                <Combobox.Item key={task.id} value={task} className={styles.item}>
                  <span className={styles.title} dir="auto">
                    {task.title}
                  </span>
                  <span className={styles.facts}>
                    {task.key && <span className={styles.key}>{task.key}</span>}
                    <StageBadge stage={task.current_stage} />
                  </span>
                </Combobox.Item>
              )}
            </Combobox.List>
          </Combobox.Popup>
        </Combobox.Positioner>
      </Combobox.Portal>
    </Combobox.Root>
  );
}
