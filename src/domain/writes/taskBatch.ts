/** The write of several tasks at once. */

import { v5 as uuidv5 } from 'uuid';
import type { ValidationError } from '@/core/errors';
import { ok, type Result } from '@/core/result';
import { charactersIn, isBlank } from '@/core/text';
import { dependencyAdded, taskCreated } from '../activities';
import type { Milestone, Task } from '../entities';
import { MOST_NEW_TASKS, type NewTask, type TaskBatch } from '../taskBatches';
import { inOrder, invalid, noSuchRecord, type RecordValues, validateId, validateInsert } from '../validation';
import { STANDARD_WORKFLOW_ID } from '../vocabulary';
import type { PlanContext, Planned, PlannedChange, Requested, WritePlan } from './plan';
import { resolveReferences } from './references';
import { isWithin } from './taskGraph';

/** Ids of a batch are made from this one and the batch's name. */
const BATCH_IDS = '5f0ed8a4-1f0c-5c56-9d6c-6d1f3f1c2a77';

const LONGEST = { request_id: 200, name: 64 } as const;

/** A task of the batch that is valid by itself. */
interface Checked {
  id: string;
  values: RecordValues;
  /** Whether the caller says where it stands among others. */
  isPlaced: boolean;
  parent: string | null;
  dependsOn: readonly string[];
}

/** @returns the ids that the tasks of a batch have, whoever asks and how often. */
export function batchIds(milestoneId: string, { request_id, tasks }: TaskBatch): string[] {
  return tasks.map((_, n) => uuidv5(`${milestoneId.toLowerCase()}/${request_id}/${n}`, BATCH_IDS));
}

export function requestTaskBatch(milestoneId: string, batch: TaskBatch): Requested<'milestones'> {
  const target = validateId('milestone_id', milestoneId);
  if (!target.ok) return target;
  const checked = checkBatch(target.value, batch);
  if (!checked.ok) return checked;
  return ok({
    target: { table: 'milestones', id: target.value, field: 'milestone_id' },
    plan: (milestone, context) => planBatch(milestone, checked.value, context),
  });
}

function checkBatch(milestoneId: string, batch: TaskBatch): Result<Checked[], ValidationError> {
  const { request_id, tasks } = batch;
  const named = checkName('request_id', request_id, LONGEST.request_id);
  if (named) return named;
  if (!Array.isArray(tasks) || tasks.length === 0) {
    return invalid('required', 'tasks', 'Give a list of at least one task.');
  }
  if (tasks.length > MOST_NEW_TASKS) {
    return invalid('too_long', 'tasks', `A batch has ${tasks.length} tasks; give at most ${MOST_NEW_TASKS}.`);
  }
  const ids = batchIds(milestoneId, batch);
  const idOf = new Map<string, string>();
  for (const [n, { name }] of (tasks as NewTask[]).entries()) {
    if (name === undefined) continue;
    const field = `tasks[${n}].name`;
    const bad = checkName(field, name, LONGEST.name);
    if (bad) return bad;
    if (idOf.has(name))
      return invalid('duplicate', field, 'Two tasks of the batch have this name. Give each its own.');
    idOf.set(name, ids[n] as string);
  }
  const checked: Checked[] = [];
  for (const [n, task] of (tasks as NewTask[]).entries()) {
    const one = checkTask(`tasks[${n}]`, ids[n] as string, milestoneId, task, idOf);
    if (!one.ok) return one;
    checked.push(one.value);
  }
  return circleIn(checked) ?? ok(checked);
}

function checkTask(
  path: string,
  id: string,
  milestone_id: string,
  { name: _, parent, depends_on = [], ...input }: NewTask,
  idOf: ReadonlyMap<string, string>,
): Result<Checked, ValidationError> {
  const values = validateInsert('tasks', { ...input, milestone_id });
  if (!values.ok) {
    const { field } = values.error;
    return { ok: false, error: { ...values.error, field: `${path}.${field}` } };
  }
  const reference = (field: string, given: string) => {
    const known = idOf.get(given);
    return known === undefined ? validateId(`${path}.${field}`, given) : ok(known);
  };
  let parentId: string | null = null;
  if (parent !== undefined && parent !== null) {
    const found = reference('parent', parent);
    if (!found.ok) return found;
    parentId = found.value;
  }
  if (!Array.isArray(depends_on))
    return invalid('bad_value', `${path}.depends_on`, 'depends_on has to be a list.');
  const dependsOn: string[] = [];
  for (const [n, given] of depends_on.entries()) {
    const found = reference(`depends_on[${n}]`, given);
    if (!found.ok) return found;
    if (!dependsOn.includes(found.value)) dependsOn.push(found.value);
  }
  const isPlaced = 'sort_order' in input && input.sort_order !== undefined;
  return ok({ id, values: values.value, isPlaced, parent: parentId, dependsOn });
}

