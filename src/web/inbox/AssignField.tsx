import type { Task } from '@/domain/entities';
import { useMembers } from '../hooks/useMembers';
import { usePermissions } from '../hooks/usePermissions';
import { useSaveEdit } from '../hooks/useSaveEdit';
import { ErrorNote } from '../ui/ErrorNote';
import { Field } from '../ui/Field';
import { useAction } from '../ui/useAction';
import styles from './panes.module.css';

/** Hands the task to somebody else, who is then asked for the approval. */
export function AssignField({ task }: { task: Task }) {
  const { members, nameOf } = useMembers(task.workspace_id);
  const saveEdit = useSaveEdit();
  const assigning = useAction((id: string | null) => saveEdit('tasks', task, { assignee_id: id }));
  const isReadOnly = usePermissions(task.workspace_id).whyNot('tasks', 'update') !== null;
  const people = members.map(({ user_id }) => user_id);
  const all =
    task.assignee_id === null || people.includes(task.assignee_id) ? people : [task.assignee_id, ...people];
  return (
    <div className={styles.assign}>
      <Field label="Assignee">
        {(control) => (
          <select
            {...control}
            value={task.assignee_id ?? ''}
            disabled={isReadOnly}
            onChange={({ target }) => void assigning.run(target.value || null)}
          >
            <option value="">Nobody</option>
            {all.map((id) => (
              <option key={id} value={id}>
                {nameOf(id)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <ErrorNote error={assigning.error} />
    </div>
  );
}
