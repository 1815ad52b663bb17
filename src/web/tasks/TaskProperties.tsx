import type { ReactNode } from 'react';
import type { Task, TaskContext } from '@/domain/entities';
import { isLive } from '@/domain/ready';
import { useMembers } from '../hooks/useMembers';
import { usePermissions } from '../hooks/usePermissions';
import { useTaskEdit } from '../hooks/useTaskEdit';
import { RecordName } from '../shared/RecordName';
import { ErrorNote } from '../ui/ErrorNote';
import { Field } from '../ui/Field';
import { Icon } from '../ui/Icon';
import { PRIORITY_LABELS, TASK_STATUS_LABELS, wordsOf } from '../ui/labels';
import { TimeAgo } from '../ui/TimeAgo';
import { type Action, useAction } from '../ui/useAction';
import { useNow } from '../ui/useNow';
import { ClaimNote } from './ClaimNote';
import { MilestoneSelect } from './MilestoneSelect';
import styles from './TaskProperties.module.css';
import { TaskSearch } from './TaskSearch';

interface TaskPropertiesProps {
  context: TaskContext;
  nameOf: (userId: string | null) => string;
}

/** The properties of a task, which are saved as soon as they are chosen, and facts about it. */
export function TaskProperties({ context, nameOf }: TaskPropertiesProps) {
  const { task, workflow } = context;
  const { members } = useMembers(task.workspace_id);
  const { whyNot } = usePermissions(task.workspace_id);
  const now = useNow();
  const isReadOnly = whyNot('tasks', 'update') !== null;
  const waits =
    workflow?.stages.some(({ name, is_checkpoint }) => name === task.current_stage && is_checkpoint) === true;
  const people = Object.fromEntries(members.map((member) => [member.user_id, nameOf(member.user_id)]));
  if (task.assignee_id !== null) people[task.assignee_id] ??= nameOf(task.assignee_id);

  return (
    <section className={styles.properties} aria-label="Properties">
      {isLive(task, waits, now) && <ClaimNote task={task} waits={waits} nameOf={nameOf} />}
      <div className={styles.fields}>
        <Choice
          task={task}
          column="status"
          value={task.status}
          options={TASK_STATUS_LABELS}
          isReadOnly={isReadOnly}
        />
        <Choice
          task={task}
          column="priority"
          value={task.priority}
          options={PRIORITY_LABELS}
          isReadOnly={isReadOnly}
        />
        <Choice
          task={task}
          column="assignee_id"
          value={task.assignee_id ?? ''}
          options={{ '': 'Nobody', ...people }}
          isReadOnly={isReadOnly}
        />
        <Place task={task} isReadOnly={isReadOnly} />
        <Parent task={task} isReadOnly={isReadOnly} />
      </div>
      <dl className={styles.facts}>
        <Fact label="Workflow">
          <span dir="auto">{workflow?.name ?? 'not on this device yet'}</span>
        </Fact>
        {task.completion_date && (
          <Fact label="Completed">
            <TimeAgo time={task.completion_date} />
          </Fact>
        )}
        <Fact label="Changed">
          <TimeAgo time={task.updated_at} />
          {task.last_modified_by !== null && ` by ${inSentence(nameOf(task.last_modified_by))}`}
        </Fact>
        <Fact label="Created">
          <TimeAgo time={task.created_at} />
        </Fact>
      </dl>
    </section>
  );
}

function inSentence(name: string): string {
  return name === 'You' ? 'you' : name;
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Saves one column of a task, and offers to undo it. */
function useColumn<Column extends keyof Task>(task: Task, column: Column): Action<[Task[Column]]> {
  const saveTask = useTaskEdit();
  return useAction((chosen: Task[Column]) =>
    saveTask(task, { [column]: chosen }, `The ${wordsOf(column)} of “${task.title}” is changed.`),
  );
}

interface ChoiceProps {
  task: Task;
  column: 'status' | 'priority' | 'assignee_id';
  value: string;
  options: Readonly<Record<string, string>>;
  isReadOnly: boolean;
}

/** A select that writes its column as soon as another option is chosen. */
function Choice({ task, column, value, options, isReadOnly }: ChoiceProps) {
  const saving = useColumn(task, column);
  const label = wordsOf(column);
  return (
    <div>
      <Field label={label.charAt(0).toUpperCase() + label.slice(1)}>
        {(control) => (
          <select
            {...control}
            value={value}
            disabled={isReadOnly}
            onChange={(event) => void saving.run((event.target.value || null) as Task[typeof column])}
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

/** Moves the task to another milestone. Its subtasks go along, its parent task stays. */
function Place({ task, isReadOnly }: { task: Task; isReadOnly: boolean }) {
  const moving = useColumn(task, 'milestone_id');
  return (
    <div>
      <Field label="Milestone">
        {({ id }) => (
          <MilestoneSelect
            id={id}
            workspaceId={task.workspace_id}
            value={task.milestone_id}
            isDisabled={isReadOnly}
            onChange={(milestoneId) => void moving.run(milestoneId)}
          />
        )}
      </Field>
      <ErrorNote error={moving.error} />
    </div>
  );
}

function Parent({ task, isReadOnly }: { task: Task; isReadOnly: boolean }) {
  const saving = useColumn(task, 'parent_task_id');
  const { parent_task_id: parent } = task;
  if (parent === null && isReadOnly) return null;
  return (
    <div className={styles.parent}>
      {parent === null ? (
        <TaskSearch
          label="Parent task"
          placeholder="None: search to choose one"
          where={{ workspace_id: task.workspace_id }}
          exclude={[task.id]}
          onChoose={(chosen) => saving.run(chosen.id)}
        />
      ) : (
        <>
          <span className={styles.label}>Parent task</span>
          <p className={styles.picked}>
            <RecordName table="tasks" id={parent} known={{ title: 'A task that is not on this device' }} />
            {!isReadOnly && (
              <button
                type="button"
                className="button quiet square"
                aria-label="Take it out of its parent task"
                title="Take it out of its parent task"
                aria-disabled={saving.isRunning}
                onClick={() => void saving.run(null)}
              >
                <Icon name="close" />
              </button>
            )}
          </p>
        </>
      )}
      <ErrorNote error={saving.error} />
    </div>
  );
}
