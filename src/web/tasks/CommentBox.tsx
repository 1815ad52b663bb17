import { type FormEvent, useState } from 'react';
import type { Task } from '@/domain/entities';
import { usePageActions } from '../actions/pageActions';
import { useDevice } from '../hooks/useDevice';
import { useMembers } from '../hooks/useMembers';
import { usePermissions } from '../hooks/usePermissions';
import type { ActivityHistory } from '../hooks/useTaskActivityHistory';
import { MarkdownEditor } from '../shared/editor/MarkdownEditor';
import { useDraft } from '../shared/useDraft';
import { ErrorNote } from '../ui/ErrorNote';
import { useAction } from '../ui/useAction';
import styles from './CommentBox.module.css';
import { mentionsIn } from './mentions';

interface CommentBoxProps {
  task: Task;
  history: Pick<ActivityHistory, 'comment' | 'isCommenting' | 'error'>;
}

/** Adds a comment to the feed, or asks a member. What is typed is a draft until it is sent. */
export function CommentBox({ task, history }: CommentBoxProps) {
  const { userId, contextService } = useDevice();
  const { members } = useMembers(task.workspace_id);
  const [to, setTo] = useState('');
  const kept = useDraft(task.id, 'comment');
  const text = kept.draft?.text ?? '';
  const why = usePermissions(task.workspace_id).whyNot('activity_feed', 'insert');
  const asking = useAction(() => contextService.askQuestion(task.id, text.trim(), { to }));
  const others = members.filter(({ user_id }) => user_id !== userId);
  const isSending = history.isCommenting || asking.isRunning;
  const isEmpty = text.trim() === '';
  const [begun, setBegun] = useState(0);
  usePageActions(
    why === null
      ? [{ group: 'Task', label: 'Write a comment', keys: 'r', run: () => setBegun((before) => before + 1) }]
      : [],
  );

  const send = async (event?: FormEvent) => {
    event?.preventDefault();
    if (isEmpty || isSending || why !== null) return;
    const mentions = mentionsIn(text, members);
    const isSent = await (to === ''
      ? history.comment(text.trim(), mentions.length > 0 ? { mentions } : undefined)
      : asking.run());
    if (!isSent) return;
    kept.remove();
    setTo('');
  };
  return (
    <form className={styles.box} onSubmit={(event) => void send(event)}>
      <MarkdownEditor
        key={begun}
        label="Comment"
        placeholder={why ?? 'Write a comment; @ names a member'}
        value={text}
        isDisabled={why !== null}
        takesFocus={begun > 0}
        people={members.map(({ display_name }) => display_name)}
        onChange={(typed) => (typed === '' ? kept.remove() : kept.write(typed))}
        onSave={() => void send()}
      />
      <div className={styles.buttons}>
        <button type="submit" className="button" disabled={why !== null || isEmpty || isSending}>
          {to === '' ? 'Comment' : 'Ask'}
        </button>
        {others.length > 0 && why === null && (
          <select
            className={styles.kind}
            aria-label="As a comment, or as a question to"
            value={to}
            onChange={({ target }) => setTo(target.value)}
          >
            <option value="">as a comment</option>
            <optgroup label="as a question to">
              {others.map(({ user_id, display_name }) => (
                <option key={user_id} value={user_id}>
                  as a question to {display_name}
                </option>
              ))}
            </optgroup>
          </select>
        )}
        {!isEmpty && <span className="muted small">Ctrl or ⌘ Enter sends it. It is kept as a draft.</span>}
      </div>
      <ErrorNote error={history.error ?? asking.error} />
    </form>
  );
}
