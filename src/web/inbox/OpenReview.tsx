import { useEffect, useRef, useState } from 'react';
import type { Task } from '@/domain/entities';
import { REVIEW_LIMITS, type Review } from '@/domain/reviews';
import { usePageActions } from '../actions/pageActions';
import { usePeople } from '../hooks/usePeople';
import { usePermissions } from '../hooks/usePermissions';
import { useReview } from '../hooks/useReview';
import { Markdown } from '../markdown/Markdown';
import { TextDifference } from '../shared/TextDifference';
import { useReason } from '../shared/useReason';
import { ReviewFacts } from '../tasks/ReviewFacts';
import { ErrorNote } from '../ui/ErrorNote';
import { Field } from '../ui/Field';
import { stageLabel } from '../ui/labels';
import { TimeAgo } from '../ui/TimeAgo';
import { toasts } from '../ui/toasts';
import { openFocused } from './focusedRow';
import styles from './panes.module.css';
import { whileSent } from './typedText';

/** ms between the moment a request is painted and the first key that settles it: a key pressed twice settles one. */
const SHOWN_MS = 400;

interface OpenReviewProps {
  /** Of the item, as addresses have it. */
  name: string;
  task: Task;
  /** The newest request, as the inbox knows it now. */
  newest: string;
  /** It was settled elsewhere while the person wrote. */
  hasEnded: boolean;
  onShowNewest: () => void;
}

/**
 * A request for review as it was when the person opened it, with Approve (A) and Send back (R). Another request, or another text of
 * the task, that comes meanwhile is told, and neither key does anything until it was shown.
 */
export function OpenReview({ name: item, task, newest, hasEnded, onShowNewest }: OpenReviewProps) {
  const [seen] = useState(task);
  const reviewing = useReview(seen);
  const { review, isRunning, error } = reviewing;
  const { nameOf } = usePeople();
  const { passesCheckpoints } = usePermissions(task.workspace_id);
  const [request] = useState(newest);
  const kept = useReason(task.id, request);
  const [isOpened, setOpened] = useState(kept.text !== '');
  const reason = isOpened ? kept.text : null;
  const field = useRef<HTMLTextAreaElement>(null);
  const isShown = useIsShown(review);
  const isSettled = hasEnded || (review != null && review.state !== 'open');
  const hasChanged = review != null && (review.id !== newest || isSettled || textOf(seen) !== textOf(task));
  const isSettleable =
    passesCheckpoints && review != null && !hasChanged && !review.text_changed && !isRunning;
  const canSettle = isShown && isSettleable;
  // Buttons that act in a moment do not flicker from item to item.
  const button = {
    type: 'button',
    'aria-disabled': !canSettle,
    'data-soon': isSettleable || undefined,
  } as const;
  const name = task.key ?? `“${task.title}”`;

  const isOpen = useRef(true);
  useEffect(() => {
    isOpen.current = true;
    return () => {
      isOpen.current = false;
    };
  }, []);
  const tell = (isDone: boolean, told: string) => {
    if (isDone) toasts.add({ title: told });
    // Else it says so by itself.
    else if (!isOpen.current)
      toasts.add({ title: `${name} could not be settled. Open it again to see why.`, priority: 'high' });
  };
  const beginReason = () => {
    if (!canSettle) return;
    setOpened(true);
    // It is rendered by then.
    requestAnimationFrame(() => field.current?.focus());
  };
  const approve = async () => {
    // Neither by a key while a reason against it is open.
    if (!canSettle || !review || reason !== null) return;
    tell(await reviewing.approve(review.id), `${name} is approved.`);
  };
  const sendBack = async () => {
    if (!canSettle || !review || reason === null || reason.trim() === '') return;
    const isDone = await whileSent(item, () => reviewing.returnIt(review.id, reason.trim()));
    if (isDone) kept.remove();
    tell(isDone, `${name} is sent back.`);
  };
  usePageActions([
    { label: 'Approve', keys: 'a', run: () => openFocused() || void approve() },
    { label: 'Send back', keys: 'r', run: () => openFocused() || beginReason() },
  ]);

  if (review === undefined) return null;
  if (review === null) return <p className="muted">The request is not on this device yet.</p>;
  return (
    <>
      <p>
        <strong>{nameOf(review.requested_by)}</strong> asks for a review at {stageLabel(review.stage)}{' '}
        <span className="muted small">
          <TimeAgo time={review.requested_at} />
        </span>
      </p>
      {hasChanged && (
        <p className="note" role="alert">
          <span>
            {isSettled
              ? reason
                ? 'This request has been answered while you wrote. Your text stays here until you remove it or go on: copy what you need.'
                : 'This request has been answered.'
              : review.id === newest
                ? 'The text of the task has changed while this was open.'
                : 'A newer request has come in while this was open.'}
          </span>
          {!hasEnded && (
            <button type="button" className="button" onClick={onShowNewest}>
              Show it
            </button>
          )}
        </p>
      )}
      {!hasChanged && review.text_changed && (
        <p className="note" role="note">
          <span>
            The text of the task has changed since the request. Read it again, and ask for a new request.
          </span>
        </p>
      )}
      <ReviewText review={review} />
      {kept.older !== null && (
        <OlderReason
          text={kept.older}
          onTake={() => {
            kept.takeOlder();
            setOpened(true);
          }}
          onDiscard={kept.remove}
        />
      )}
      {passesCheckpoints ? (
        <>
          {reason !== null && (
            <Field label="What is missing?">
              {(control) => (
                <textarea
                  {...control}
                  ref={field}
                  rows={3}
                  maxLength={REVIEW_LIMITS.reason}
                  dir="auto"
                  value={reason}
                  onChange={({ target }) => kept.write(target.value)}
                  onKeyDown={(event) => {
                    if (event.nativeEvent.isComposing) return;
                    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void sendBack();
                    if (event.key === 'Escape') event.currentTarget.blur();
                  }}
                />
              )}
            </Field>
          )}
          <ErrorNote error={error} />
          <div className="actions">
            {reason === null ? (
              <>
                <button {...button} className="button primary" onClick={() => void approve()}>
                  Approve
                </button>
                <button {...button} className="button" onClick={beginReason}>
                  Send back…
                </button>
              </>
            ) : (
              <>
                <button
                  type="button"
                  className="button primary"
                  aria-disabled={!canSettle || reason.trim() === ''}
                  onClick={() => void sendBack()}
                >
                  Send back
                </button>
                <button
                  type="button"
                  className="button"
                  onClick={() => {
                    setOpened(false);
                    kept.remove();
                  }}
                >
                  {reason === '' ? 'Cancel' : 'Discard the reason'}
                </button>
              </>
            )}
          </div>
        </>
      ) : (
        <p className="muted">Owners and editors who are people approve this.</p>
      )}
    </>
  );
}