function checkName(field: string, name: unknown, most: number) {
  if (typeof name !== 'string' || isBlank(name))
    return invalid('required', field, `${field} has to be a text.`);
  return charactersIn(name) > most
    ? invalid('too_long', field, `${field} has at most ${most} characters.`)
    : null;
}

/** A task waits for its dependencies and for its subtasks: @returns the failure where tasks of the batch wait for each other. */
function circleIn(tasks: readonly Checked[]) {
  const waits = new Map(tasks.map(({ id, dependsOn }) => [id, new Set(dependsOn)]));
  for (const { id, parent } of tasks) waits.get(parent ?? '')?.add(id);
  const left = new Map(
    [...waits].map(([id, on]) => [id, new Set([...on].filter((other) => waits.has(other)))]),
  );
  for (let free = [...left.keys()]; free.length > 0; ) {
    free = [...left].flatMap(([id, on]) => (on.size === 0 ? [id] : []));
    for (const id of free) left.delete(id);
    for (const on of left.values()) for (const id of free) on.delete(id);
  }
  if (left.size === 0) return null;
  const n = tasks.findIndex(({ id }) => left.has(id));
  return invalid(
    'cycle',
    `tasks[${n}].depends_on`,
    'These tasks would wait for each other. Remove a dependency.',
  );
}

async function planBatch(
  milestone: Milestone,
  tasks: readonly Checked[],
  context: PlanContext,
): Promise<Planned> {
  const { workspace_id: workspaceId } = milestone;
  const nothing: WritePlan = { workspaceId, changes: [], activities: [], answer: null };
  // The same batch once more.
  const [first] = tasks;
  if (first && (await context.find('tasks', first.id))) return ok(nothing);
  const workflow = await context.find('workflows', STANDARD_WORKFLOW_ID);
  const stage = workflow && inOrder(workflow.stages)[0]?.name;
  const here = new Map(tasks.map((task) => [task.id, task]));
  const changes: PlannedChange[] = [];
  const links: PlannedChange[] = [];
  const activities: WritePlan['activities'][number][] = [];
  for (const [n, { id, values: given, isPlaced, parent, dependsOn }] of tasks.entries()) {
    const path = `tasks[${n}]`;
    const placed = { ...given, milestone_id: milestone.id };
    const resolved = await resolveReferences(
      'tasks',
      workspaceId,
      placed,
      { milestone_id: milestone.id },
      context,
    );
    if (!resolved.ok)
      return { ok: false, error: { ...resolved.error, field: `${path}.${resolved.error.field}` } };
    const above = parent === null || here.has(parent) ? null : await context.find('tasks', parent);
    if (parent !== null && !here.has(parent) && above?.milestone_id !== milestone.id) {
      return noSuchRecord(`${path}.parent`, 'tasks');
    }
    const values = {
      ...resolved.value.values,
      parent_task_id: above?.id ?? parent,
      ...(stage && { current_stage: stage }),
      ...(!isPlaced && { sort_order: context.newPlace() }),
    };
    changes.push({ op: 'insert', table: 'tasks', id, values });
    const { title, current_stage } = values as unknown as Pick<Task, 'title' | 'current_stage'>;
    activities.push({ id: context.newId(), draft: taskCreated({ id, title, current_stage }) });
    for (const other of dependsOn) {
      const needed = here.get(other) ?? (await context.find('tasks', other));
      if (needed === null || (!('values' in needed) && needed.workspace_id !== workspaceId)) {
        return noSuchRecord(`${path}.depends_on`, 'tasks');
      }
      if (above && (await isWithin(context.graph, above.id, needed.id))) {
        return invalid(
          'cycle',
          `${path}.depends_on`,
          'A subtask cannot wait for the task that it is a part of.',
        );
      }
      links.push({
        op: 'insert',
        table: 'task_dependencies',
        id: context.newId(),
        values: { task_id: id, depends_on_task_id: needed.id },
      });
      const called = 'values' in needed ? String(needed.values.title) : needed.title;
      activities.push({ id: context.newId(), draft: dependencyAdded(id, { id: needed.id, title: called }) });
    }
  }
  // A parent stands before its subtasks.
  const depth = (change: PlannedChange) => depthOf(here, change.id);
  changes.sort((one, other) => depth(one) - depth(other));
  return ok({ workspaceId, changes: [...changes, ...links], activities, answer: null });
}

function depthOf(here: ReadonlyMap<string, Checked>, id: string): number {
  let depth = 0;
  for (let at = here.get(id)?.parent ?? null; at !== null && here.has(at); at = here.get(at)?.parent ?? null)
    depth += 1;
  return depth;
}
