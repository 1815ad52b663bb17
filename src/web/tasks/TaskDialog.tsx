import type { Milestone, Task } from '@/domain/entities';
import { createTask } from '@/lib/watermelon/contextService';
import { EditDialog } from '../shared/EditDialog';
import type { FieldSpec } from '../ui/FormDialog';
import { orNull } from '../ui/formValues';
import { PRIORITY_LABELS, TASK_STATUS_LABELS } from '../ui/labels';
import { RecordDialog } from '../ui/RecordDialog';
import { MilestoneSelect } from './MilestoneSelect';
import { TaskPicker } from './TaskPicker';

interface TaskDialogProps {
  milestone: Pick<Milestone, 'id'>;
  /** The task to edit; absent: a new one. */
  task?: Task;
  /** The parent of a new task. */
  parentId?: string;
  onClose: () => void;
}

type Name = 'title' | 'description' | 'status' | 'priority' | 'milestone_id' | 'parent_task_id';

/** Creates a task, or edits one. */
export function TaskDialog({ milestone, task, parentId, onClose }: TaskDialogProps) {
  if (task) {
    return (
      <EditDialog<'tasks', Name>
        title="Edit task"
        table="tasks"
        record={task}
        fields={(values) => [...FIELDS, placeField(task), parentField(values.milestone_id, task)]}
        onClose={onClose}
      />
    );
  }
  return (
    <RecordDialog
      title={parentId ? 'New subtask' : 'New task'}
      submitLabel="Create task"
      fields={[...FIELDS, parentField(milestone.id)]}
      initial={{
        title: '',
        description: '',
        status: 'todo',
        priority: 'medium',
        milestone_id: milestone.id,
        parent_task_id: parentId ?? '',
      }}
      onSave={(values) =>
        createTask({
          title: values.title,
          description: orNull(values.description),
          status: values.status as Task['status'],
          priority: values.priority as Task['priority'],
          parent_task_id: orNull(values.parent_task_id),
          milestone_id: milestone.id,
          // Seconds since the epoch exceed any position that is set by hand, so the new task comes last.
          sort_order: Date.now() / 1000,
        })
      }
      onClose={onClose}
    />
  );
}

const FIELDS: readonly FieldSpec<Name>[] = [
  { name: 'title', label: 'Title', kind: 'text', required: true, max: 500 },
  { name: 'description', label: 'Description', kind: 'prose', max: 100_000 },
  { name: 'status', label: 'Status', kind: 'select', required: true, options: TASK_STATUS_LABELS },
  { name: 'priority', label: 'Priority', kind: 'select', required: true, options: PRIORITY_LABELS },
];

function placeField(task: Task): FieldSpec<Name> {
  return {
    name: 'milestone_id',
    label: 'Milestone',
    kind: 'custom',
    required: true,
    hint: 'Choose another one to move the task. Its subtasks go along, its parent task stays.',
    render: (value, onChange, id) => (
      <MilestoneSelect id={id} workspaceId={task.workspace_id} value={value} onChange={onChange} />
    ),
  };
}

/** @param milestoneId whose tasks it offers */
function parentField(milestoneId: string, task?: Task): FieldSpec<Name> {
  return {
    name: 'parent_task_id',
    label: 'Parent task',
    kind: 'custom',
    hint: 'Choose one to make this a subtask.',
    render: (value, onChange, id) => (
      <TaskPicker
        id={id}
        where={{ milestone_id: milestoneId }}
        value={value}
        onChange={onChange}
        exclude={task ? [task.id] : []}
      />
    ),
  };
}
