import { useMemo } from 'react';
import { foldComments } from '@/domain/comments';
import type { TaskContext } from '@/domain/entities';
import { asDetails, idIn } from '@/domain/entries';
import { useMembers } from '../hooks/useMembers';
import { useTaskActivityHistory } from '../hooks/useTaskActivityHistory';
import { ShowMore } from '../ui/ShowMore';
import { CommentBox } from './CommentBox';
import { FeedEntry } from './FeedEntry';

interface ActivityFeedProps {
  context: TaskContext;
  nameOf: (userId: string | null) => string;
  onMore: () => void;
}

/** The activity feed of a task, and the box that adds a comment. */
export function ActivityFeed({ context, nameOf, onMore }: ActivityFeedProps) {
  const { task } = context;
  const history = useTaskActivityHistory(context);
  const { activities } = history;
  const { members, initialOf } = useMembers(task.workspace_id);
  const kindOf = (id: string | null) => members.find((member) => member.user_id === id)?.kind ?? 'human';
  const comments = useMemo(() => new Map(foldComments(activities).map((one) => [one.id, one])), [activities]);
  // A comment tells of its edits and its deletion itself.
  const shown = activities.filter(({ activity_type, details }) => {
    const isAboutComment = activity_type === 'comment_edited' || activity_type === 'comment_deleted';
    return !isAboutComment || !comments.has(idIn(asDetails(details).comment) ?? '');
  });
  return (
    <section aria-labelledby="activity-title">
      <div className="section-title">
        <h2 id="activity-title">Activity</h2>
      </div>
      <CommentBox task={task} history={history} />
      <ol className="feed">
        {shown.map((activity) => (
          <li key={activity.id}>
            <span className={`avatar avatar-${kindOf(activity.actor_id)}`} aria-hidden="true">
              {initialOf(activity.actor_id)}
            </span>
            <FeedEntry
              activity={activity}
              activities={activities}
              comment={comments.get(activity.id) ?? null}
              task={task}
              nameOf={nameOf}
            />
          </li>
        ))}
      </ol>
      {history.total === 0 && <p className="muted">Nothing has happened yet. Write the first comment.</p>}
      <ShowMore
        noun="activities"
        shown={activities.length}
        all={history.total > activities.length ? history.total : null}
        onMore={onMore}
      />
    </section>
  );
}
