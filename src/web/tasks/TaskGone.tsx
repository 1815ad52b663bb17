import type { TaskContext } from '@/domain/entities';
import { DeletedEntry } from '../deleted/DeletedEntry';
import { useDeletions } from '../hooks/useDeletions';
import { useMembers } from '../hooks/useMembers';
import { Markdown } from '../markdown/Markdown';
import { NothingHere } from '../shared/NothingHere';
import { useDraft } from '../shared/useDraft';
import { CopyField } from '../ui/CopyField';
import { TimeAgo } from '../ui/TimeAgo';
import styles from './TaskGone.module.css';

/** The page of a task that was deleted while it was open: by whom, the way back, and what was typed and not saved. */
export function TaskGone({ last }: { last: TaskContext }) {
  const { task, milestone, project } = last;
  const deletions = useDeletions(task.workspace_id);
  const { nameOf } = useMembers(task.workspace_id);
  if (deletions === undefined) return null;
  const above = [task.id, task.parent_task_id, milestone?.id, project?.id];
  const deletion = deletions.find(({ entity_id }) => above.includes(entity_id));
  if (deletion === undefined) return <NothingHere what="task" />;
  const by = nameOf(deletion.last_modified_by);
  const what = deletion.entity_id === task.id ? 'this task' : `“${deletion.name}”, and this task with it`;
  return (
    <article className="page">
      <div className={styles.banner} role="alert">
        <p>
          <strong>
            {by} deleted {what}
          </strong>{' '}
          <TimeAgo time={deletion.created_at} />. It can be restored for about half a year.
        </p>
        <DeletedEntry deletion={deletion} />
      </div>
      <h1 dir="auto">{task.title}</h1>
      <Typed taskId={task.id} field="title" label="The title that you typed" />
      <Typed taskId={task.id} field="description" label="The description that you typed" />
      <Typed taskId={task.id} field="comment" label="The comment that you typed" />
      {task.description && (
        <section aria-label="Description" className={styles.before}>
          <Markdown text={task.description} />
        </section>
      )}
    </article>
  );
}

function Typed({ taskId, field, label }: { taskId: string; field: string; label: string }) {
  const { draft } = useDraft(taskId, field);
  return draft === null ? null : <CopyField label={label} value={draft.text} />;
}