const textOf = ({ title, description }: Task) => JSON.stringify([title, description]);

/** Whether a person can have seen it: a key that was pressed while it came up, or twice, approves nothing. */
function useIsShown(review: Review | null | undefined): boolean {
  const [shown, setShown] = useState<Review | null>(null);
  useEffect(() => {
    if (!review) return;
    let timer: ReturnType<typeof setTimeout>;
    const frame = requestAnimationFrame(() => {
      timer = setTimeout(() => setShown(review), SHOWN_MS);
    });
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }, [review]);
  return review != null && shown === review;
}

function ReviewText({ review }: { review: Review }) {
  const { text, previous } = review;
  const [showsDifference, setShowsDifference] = useState(false);
  return (
    <>
      {showsDifference && previous ? (
        <TextDifference before={previous.text} after={text} />
      ) : (
        <div className={styles.text}>
          <Markdown text={text} />
        </div>
      )}
      {previous && (
        <label className={styles.toggle}>
          <input
            type="checkbox"
            checked={showsDifference}
            onChange={({ target }) => setShowsDifference(target.checked)}
          />
          <span>
            Show what differs from the request of <TimeAgo time={previous.requested_at} />
          </span>
        </label>
      )}
      <ReviewFacts review={review} previous={previous} />
    </>
  );
}

interface OlderReasonProps {
  text: string;
  onTake: () => void;
  onDiscard: () => void;
}

/** A reason that the person has written about another request of the task. */
function OlderReason({ text, onTake, onDiscard }: OlderReasonProps) {
  return (
    <p className="note" role="note">
      <span dir="auto">You had written about an earlier request: “{text}”</span>
      <button type="button" className="button" onClick={onTake}>
        Use it for this one
      </button>
      <button type="button" className="button quiet" onClick={onDiscard}>
        Discard
      </button>
    </p>
  );
}
