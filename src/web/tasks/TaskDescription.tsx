import { useRef } from 'react';
import type { Task } from '@/domain/entities';
import { usePageActions } from '../actions/pageActions';
import { Markdown } from '../markdown/Markdown';
import { MarkdownEditor } from '../shared/editor/MarkdownEditor';
import { Icon } from '../ui/Icon';
import { afterPress } from './afterPress';
import { InPlaceNotes, LeftOverNote } from './InPlaceNotes';
import styles from './TaskDescription.module.css';
import { type InPlace, useInPlace } from './useInPlace';

/** The description of a task; it is edited by a click, by the button or by D. */
export function TaskDescription({ task, isReadOnly }: { task: Task; isReadOnly: boolean }) {
  const editing = useInPlace(task, 'description');
  usePageActions(
    isReadOnly ? [] : [{ group: 'Task', label: 'Edit the description', keys: 'd', run: editing.open }],
  );
  const isShown = editing.text === null;
  return (
    <section aria-labelledby="description-title" className={styles.section}>
      <div className="section-title">
        <h2 id="description-title">Description</h2>
        {isShown && !isReadOnly && (
          <button
            type="button"
            className="button quiet"
            aria-label="Edit description"
            title="Edit description (D)"
            onClick={editing.open}
          >
            <Icon name="edit" />
            Edit
          </button>
        )}
      </div>
      {isShown ? (
        <Shown task={task} onEdit={isReadOnly ? null : editing.open} />
      ) : (
        <Editor editing={editing} />
      )}
      {!isReadOnly && <LeftOverNote editing={editing} what="description" />}
    </section>
  );
}

function Shown({ task, onEdit }: { task: Task; onEdit: (() => void) | null }) {
  if (!task.description) {
    return (
      <p className="muted">
        Nothing is written here yet.{' '}
        {onEdit && (
          <button type="button" className="link-button" onClick={onEdit}>
            Say what has to be done
          </button>
        )}
      </p>
    );
  }
  if (onEdit === null) return <Markdown text={task.description} />;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the button above it and D do the same
    // biome-ignore lint/a11y/useKeyWithClickEvents: the button above it and D do the same
    <div
      className={styles.editable}
      onClick={({ target }) => {
        const isLink = target instanceof Element && target.closest('a') !== null;
        // A person who marks a text wants to copy it.
        if (!isLink && getSelection()?.isCollapsed !== false) onEdit();
      }}
    >
      <Markdown text={task.description} />
    </div>
  );
}

function Editor({ editing }: { editing: InPlace }) {
  const frame = useRef<HTMLDivElement>(null);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only listens to where the focus goes
    <div
      ref={frame}
      className={styles.editor}
      onBlur={({ relatedTarget }) => {
        // Another window takes no part in this page.
        if (!document.hasFocus() || frame.current?.contains(relatedTarget)) return;
        afterPress(() => void editing.save());
      }}
    >
      <MarkdownEditor
        label="Description"
        value={editing.text ?? ''}
        onChange={editing.type}
        onSave={() => void editing.save()}
        onCancel={editing.leave}
        isHigh
        takesFocus
      />
      {/* A press takes the focus not away: in Safari it would go nowhere, and Cancel would save. */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: it only keeps the focus where it is */}
      <div className={styles.buttons} onMouseDown={(event) => event.preventDefault()}>
        <button type="button" className="button primary" onClick={() => void editing.save()}>
          Save
        </button>
        <button type="button" className="button" onClick={editing.leave}>
          Cancel
        </button>
        <span className="muted small">Markdown. Ctrl or ⌘ Enter saves, Esc keeps it as a draft.</span>
      </div>
      <InPlaceNotes editing={editing} what="description" />
    </div>
  );
}
