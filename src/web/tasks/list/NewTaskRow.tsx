import { type FormEvent, type KeyboardEvent, type RefObject, useState } from 'react';
import { useDevice } from '../../hooks/useDevice';
import { ErrorNote } from '../../ui/ErrorNote';
import { Icon } from '../../ui/Icon';
import { useAction } from '../../ui/useAction';
import styles from './NewTaskRow.module.css';
import { newTaskDraft } from './newTaskDraft';

interface NewTaskRowProps {
  /** Names the list whose draft it is. */
  list: string;
  /** Where the task comes to be, in words. */
  place: string;
  input: RefObject<HTMLInputElement | null>;
  /** @param another whether the row stays open */
  onCreate: (title: string, another: boolean) => Promise<void>;
  onClose: () => void;
}

/** The row in which the title of a new task is typed. */
export function NewTaskRow({ list, place, input, onCreate, onClose }: NewTaskRowProps) {
  const { userId } = useDevice();
  const [title, setTitle] = useState(() => newTaskDraft.read(userId, list));
  const [isAnother, setAnother] = useState(false);
  const creating = useAction(async () => {
    await onCreate(title.trim(), isAnother);
    write('');
  });
  const write = (typed: string) => {
    setTitle(typed);
    newTaskDraft.keep(userId, list, typed);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (creating.isRunning) return;
    void creating.run().then(() => input.current?.focus());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Escape') onClose();
  };
  return (
    <form className={styles.form} aria-label="New task" onSubmit={submit} onKeyDown={onKeyDown} noValidate>
      <div className={styles.line}>
        <input
          ref={input}
          // biome-ignore lint/a11y/noAutofocus: the person has just asked for the row
          autoFocus
          type="text"
          aria-label="Title"
          placeholder="What has to be done?"
          required
          maxLength={500}
          dir="auto"
          value={title}
          onChange={(event) => write(event.target.value)}
        />
        <button type="submit" className="button primary" aria-disabled={creating.isRunning}>
          Create task
        </button>
        <button
          type="button"
          className="button quiet square"
          aria-label="Close, and keep the title as a draft"
          onClick={onClose}
        >
          <Icon name="close" />
        </button>
      </div>
      <div className={styles.hints}>
        <span className="muted">{place}</span>
        <label className={styles.another}>
          <input type="checkbox" checked={isAnother} onChange={(event) => setAnother(event.target.checked)} />
          Create another
        </label>
      </div>
      <ErrorNote error={creating.error} consequence="The task was not created." />
    </form>
  );
}
