import type { FormEvent } from 'react';
import type { Task } from '@/domain/entities';
import { useMembers } from '../hooks/useMembers';
import { MarkdownEditor } from '../shared/editor/MarkdownEditor';
import { useDraft } from '../shared/useDraft';
import { ErrorNote } from '../ui/ErrorNote';
import { useAction } from '../ui/useAction';
import styles from './FeedEntry.module.css';
import { mentionsIn } from './mentions';

interface TextFormProps {
  task: Task;
  /** Of the draft: the entry that the text belongs to. */
  recordId: string;
  field: string;
  label: string;
  initial: string;
  submitLabel: string;
  /** Takes the focus at once. Default true. */
  isFirst?: boolean;
  onSend: (text: string, mentions: string[]) => Promise<unknown>;
  /** Absent: it stays open. */
  onClose?: (() => void) | undefined;
}

/** Writes or edits a text of the feed. What is typed is a draft until it is sent or given up. */
export function TextForm(props: TextFormProps) {
  const { task, label, initial, isFirst = true, onClose } = props;
  const { members } = useMembers(task.workspace_id);
  const kept = useDraft(props.recordId, props.field);
  const text = kept.draft?.text ?? initial;
  const sending = useAction(props.onSend);
  const isEmpty = text.trim() === '';
  const send = async (event?: FormEvent) => {
    event?.preventDefault();
    if (isEmpty || sending.isRunning) return;
    if (text === initial || (await sending.run(text.trim(), mentionsIn(text, members)))) {
      kept.remove();
      onClose?.();
    }
  };
  return (
    <form className={styles.form} onSubmit={(event) => void send(event)}>
      <MarkdownEditor
        label={label}
        value={text}
        takesFocus={isFirst && onClose !== undefined}
        people={members.map(({ display_name }) => display_name)}
        onChange={(typed) => (typed === initial ? kept.remove() : kept.write(typed, initial))}
        onSave={() => void send()}
        {...(onClose && { onCancel: onClose })}
      />
      <div className={styles.buttons}>
        <button type="submit" className="button" aria-disabled={isEmpty || sending.isRunning}>
          {props.submitLabel}
        </button>
        {onClose && (
          <button type="button" className="button quiet" onClick={onClose}>
            Cancel
          </button>
        )}
        {kept.draft && (
          <button type="button" className="button quiet" onClick={kept.remove}>
            Discard
          </button>
        )}
      </div>
      <ErrorNote error={sending.error} />
    </form>
  );
}
