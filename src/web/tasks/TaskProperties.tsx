import type { Task, TaskContext } from '@/domain/entities';
import { isLive } from '@/domain/ready';
import { useMembers } from '../hooks/useMembers';
import { usePermissions } from '../hooks/usePermissions';
import { useSaveEdit } from '../hooks/useSaveEdit';
import { ErrorNote } from '../ui/ErrorNote';
import { Field } from '../ui/Field';
import { PRIORITY_LABELS, TASK_STATUS_LABELS } from '../ui/labels';
import { TimeAgo } from '../ui/TimeAgo';
import { useAction } from '../ui/useAction';
import { useNow } from '../ui/useNow';

interface TaskPropertiesProps {
  context: TaskContext;
  nameOf: (userId: string | null) => string;
}

/** The properties of a task: those that a select changes, and facts about it. */
export function TaskProperties({ context: { task, workflow }, nameOf }: TaskPropertiesProps) {
  const { members } = useMembers(task.workspace_id);
  const { whyNot } = usePermissions(task.workspace_id);
  const now = useNow();
  const isReadOnly = whyNot('tasks', 'update') !== null;
  const waits =
    workflow?.stages.some(({ name, is_checkpoint }) => name === task.current_stage && is_checkpoint) === true;
  const isClaimed = isLive(task, waits, now);
  const people = Object.fromEntries(members.map((member) => [member.user_id, nameOf(member.user_id)]));
  if (task.assignee_id !== null) people[task.assignee_id] ??= nameOf(task.assignee_id);

  return (
    <section className="properties" aria-label="Properties">
      <Choice
        task={task}
        column="status"
        label="Status"
        value={task.status}
        options={TASK_STATUS_LABELS}
        isReadOnly={isReadOnly}
      />
      <Choice
        task={task}
        column="priority"
        label="Priority"
        value={task.priority}
        options={PRIORITY_LABELS}
        isReadOnly={isReadOnly}
      />
      <Choice
        task={task}
        column="assignee_id"
        label="Assignee"
        value={task.assignee_id ?? ''}
        options={{ '': 'Nobody', ...people }}
        isReadOnly={isReadOnly}
      />
      <dl className="known">
        {isClaimed && (
          <div>
            <dt>Claimed by</dt>
            <dd>{nameOf(task.claimed_by)}</dd>
          </div>
        )}
        <div>
          <dt>Workflow</dt>
          <dd>{workflow?.name ?? 'not on this device yet'}</dd>
        </div>
        {task.completion_date && (
          <div>
            <dt>Completed</dt>
            <dd>
              <TimeAgo time={task.completion_date} />
            </dd>
          </div>
        )}
        <div>
          <dt>Changed</dt>
          <dd>
            <TimeAgo time={task.updated_at} />
          </dd>
        </div>
        <div>
          <dt>Created</dt>
          <dd>
            <TimeAgo time={task.created_at} />
          </dd>
        </div>
      </dl>
    </section>
  );
}

interface ChoiceProps {
  task: Task;
  column: 'status' | 'priority' | 'assignee_id';
  label: string;
  value: string;
  options: Readonly<Record<string, string>>;
  isReadOnly: boolean;
}

/** A select that writes its column as soon as another option is chosen. */
function Choice({ task, column, label, value, options, isReadOnly }: ChoiceProps) {
  const saveEdit = useSaveEdit();
  const saving = useAction((chosen: string | null) => saveEdit('tasks', task, { [column]: chosen }));
  return (
    <div>
      <Field label={label}>
        {(control) => (
          <select
            {...control}
            value={value}
            disabled={isReadOnly}
            onChange={(event) => void saving.run(event.target.value || null)}
          >
            {Object.entries(options).map(([option, text]) => (
              <option key={option} value={option}>
                {text}
              </option>
            ))}
          </select>
        )}
      </Field>
      <ErrorNote error={saving.error} />
    </div>
  );
}
