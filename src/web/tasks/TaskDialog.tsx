import { useState } from 'react';
import type { Milestone, Task } from '@/domain/entities';
import { createTask, updateTask } from '@/lib/watermelon/contextService';
import { orNull } from '../ui/formValues';
import { PRIORITY_LABELS, TASK_STATUS_LABELS } from '../ui/labels';
import { type FieldSpec, RecordDialog } from '../ui/RecordDialog';
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
  const [milestoneId, setMilestoneId] = useState(milestone.id);
  const place: FieldSpec<Name>[] = task
    ? [
        {
          name: 'milestone_id',
          label: 'Milestone',
          kind: 'custom',
          required: true,
          hint: 'Choose another one to move the task. Its subtasks go along, its parent task stays.',
          render: (value, onChange, id) => (
            <MilestoneSelect
              id={id}
              workspaceId={task.workspace_id}
              value={value}
              onChange={(chosen) => {
                setMilestoneId(chosen);
                onChange(chosen);
              }}
            />
          ),
        },
      ]
    : [];
  const fields: FieldSpec<Name>[] = [
    { name: 'title', label: 'Title', kind: 'text', required: true, max: 500 },
    { name: 'description', label: 'Description', kind: 'prose', max: 100_000 },
    { name: 'status', label: 'Status', kind: 'select', required: true, options: TASK_STATUS_LABELS },
    { name: 'priority', label: 'Priority', kind: 'select', required: true, options: PRIORITY_LABELS },
    ...place,
    {
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
    },
  ];
  const save = (values: Record<Name, string>) => {
    const given = {
      title: values.title,
      description: orNull(values.description),
      status: values.status as Task['status'],
      priority: values.priority as Task['priority'],
      parent_task_id: orNull(values.parent_task_id),
    };
    if (task) return updateTask(task.id, { ...given, milestone_id: values.milestone_id });
    // Seconds since the epoch exceed any position that is set by hand, so the new task comes last.
    return createTask({ ...given, milestone_id: milestone.id, sort_order: Date.now() / 1000 });
  };
  return (
    <RecordDialog
      title={task ? 'Edit task' : parentId ? 'New subtask' : 'New task'}
      submitLabel={task ? 'Save' : 'Create task'}
      fields={fields}
      initial={{
        title: task?.title ?? '',
        description: task?.description ?? '',
        status: task?.status ?? 'todo',
        priority: task?.priority ?? 'medium',
        milestone_id: milestone.id,
        parent_task_id: task?.parent_task_id ?? parentId ?? '',
      }}
      onSave={save}
      onClose={onClose}
    />
  );
}
