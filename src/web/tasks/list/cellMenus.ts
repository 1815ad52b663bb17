/** The choices of the cells of a row. */

import type { WorkflowStage, WorkspaceMember } from '@/domain/entities';
import { checkpointsInTheWay } from '@/domain/taskRules';
import { inOrder } from '@/domain/validation';
import { TASK_PRIORITIES, TASK_STATUSES } from '@/domain/vocabulary';
import type { TaskLine } from '@/lib/watermelon';
import { PRIORITY_LABELS, stageLabel, TASK_STATUS_LABELS } from '../../ui/labels';
import type { MenuItem } from '../../ui/menuItem';
import type { Cell } from './TaskRow';
import type { Edit } from './useTaskEdits';

export interface CellChoice {
  userId: string;
  members: readonly WorkspaceMember[];
  /** Of the task's workflow; empty where it is not on this device. */
  stages: readonly WorkflowStage[];
  passesCheckpoints: boolean;
  onEdit(changes: Edit, done: string): void;
  /** The stage lies past human checkpoints, which the person may pass. */
  onPast(stage: string, passes: readonly string[]): void;
}

export const CELL_NAMES: Record<Cell, string> = {
  priority: 'Priority',
  status: 'Status',
  stage: 'Stage',
  assignee: 'Assignee',
};

export function cellMenu(task: TaskLine, cell: Cell, choice: CellChoice): MenuItem[][] {
  const { title } = task;
  switch (cell) {
    case 'priority':
      return [
        TASK_PRIORITIES.toReversed().map((priority) => ({
          label: PRIORITY_LABELS[priority],
          isChosen: task.priority === priority,
          onSelect: () =>
            choice.onEdit({ priority }, `“${title}” has the priority ${PRIORITY_LABELS[priority]}.`),
        })),
      ];
    case 'status':
      return [
        TASK_STATUSES.map((status) => ({
          label: TASK_STATUS_LABELS[status],
          isChosen: task.status === status,
          onSelect: () => choice.onEdit({ status }, `“${title}” is ${TASK_STATUS_LABELS[status]}.`),
        })),
      ];
    case 'stage':
      return [inOrder(choice.stages).map((stage) => stageItem(task, stage, choice))];
    case 'assignee':
      return assigneeMenu(task, choice);
  }
}

function stageItem(task: TaskLine, { name }: WorkflowStage, choice: CellChoice): MenuItem {
  const passes = checkpointsInTheWay(choice.stages, task.current_stage, name, false);
  const [first] = passes;
  const isBarred = first !== undefined && !choice.passesCheckpoints;
  return {
    label: stageLabel(name),
    isChosen: name === task.current_stage,
    whyNot: isBarred ? `${stageLabel(first)} is a human checkpoint.` : null,
    onSelect: () => {
      if (name === task.current_stage) return;
      if (first !== undefined) choice.onPast(name, passes);
      else choice.onEdit({ current_stage: name }, `“${task.title}” is in ${stageLabel(name)}.`);
    },
  };
}

function assigneeMenu(task: TaskLine, { userId, members, onEdit }: CellChoice): MenuItem[][] {
  const item = (id: string | null, name: string, kind?: WorkspaceMember['kind']): MenuItem => ({
    label: name,
    icon: kind === undefined ? undefined : kind === 'agent' ? 'agent' : 'person',
    isChosen: task.assignee_id === id,
    onSelect: () =>
      onEdit(
        { assignee_id: id },
        id === null
          ? `Nobody is assigned to “${task.title}”.`
          : `“${task.title}” is assigned to ${id === userId ? 'you' : name}.`,
      ),
  });
  const me = members.find(({ user_id }) => user_id === userId);
  const others = members
    .filter((member) => member !== me)
    .sort((a, b) => a.display_name.localeCompare(b.display_name));
  return [
    [...(me ? [item(userId, 'You', me.kind)] : []), item(null, 'Nobody')],
    others.map(({ user_id, display_name, kind }) =>
      item(user_id, display_name || 'A member without a name', kind),
    ),
  ];
}
