/** The tool that creates tasks. */

import type { TaskBatch } from '@/domain/taskBatches';
import { MOST_NEW_TASKS } from '@/domain/taskBatches';
import { milestonesIn, projectsIn, taskLine, taskNamed, theOne } from '@/machine/records';
import { Arguments } from '../arguments';
import type { Desk } from '../desk';
import type { Tool } from './common';

const FIELDS = ['name', 'title', 'description', 'priority', 'parent', 'depends_on'] as const;
const PRIORITIES = ['low', 'medium', 'high', 'urgent'] as const;

type NewTask = TaskBatch['tasks'][number];

export const create: Tool = (given) => {
  const args = new Arguments(given, ['request', 'milestone', 'tasks']);
  const [request_id, milestone] = [args.text('request'), args.optionalText('milestone')];
  const tasks = args.items('tasks', MOST_NEW_TASKS, FIELDS).map((item): NewTask => {
    const [name, description, priority, parent] = [
      item.optionalText('name'),
      item.optionalText('description'),
      item.oneOf('priority', PRIORITIES),
      item.optionalText('parent'),
    ];
    return {
      title: item.text('title'),
      ...(name !== null && { name }),
      ...(description !== null && { description }),
      ...(priority !== null && { priority }),
      ...(parent !== null && { parent }),
      depends_on: item.texts('depends_on', MOST_NEW_TASKS),
    };
  });
  return async (desk) => {
    const service = desk.device.contextService;
    const resolved = await resolve(desk, tasks);
    const place = await placeOf(desk, resolved, milestone);
    const ids = await service.createTasks(place.id, { request_id, tasks: resolved });
    const made = await Promise.all(ids.map((id) => service.getLocalTask(id)));
    const project = (await projectsIn(service, desk.link)).find(({ id }) => id === place.project_id) ?? null;
    const lines = made.map((task, n) => (task ? taskLine(task, project) : `${ids[n]} (not on this device)`));
    return [`Created in ${JSON.stringify(place.name)}:`, ...lines].join('\n');
  };
};

/** Names of the batch stay; keys and ids of tasks that are there become ids. */
async function resolve({ device, link }: Desk, tasks: readonly NewTask[]): Promise<NewTask[]> {
  const names = new Set(tasks.map(({ name }) => name));
  const idOf = async (reference: string) =>
    names.has(reference) ? reference : (await taskNamed(device.contextService, reference, link)).id;
  return Promise.all(
    tasks.map(async (task) => ({
      ...task,
      ...(task.parent !== undefined && { parent: await idOf(task.parent) }),
      depends_on: await Promise.all((task.depends_on ?? []).map(idOf)),
    })),
  );
}

/** The milestone that is named, else that of a parent, else the only active one. */
async function placeOf({ device, link }: Desk, tasks: readonly NewTask[], named: string | null) {
  const service = device.contextService;
  const milestones = await milestonesIn(service, await projectsIn(service, link));
  if (named !== null) return theOne('milestone', milestones, named);
  const names = new Set(tasks.map(({ name }) => name));
  const parent = tasks.find((task) => task.parent !== undefined && !names.has(task.parent))?.parent;
  if (parent !== undefined) {
    const above = await taskNamed(service, parent, link);
    const place = milestones.find(({ id }) => id === above.milestone_id);
    if (place) return place;
  }
  const active = milestones.filter(({ status }) => status === 'active');
  return theOne('milestone', active.length === 1 ? active : milestones);
}
