import { useState } from 'react';
import type { Task } from '@/domain/entities';
import { REVIEW_LIMITS, type Review } from '@/domain/reviews';
import { useMembers } from '../hooks/useMembers';
import { useReview } from '../hooks/useReview';
import { Markdown } from '../markdown/Markdown';
import { useDraft } from '../shared/useDraft';
import { useReason } from '../shared/useReason';
import { Dialog } from '../ui/Dialog';
import { ErrorNote } from '../ui/ErrorNote';
import { Field } from '../ui/Field';
import { FormDialog } from '../ui/FormDialog';
import { stageLabel } from '../ui/labels';
import { TimeAgo } from '../ui/TimeAgo';
import { ReviewFacts } from './ReviewFacts';

interface CheckpointDialogProps {
  task: Task;
  /** The stage that the person chose. */
  stage: string;
  /** The human checkpoints on the way there. */
  passes: readonly string[];
  /** Moves the task past them without an approval. */
  onJump: (stage: string, reason: string) => Promise<boolean>;
  jumpError: unknown;
  onClose: () => void;
}

/** Asks a person who moves a task past a human checkpoint: about the request for review, or, without one, for a reason. */
export function CheckpointDialog(props: CheckpointDialogProps) {
  const { stage, passes, onClose } = props;
  // The person agrees to the text that the page had when they asked for this.
  const [task] = useState(props.task);
  const reviewing = useReview(task);
  const { review } = reviewing;
  if (review === undefined) return null;
  const isAsked =
    review?.state === 'open' && review.stage === task.current_stage && passes.includes(review.stage);
  if (!isAsked || review === null) return <JumpDialog {...props} />;
  return <ReviewDialog review={review} reviewing={reviewing} task={task} stage={stage} onClose={onClose} />;
}

interface ReviewDialogProps {
  review: Review;
  reviewing: ReturnType<typeof useReview>;
  task: Task;
  stage: string;
  onClose: () => void;
}

function ReviewDialog({ review, reviewing, task, stage, onClose }: ReviewDialogProps) {
  const kept = useReason(task.id, review.id);
  const [isReturning, setReturning] = useState(kept.text !== '');
  const reason = isReturning ? kept.text : null;
  const { nameOf } = useMembers(task.workspace_id);
  const { isRunning, error } = reviewing;
  const close = async (done: Promise<boolean>) => {
    if (await done) onClose();
  };
  const sendBack = async (why: string) => {
    const done = reviewing.returnIt(review.id, why);
    if (await done) kept.remove();
    await close(done);
  };
  return (
    <Dialog title={`Review: ${stageLabel(review.stage)}`} onClose={onClose}>
      <p>
        <strong>{nameOf(review.requested_by)}</strong> asks for a review{' '}
        <span className="muted small">
          <TimeAgo time={review.requested_at} />
        </span>
      </p>
      <div className="feed-quote review-text">
        <Markdown text={review.text} />
      </div>
      <ReviewFacts review={review} />
      {review.text_changed && (
        <p className="note" role="note">
          <span>The text of the task has changed since. Read it again, and ask for a new request.</span>
        </p>
      )}
      {reason !== null && (
        <Field label="What is missing?">
          {(control) => (
            <textarea
              {...control}
              rows={3}
              maxLength={REVIEW_LIMITS.reason}
              value={reason}
              onChange={({ target }) => kept.write(target.value)}
            />
          )}
        </Field>
      )}
      <ErrorNote error={error} />
      <div className="actions">
        {reason === null ? (
          <>
            <button
              type="button"
              className="button primary"
              aria-disabled={isRunning || review.text_changed}
              onClick={() => {
                if (!isRunning && !review.text_changed) void close(reviewing.approve(review.id, stage));
              }}
            >
              Approve and move to {stageLabel(stage)}
            </button>
            <button type="button" className="button" onClick={() => setReturning(true)}>
              Send back…
            </button>
          </>
        ) : (
          <button
            type="button"
            className="button primary"
            aria-disabled={isRunning || reason.trim() === ''}
            onClick={() => {
              if (!isRunning && reason.trim() !== '') void sendBack(reason.trim());
            }}
          >
            Send back
          </button>
        )}
        {reason !== null && (
          <button
            type="button"
            className="button"
            onClick={() => {
              kept.remove();
              setReturning(false);
            }}
          >
            Discard the reason
          </button>
        )}
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}

function JumpDialog({ task, stage, passes, onJump, jumpError, onClose }: CheckpointDialogProps) {
  const kept = useDraft(task.id, 'reason to jump');
  const reason = kept.draft?.text ?? '';
  const [isRunning, setRunning] = useState(false);
  const [isTried, setTried] = useState(false);
  const names = passes.map(stageLabel).join(', ');
  return (
    <FormDialog
      title={`Move to ${stageLabel(stage)}`}
      submitLabel="Move it"
      fields={[
        {
          name: 'reason',
          label: 'Why without a review?',
          kind: 'prose',
          required: true,
          max: REVIEW_LIMITS.reason,
          hint: `Nobody has asked for a review at the human checkpoint ${names}. The reason is kept in the feed.`,
        },
      ]}
      values={{ reason }}
      onChange={(_name, value) => (value === '' ? kept.remove() : kept.write(value))}
      error={isTried ? jumpError : null}
      isRunning={isRunning}
      onSubmit={async () => {
        setRunning(true);
        const isDone = await onJump(stage, reason.trim());
        setTried(true);
        setRunning(false);
        if (!isDone) return;
        kept.remove();
        onClose();
      }}
      onClose={onClose}
    />
  );
}
