import { useRef } from 'react';
import type { InboxMessage } from '@/domain/inbox';
import { usePageActions } from '../actions/pageActions';
import { useDevice } from '../hooks/useDevice';
import { useMembers } from '../hooks/useMembers';
import { usePeople } from '../hooks/usePeople';
import { usePermissions } from '../hooks/usePermissions';
import { useRecord } from '../hooks/useQuery';
import { Markdown } from '../markdown/Markdown';
import { useDraft } from '../shared/useDraft';
import { mentionsIn } from '../tasks/mentions';
import { ErrorNote } from '../ui/ErrorNote';
import { Field } from '../ui/Field';
import { TimeAgo } from '../ui/TimeAgo';
import { toasts } from '../ui/toasts';
import { useAction } from '../ui/useAction';
import { textInEntry } from './entryText';
import { openFocused } from './focusedRow';
import styles from './panes.module.css';
import { TaskLine } from './TaskLine';
import { whileSent } from './typedText';

/** Characters of a comment. */
const MOST = 20_000;

interface MessagePaneProps {
  /** Of the item, as addresses have it. */
  name: string;
  entry: InboxMessage;
  isQuestion: boolean;
  /** It waits no more: somebody else has seen to it, or the user elsewhere. */
  isSettled: boolean;
}

/** A question to the user, or a mention, with a box for the answer, which is a draft until it is sent. */
export function MessagePane({ name, entry, isQuestion, isSettled }: MessagePaneProps) {
  const { contextService } = useDevice();
  const { nameOf } = usePeople();
  const { task } = entry;
  const { members } = useMembers(task.workspace_id);
  const stored = useRecord('activity_feed', entry.id);
  const why = usePermissions(task.workspace_id).whyNot('activity_feed', 'insert');
  const kept = useDraft(isQuestion ? entry.id : task.id, isQuestion ? 'answer' : 'comment');
  const text = kept.draft?.text ?? '';
  const sending = useAction(async (sent: string) => {
    if (isQuestion) await contextService.answerQuestion(entry.id, sent);
    else {
      const mentions = mentionsIn(sent, members);
      await contextService.addComment(task.id, sent, mentions.length > 0 ? { mentions } : undefined);
    }
    toasts.add({
      title: isQuestion
        ? 'Your answer is in the feed of the task.'
        : 'Your comment is in the feed of the task.',
    });
  });
  const field = useRef<HTMLTextAreaElement>(null);
  usePageActions([
    {
      label: isQuestion ? 'Answer' : 'Comment',
      keys: 'r',
      run: () => openFocused() || field.current?.focus(),
    },
  ]);
  const isEmpty = text.trim() === '';
  const send = () => {
    if (isEmpty || sending.isRunning || why !== null) return;
    void whileSent(name, async () => {
      if (await sending.run(text.trim())) kept.remove();
    });
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
      {isSettled && (
        <p className="note" role="alert">
          <span>This does not wait for you any more. Your text stays here until you send or remove it.</span>
        </p>
      )}
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
              ref={field}
              rows={4}
              maxLength={MOST}
              dir="auto"
              value={text}
              readOnly={why !== null}
              onChange={({ target }) => (target.value === '' ? kept.remove() : kept.write(target.value))}
              onKeyDown={(event) => {
                if (event.nativeEvent.isComposing) return;
                if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
                if (event.key === 'Escape') event.currentTarget.blur();
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
