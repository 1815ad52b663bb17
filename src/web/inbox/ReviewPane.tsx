import { useState } from 'react';
import type { Task } from '@/domain/entities';
import type { InboxReview } from '@/domain/inbox';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { useRecord } from '../hooks/useQuery';
import { useTaskStageManagement } from '../hooks/useTaskStageManagement';
import { Markdown } from '../markdown/Markdown';
import { CheckpointDialog } from '../tasks/CheckpointDialog';
import { stageLabel } from '../ui/labels';
import { RoleNote } from '../ui/RoleNote';
import { AssignField } from './AssignField';
import { OpenReview } from './OpenReview';
import styles from './panes.module.css';
import { TaskLine } from './TaskLine';

interface ReviewPaneProps {
  /** Of the item, as addresses have it. */
  name: string;
  item: InboxReview;
  /** It was settled elsewhere. */
  isSettled: boolean;
}

/** A task that waits at a checkpoint: the request for review, or that nobody has made one. */
export function ReviewPane({ name, item, isSettled }: ReviewPaneProps) {
  const present = useRecord('tasks', item.task.id);
  const [last, setLast] = useState(present);
  if (present && present !== last) setLast(present);
  const [turn, setTurn] = useState(0);
  // A task that was deleted while its person wrote is shown as it was.
  const task = present ?? last;
  if (!task) return null;
  return (
    <article className={styles.pane}>
      <TaskLine task={task} />
      {item.request === null ? (
        <WithoutRequest task={task} />
      ) : (
        // Shown anew when the person asks for it: what is approved is what was read.
        <OpenReview
          key={turn}
          name={name}
          task={task}
          newest={item.request.id}
          hasEnded={isSettled}
          onShowNewest={() => setTurn(turn + 1)}
        />
      )}
      <AssignField task={task} />
      {task.description && (
        <details className={styles.description}>
          <summary>Description of the task</summary>
          <Markdown text={task.description} />
        </details>
      )}
    </article>
  );
}

function WithoutRequest({ task }: { task: Task }) {
  const workflow = useRecord('workflows', task.workflow_id ?? STANDARD_WORKFLOW_ID) ?? null;
  const management = useTaskStageManagement({ task, workflow });
  const [target, setTarget] = useState<string | null>(null);
  const next = management.stages.find(({ place }) => place === 'ahead');
  return (
    <>
      <p>
        The task is at {stageLabel(task.current_stage)}, and nobody has said what is to be reviewed.{' '}
        <span className="muted">Ask whoever works on it for a request, or move it on with a reason.</span>
      </p>
      <RoleNote reasons={[management.whyNot]} />
      {next && management.whyNot === null && (
        <div className="actions">
          <button type="button" className="button" onClick={() => setTarget(next.name)}>
            Move to {stageLabel(next.name)}…
          </button>
        </div>
      )}
      {target !== null && next && (
        <CheckpointDialog
          task={task}
          stage={target}
          passes={next.passes}
          onJump={management.moveTo}
          jumpError={management.error}
          onClose={() => setTarget(null)}
        />
      )}
    </>
  );
}
