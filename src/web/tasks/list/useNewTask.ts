import { useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { TaskInput } from '@/domain/contextService';
import type { Milestone } from '@/domain/entities';
import { checkpointInTheWay } from '@/domain/taskRules';
import { TASK_STATUSES } from '@/domain/vocabulary';
import type { TaskLine } from '@/lib/watermelon';
import { useDevice } from '../../hooks/useDevice';
import { taskAddress } from '../../routes';
import { stageLabel } from '../../ui/labels';
import { toasts } from '../../ui/toasts';
import { placesFor } from './places';
import { isShown, type ListFacts, type ListRow, siblingsOf } from './rows';
import type { useListFacts } from './useListFacts';
import { type ListView, NOBODY } from './view';

/** Where new tasks of a list come to be. */
export interface NewTasks {
  /** The milestone of a task that is made under no other; null: `makeMilestone` makes it. */
  milestone: Milestone | null;
  makeMilestone?: () => Promise<Milestone>;
  assignee_id?: string;
  /** Why none can be made; null: it can. */
  whyNot: string | null;
}

/** The row for a new task is under a row, or at the end of the list. */
export interface Adding {
  under: Pick<TaskLine, 'id' | 'milestone_id' | 'parent_task_id'> | null;
  group: string;
}

interface Options<T extends TaskLine> extends Pick<ReturnType<typeof useListFacts>, 'workflowOf'> {
  newTasks: NewTasks;
  rows: readonly ListRow<T>[];
  /** Whether these are all rows of the list, and not those alone that stand first. */
  isWhole: boolean;
  view: ListView;
  facts: ListFacts;
  isAdding: boolean;
  onCreated(id: string, another: boolean): void;
}

/** Makes tasks in a list, where its row for a new task is. */
export function useNewTask<T extends TaskLine>(options: Options<T>) {
  const { newTasks, rows, isWhole, view, facts, workflowOf, onCreated } = options;
  const { contextService } = useDevice();
  const [, navigate] = useLocation();
  const [adding, setAdding] = useState<Adding | null>(options.isAdding ? { under: null, group: '' } : null);
  const input = useRef<HTMLInputElement>(null);

  const open = (current: T | null) => {
    if (newTasks.whyNot !== null) return;
    if (adding) input.current?.focus();
    const row = rows.find((one) => one.kind === 'task' && one.task.id === current?.id);
    const last = isWhole ? rows.findLast((one) => one.kind === 'task') : undefined;
    setAdding({ under: row ? current : null, group: (row ?? last)?.group ?? '' });
  };

  const milestoneIdOf = ({ under, group }: Adding) =>
    under?.milestone_id ?? (view.group === 'milestone' && group !== '' ? group : newTasks.milestone?.id);

  const create = async (title: string, another: boolean) => {
    if (!adding) return;
    let milestoneId = milestoneIdOf(adding);
    if (milestoneId === undefined && newTasks.makeMilestone) {
      const made = await newTasks.makeMilestone();
      milestoneId = made.id;
      toasts.add({
        title: `The milestone “${made.name}” was made for it.`,
        description: 'Rename it as you like.',
      });
    }
    if (milestoneId === undefined) return;
    const places = placesOf(adding, options);
    const [own, ...others] = places;
    const values = { ...valuesOf(adding, options), title, milestone_id: milestoneId };
    const task = await contextService.createTask({ ...values, ...(own && { sort_order: own.sort_order }) });
    if (others.length > 0) {
      await contextService.orderTasks([{ id: task.id, sort_order: task.sort_order }, ...others]);
    }
    if (isShown(task, view)) onCreated(task.id, another);
    else tellWhere(task);
    setAdding(another ? { under: adding.under && task, group: adding.group } : null);
  };

  const tellWhere = (task: TaskLine) => {
    const milestone = facts.milestones.get(task.milestone_id)?.label;
    toasts.add({
      title: `“${task.title}” is created${milestone ? ` in “${milestone}”` : ''}.`,
      description: 'The filter of this list hides it.',
      actionProps: { children: 'Open it', onClick: () => navigate(taskAddress(task)) },
    });
  };

  const place = () => {
    if (!adding) return '';
    const id = milestoneIdOf(adding);
    if (id === undefined) return 'Comes into a new milestone, “First milestone”';
    const { current_stage } = valuesOf(adding, options);
    const where = `Comes into “${facts.milestones.get(id)?.label ?? 'its milestone'}”`;
    return view.group === 'stage' && current_stage !== undefined
      ? `${where}, ${stageLabel(current_stage)}`
      : where;
  };

  return { adding, open, close: () => setAdding(null), create, input, place: place(), workflowOf };
}

/** @returns the values that a new task takes over from the row that it is under, and from its group */
function valuesOf<T extends TaskLine>(
  { under, group }: Adding,
  { view, newTasks, workflowOf }: Options<T>,
): Partial<TaskInput> {
  const values: Partial<TaskInput> = { assignee_id: newTasks.assignee_id ?? null };
  if (view.group === 'none' && under) values.parent_task_id = under.parent_task_id;
  if (view.group === 'assignee' && group !== '') values.assignee_id = group === NOBODY ? null : group;
  if (view.group === 'status') values.status = TASK_STATUSES.find((status) => status === group);
  if (view.group === 'stage') {
    const stages = workflowOf(null)?.stages ?? [];
    const isOpen =
      stages.some(({ name }) => name === group) && checkpointInTheWay(stages, null, group, false) === null;
    if (isOpen) values.current_stage = group;
  }
  return values;
}

/** @returns the place of the task that is made under another one, and those of tasks that make room for it; none where it comes last */
function placesOf<T extends TaskLine>({ under }: Adding, { rows, isWhole, view }: Options<T>) {
  if (view.sort !== 'hand' || !under) return [];
  const others = siblingsOf(rows, under.id).map(({ task }) => task);
  const at = others.findIndex(({ id }) => id === under.id) + 1;
  // The last place is that of every new task, unless the clock is behind the one before.
  const isLast = at === others.length && (!isWhole || (others.at(-1)?.sort_order ?? 0) < Date.now() / 1000);
  return isLast ? [] : placesFor('', others, at);
}
