import { Link } from 'wouter';
import type { Activity, Task, TaskContext } from '@/domain/entities';
import { useMembers } from '../hooks/useMembers';
import { useTaskActivityHistory } from '../hooks/useTaskActivityHistory';
import { Markdown } from '../markdown/Markdown';
import { routes } from '../routes';
import { ShowMore } from '../ui/ShowMore';
import { TimeAgo } from '../ui/TimeAgo';
import { activityText } from './activityText';
import { CommentBox } from './CommentBox';
import { ReverseButton } from './ReverseButton';

interface ActivityFeedProps {
  context: TaskContext;
  nameOf: (userId: string | null) => string;
  onMore: () => void;
}

/** The activity feed of a task, and the box that adds a comment. */
export function ActivityFeed({ context, nameOf, onMore }: ActivityFeedProps) {
  const { task } = context;
  const history = useTaskActivityHistory(context);
  const { members, initialOf } = useMembers(task.workspace_id);
  const kindOf = (id: string | null) => members.find((member) => member.user_id === id)?.kind ?? 'human';
  return (
    <section aria-labelledby="activity-title">
      <div className="section-title">
        <h2 id="activity-title">Activity</h2>
      </div>
      <CommentBox
        workspaceId={task.workspace_id}
        onSend={history.comment}
        isSending={history.isCommenting}
        error={history.error}
      />
      <ol className="feed">
        {history.activities.map((activity) => (
          <li key={activity.id}>
            <span className={`avatar avatar-${kindOf(activity.actor_id)}`} aria-hidden="true">
              {initialOf(activity.actor_id)}
            </span>
            <Entry activity={activity} task={task} nameOf={nameOf} />
          </li>
        ))}
      </ol>
      {history.total === 0 && <p className="muted">Nothing has happened yet. Write the first comment.</p>}
      <ShowMore
        noun="activities"
        shown={history.activities.length}
        all={history.total > history.activities.length ? history.total : null}
        onMore={onMore}
      />
    </section>
  );
}

interface EntryProps {
  activity: Activity;
  task: Task;
  nameOf: ActivityFeedProps['nameOf'];
}

function Entry({ activity, task, nameOf }: EntryProps) {
  const { sentence, quote, otherTask: taskId } = activityText(activity, nameOf);
  return (
    <div className="feed-entry">
      <p>
        <strong>{nameOf(activity.actor_id)}</strong> {sentence}
        {taskId && (
          <>
            {' '}
            <Link href={routes.task(taskId.id)}>{taskId.title}</Link>
          </>
        )}{' '}
        <span className="muted small">
          <TimeAgo time={activity.created_at} />
        </span>
      </p>
      {quote !== null && (
        <div className="feed-quote">
          <Markdown text={quote} />
        </div>
      )}
      {activity.activity_type === 'conflict_settled' && (
        <ReverseButton activity={activity} task={task} nameOf={nameOf} />
      )}
    </div>
  );
}
