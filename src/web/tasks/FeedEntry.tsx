import { useState } from 'react';
import { Link } from 'wouter';
import type { Comment } from '@/domain/comments';
import type { Activity, Task } from '@/domain/entities';
import { placesOf } from '@/domain/reviews';
import { useDevice } from '../hooks/useDevice';
import { usePermissions } from '../hooks/usePermissions';
import { Markdown } from '../markdown/Markdown';
import { routes } from '../routes';
import { TextDifference } from '../shared/TextDifference';
import { useDraft } from '../shared/useDraft';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { CopyField } from '../ui/CopyField';
import { Menu } from '../ui/Menu';
import { TimeAgo } from '../ui/TimeAgo';
import { activityText } from './activityText';
import styles from './FeedEntry.module.css';
import { changedTexts } from './feedDifferences';
import { ReverseButton } from './ReverseButton';
import { ReviewFacts } from './ReviewFacts';
import { TextForm } from './TextForm';

interface FeedEntryProps {
  activity: Activity;
  /** Those of the feed, newest first: a request for review is shown against the one before it. */
  activities: readonly Activity[];
  /** Of a comment, a question or an answer: it, with its edits. */
  comment: Comment | null;
  task: Task;
  nameOf: (userId: string | null) => string;
}

/** One entry of the feed. */
export function FeedEntry({ activity, activities, comment, task, nameOf }: FeedEntryProps) {
  const [isEditing, setEditing] = useState(false);
  const { sentence, quote, otherTask } = activityText(activity, nameOf);
  const texts = changedTexts(activity, activities);
  const isOpen = activity.activity_type !== 'review_requested';
  // The difference says what the quote would.
  const isQuoted = texts.length === 0 || activity.activity_type !== 'conflict_settled';
  return (
    <div className="feed-entry">
      <div className={styles.head}>
        <p>
          <strong dir="auto">{nameOf(activity.actor_id)}</strong> {sentence}
          {otherTask && (
            <>
              {' '}
              <Link href={routes.task(otherTask.id)}>{otherTask.title}</Link>
            </>
          )}{' '}
          <span className="muted small">
            <TimeAgo time={activity.created_at} />
          </span>
        </p>
        {comment && !comment.is_deleted && (
          <CommentMenu comment={comment} task={task} onEdit={() => setEditing(true)} />
        )}
      </div>
      {isEditing && comment ? (
        <EditComment comment={comment} task={task} onClose={() => setEditing(false)} />
      ) : (
        quote !== null &&
        isQuoted && (
          <>
            <div className="feed-quote">
              <Markdown text={quote} />
            </div>
            {comment && !comment.is_deleted && <LeftOver comment={comment} onGoOn={() => setEditing(true)} />}
          </>
        )
      )}
      {activity.activity_type === 'review_requested' && <ReviewFacts review={placesOf(activity)} />}
      {texts.map(({ label, before, after }) => (
        <details key={label} className={styles.difference} open={isOpen}>
          <summary className="small">{label}</summary>
          <TextDifference before={before} after={after} />
        </details>
      ))}
      {activity.activity_type === 'conflict_settled' && (
        <ReverseButton activity={activity} task={task} nameOf={nameOf} />
      )}
      {comment?.kind === 'question' && !comment.is_deleted && !comment.is_answered && (
        <Answer comment={comment} task={task} />
      )}
      {comment?.kind === 'question' && comment.is_answered && <UnsentAnswer commentId={comment.id} />}
    </div>
  );
}

/** Its author edits a comment; they, or a human owner, delete it. */
function CommentMenu({ comment, task, onEdit }: { comment: Comment; task: Task; onEdit: () => void }) {
  const { userId, contextService } = useDevice();
  const [isAsked, setAsked] = useState(false);
  const { managesMembers, whyNot } = usePermissions(task.workspace_id);
  const isOwn = comment.author_id === userId && whyNot('activity_feed', 'insert') === null;
  if (!isOwn && !managesMembers) return null;
  return (
    <>
      <Menu
        label={`More about this ${comment.kind}`}
        className={`button quiet square ${styles.menu}`}
        groups={[
          isOwn ? [{ label: `Edit ${comment.kind}`, icon: 'edit', movesFocus: true, onSelect: onEdit }] : [],
          [
            {
              label: `Delete ${comment.kind}`,
              icon: 'trash',
              isDangerous: true,
              onSelect: () => setAsked(true),
            },
          ],
        ]}
      />
      {isAsked && (
        <ConfirmDialog
          title={`Delete this ${comment.kind}?`}
          confirmLabel={`Delete ${comment.kind}`}
          onConfirm={() => contextService.deleteComment(comment.id)}
          onClose={() => setAsked(false)}
        >
          <p>Its text is taken out of the feed for everybody, and cannot be brought back.</p>
        </ConfirmDialog>
      )}
    </>
  );
}

/** Says that a change of the comment was typed and not saved. */
function LeftOver({ comment, onGoOn }: { comment: Comment; onGoOn: () => void }) {
  const { draft } = useDraft(comment.id, 'text');
  if (draft === null) return null;
  return (
    <p className="muted small">
      You have typed a change of this {comment.kind} that is not saved.{' '}
      <button type="button" className="link-button" onClick={onGoOn}>
        Go on with it
      </button>
    </p>
  );
}

function EditComment({ comment, task, onClose }: { comment: Comment; task: Task; onClose: () => void }) {
  const { contextService } = useDevice();
  return (
    <TextForm
      task={task}
      recordId={comment.id}
      field="text"
      label={`Edit ${comment.kind}`}
      initial={comment.text}
      submitLabel="Save"
      onSend={(text, mentions) =>
        contextService.editComment(comment.id, text, comment.kind === 'comment' ? { mentions } : undefined)
      }
      onClose={onClose}
    />
  );
}

/** An answer that was typed while somebody else answered. */
function UnsentAnswer({ commentId }: { commentId: string }) {
  const { draft, remove } = useDraft(commentId, 'answer');
  if (draft === null) return null;
  return (
    <>
      <CopyField label="The answer that you typed and did not send" value={draft.text} />
      <button type="button" className="button quiet" onClick={remove}>
        Discard
      </button>
    </>
  );
}

function Answer({ comment, task }: { comment: Comment; task: Task }) {
  const { userId, contextService } = useDevice();
  const isAsked = comment.to === userId;
  const [isOpen, setOpen] = useState(isAsked);
  if (usePermissions(task.workspace_id).whyNot('activity_feed', 'insert') !== null) return null;
  if (!isOpen) {
    return (
      <button type="button" className="link-button small" onClick={() => setOpen(true)}>
        Answer
      </button>
    );
  }
  return (
    <TextForm
      task={task}
      recordId={comment.id}
      field="answer"
      label="Answer"
      initial=""
      submitLabel="Send the answer"
      isFirst={!isAsked}
      onSend={(text) => contextService.answerQuestion(comment.id, text)}
      onClose={isAsked ? undefined : () => setOpen(false)}
    />
  );
}
