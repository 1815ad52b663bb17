import type { ReactNode } from 'react';
import type { TaskContext } from '@/domain/entities';
import type { ObservedDeletion } from '@/lib/watermelon/contextService';
import { DeletedEntry } from '../deleted/DeletedEntry';
import { useDeletions } from '../hooks/useDeletions';
import { useMembers } from '../hooks/useMembers';
import { useQuery } from '../hooks/useQuery';
import { Markdown } from '../markdown/Markdown';
import { NothingHere } from '../shared/NothingHere';
import { useDraft } from '../shared/useDraft';
import { REASON } from '../shared/useReason';
import { CopyField } from '../ui/CopyField';
import { TimeAgo } from '../ui/TimeAgo';
import styles from './TaskGone.module.css';

/** The page of a task that was deleted while it was open: by whom, the way back, and what was typed and not saved. */
export function TaskGone({ last }: { last: TaskContext }) {
  const { task, milestone, project } = last;
  const deletions = useDeletions(task.workspace_id);
  if (deletions === undefined) return null;
  const above = [task.id, task.parent_task_id, milestone?.id, project?.id];
  const deletion = deletions.find(({ entity_id }) => above.includes(entity_id));
  if (deletion === undefined) return <NothingLeft taskId={task.id} />;
  return (
    <Told taskId={task.id} deletion={deletion} title={task.title}>
      {task.description && (
        <section aria-label="Description" className={styles.before}>
          <Markdown text={task.description} />
        </section>
      )}
    </Told>
  );
}

/** The page of a task that the device does not have: it may have been deleted before. */
export function AbsentTask({ id }: { id: string }) {
  const found = useQuery('deletions', { entity_type: 'tasks', entity_id: id, restored_at: null });
  const deletions = useDeletions(found?.[0]?.workspace_id ?? '');
  if (found === undefined || deletions === undefined) return null;
  const deletion = deletions.find(({ entity_id }) => entity_id === id);
  if (deletion === undefined) return <NothingLeft taskId={id} />;
  return <Told taskId={id} deletion={deletion} title={deletion.name} />;
}

function NothingLeft({ taskId }: { taskId: string }) {
  return (
    <NothingHere what="task">
      <TypedTexts taskId={taskId} />
    </NothingHere>
  );
}

interface ToldProps {
  taskId: string;
  deletion: ObservedDeletion;
  title: string;
  children?: ReactNode;
}

function Told({ taskId, deletion, title, children }: ToldProps) {
  const { nameOf } = useMembers(deletion.workspace_id);
  const what = deletion.entity_id === taskId ? 'this task' : `“${deletion.name}”, and this task with it`;
  return (
    <article className="page">
      <div className={styles.banner} role="alert">
        <p>
          <strong>
            {nameOf(deletion.last_modified_by)} deleted {what}
          </strong>{' '}
          <TimeAgo time={deletion.created_at} />. It can be restored for about half a year.
        </p>
        <DeletedEntry deletion={deletion} />
      </div>
      <h1 dir="auto">{title}</h1>
      <TypedTexts taskId={taskId} />
      {children}
    </article>
  );
}

/** The texts that the user has typed for the task, and not saved. */
function TypedTexts({ taskId }: { taskId: string }) {
  return (
    <>
      <Typed taskId={taskId} field="title" label="The title that you typed" />
      <Typed taskId={taskId} field="description" label="The description that you typed" />
      <Typed taskId={taskId} field="comment" label="The comment that you typed" />
      <Typed taskId={taskId} field={REASON} label="The reason to send it back that you typed" />
      <Typed taskId={taskId} field="reason to jump" label="The reason to move it on that you typed" />
      <Typed taskId={taskId} field="subtask" label="The title of a subtask that you typed" />
    </>
  );
}

function Typed({ taskId, field, label }: { taskId: string; field: string; label: string }) {
  const { draft } = useDraft(taskId, field);
  return draft === null ? null : <CopyField label={label} value={draft.text} />;
}
