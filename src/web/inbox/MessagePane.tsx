import { useState } from 'react';
import type { InboxMessage } from '@/domain/inbox';
import { useDevice } from '../hooks/useDevice';
import { usePeople } from '../hooks/usePeople';
import { usePermissions } from '../hooks/usePermissions';
import { useRecord } from '../hooks/useQuery';
import { Markdown } from '../markdown/Markdown';
import { ErrorNote } from '../ui/ErrorNote';
import { Field } from '../ui/Field';
import { TimeAgo } from '../ui/TimeAgo';
import { toasts } from '../ui/toasts';
import { useAction } from '../ui/useAction';
import { textInEntry } from './entryText';
import styles from './panes.module.css';
import { TaskLine } from './TaskLine';

/** Characters of a comment. */
const MOST = 20_000;

/** A question to the user, or a mention, with a box for the answer. */
export function MessagePane({ entry, isQuestion }: { entry: InboxMessage; isQuestion: boolean }) {
  const { contextService } = useDevice();
  const { nameOf } = usePeople();
  const { task } = entry;
  const stored = useRecord('activity_feed', entry.id);
  const why = usePermissions(task.workspace_id).whyNot('activity_feed', 'insert');
  const [text, setText] = useState('');
  const sending = useAction(async () => {
    if (isQuestion) await contextService.answerQuestion(entry.id, text.trim());
    else await contextService.addComment(task.id, text.trim());
    toasts.add({
      title: isQuestion
        ? 'Your answer is in the feed of the task.'
        : 'Your comment is in the feed of the task.',
    });
  });
  const isEmpty = text.trim() === '';
  const send = () => {
    if (!isEmpty && !sending.isRunning && why === null) void sending.run();
  };

  return (
    <article className={styles.pane}>
      <TaskLine task={task} />
      <p>
        <strong>{nameOf(entry.author_id)}</strong> {isQuestion ? 'asks you' : 'mentioned you'}{' '}
        <span className="muted small">
          <TimeAgo time={entry.since} />
        </span>
      </p>
      <div className={styles.text}>
        {/* The inbox has the text in its newest form, cut; the entry has the whole of it, unless it was edited. */}
        <Markdown text={textInEntry(stored, entry.text)} />
      </div>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <Field label={isQuestion ? 'Your answer' : 'Your comment'} hint={why ?? undefined}>
          {(control) => (
            <textarea
              {...control}
              rows={4}
              maxLength={MOST}
              dir="auto"
              value={text}
              disabled={why !== null}
              onChange={({ target }) => setText(target.value)}
              onKeyDown={(event) => {
                if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
              }}
            />
          )}
        </Field>
        <ErrorNote error={sending.error} />
        <div className="actions">
          <button
            type="submit"
            className="button primary"
            aria-disabled={isEmpty || sending.isRunning || why !== null}
          >
            {isQuestion ? 'Answer' : 'Comment'}
          </button>
        </div>
      </form>
    </article>
  );
}
