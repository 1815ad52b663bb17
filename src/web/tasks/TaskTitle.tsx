import { useRef } from 'react';
import type { Task } from '@/domain/entities';
import { nameOfTask } from '@/domain/keys';
import { usePageActions } from '../actions/pageActions';
import { Icon } from '../ui/Icon';
import { toasts } from '../ui/toasts';
import { afterPress } from './afterPress';
import { InPlaceNotes, LeftOverNote } from './InPlaceNotes';
import { oneLine } from './inPlaceText';
import styles from './TaskTitle.module.css';
import { type InPlace, useInPlace } from './useInPlace';

interface TaskTitleProps {
  task: Task;
  project: Parameters<typeof nameOfTask>[1];
  isReadOnly: boolean;
}

/** The key and the title of a task; the title is edited by a click, by the button or by E. */
export function TaskTitle({ task, project, isReadOnly }: TaskTitleProps) {
  const editing = useInPlace(task, 'title');
  usePageActions(
    isReadOnly ? [] : [{ group: 'Task', label: 'Edit the title', keys: 'e', run: editing.open }],
  );
  const name = nameOfTask(task, project);
  return (
    <div className={styles.title}>
      <KeyButton name={name} isDerived={task.key === null} />
      {editing.text === null ? (
        <div className={styles.shown}>
          {/* biome-ignore lint/a11y/useKeyWithClickEvents: the button beside it and E do the same */}
          <h1
            dir="auto"
            className={isReadOnly ? undefined : styles.editable}
            onClick={() => {
              if (!isReadOnly && getSelection()?.isCollapsed !== false) editing.open();
            }}
          >
            {task.title}
          </h1>
          {!isReadOnly && (
            <button
              type="button"
              className="button quiet square"
              aria-label="Edit title"
              title="Edit title (E)"
              onClick={editing.open}
            >
              <Icon name="edit" />
            </button>
          )}
        </div>
      ) : (
        <Input editing={editing} />
      )}
      {!isReadOnly && <LeftOverNote editing={editing} what="title" />}
    </div>
  );
}

function Input({ editing }: { editing: InPlace }) {
  const frame = useRef<HTMLDivElement>(null);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only listens to where the focus goes
    <div
      ref={frame}
      onBlur={({ relatedTarget }) => {
        // Another window takes no part in this page.
        if (!document.hasFocus() || frame.current?.contains(relatedTarget)) return;
        afterPress(() => void editing.save());
      }}
    >
      <textarea
        className={styles.input}
        aria-label="Title"
        dir="auto"
        rows={1}
        // biome-ignore lint/a11y/noAutofocus: it takes the place of what was clicked
        autoFocus
        value={editing.text ?? ''}
        onFocus={({ target }) => target.select()}
        onChange={({ target }) => editing.type(target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === 'Enter') void editing.save();
          else if (event.key === 'Escape') editing.leave();
          else return;
          event.preventDefault();
        }}
        onPaste={(event) => {
          const pasted = event.clipboardData.getData('text/plain');
          if (!/[\r\n]/.test(pasted)) return;
          event.preventDefault();
          const { selectionStart: from, selectionEnd: to, value } = event.currentTarget;
          editing.type(value.slice(0, from) + oneLine(pasted) + value.slice(to));
        }}
      />
      <InPlaceNotes editing={editing} what="title" />
    </div>
  );
}

function KeyButton({ name, isDerived }: { name: string; isDerived: boolean }) {
  return (
    <button
      type="button"
      className={`${styles.key} ${isDerived ? styles.derived : ''}`}
      aria-label={`Copy ${name}`}
      title="Copy the key"
      onClick={() => void copyText(name)}
    >
      {name}
      <Icon name="copy" />
    </button>
  );
}

/** Copies a text and says so. The clipboard is there on secure pages alone, and the browser may refuse it. */
async function copyText(text: string) {
  const isCopied = await navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  );
  toasts.add({
    title: isCopied ? `${text} is copied.` : `Your browser lets nothing be copied here: ${text}`,
  });
}
