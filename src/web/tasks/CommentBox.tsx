import { type FormEvent, useId, useState } from 'react';
import { usePermissions } from '../hooks/usePermissions';
import { ErrorNote } from '../ui/ErrorNote';

interface CommentBoxProps {
  workspaceId: string;
  onSend: (text: string) => Promise<boolean>;
  isSending: boolean;
  error: unknown;
}

/** Adds a comment to the feed. */
export function CommentBox({ workspaceId, onSend, isSending, error }: CommentBoxProps) {
  const [text, setText] = useState('');
  const id = useId();
  const why = usePermissions(workspaceId).whyNot('activity_feed', 'insert');
  const isEmpty = text.trim() === '';

  const send = async (event?: FormEvent) => {
    event?.preventDefault();
    if (isEmpty || isSending) return;
    if (await onSend(text.trim())) setText('');
  };
  return (
    <form className="comment-box" onSubmit={(event) => void send(event)}>
      <label className="visually-hidden" htmlFor={id}>
        Comment
      </label>
      <textarea
        id={id}
        rows={2}
        maxLength={20_000}
        placeholder={why ?? 'Write a comment'}
        value={text}
        disabled={why !== null}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void send();
        }}
      />
      <button type="submit" className="button" disabled={why !== null || isEmpty || isSending}>
        Comment
      </button>
      <ErrorNote error={error} />
    </form>
  );
}
