/** Tools that read: the next task, a context, lists. */

import { randomBytes } from 'node:crypto';
import type { ContextService } from '@/domain/contextService';
import type { Milestone, Project, Task } from '@/domain/entities';
import type { ClaimResult, NextTask } from '@/domain/work';
import { holdersOf } from '@/machine/holders';
import { reasonsText, taskIdsOf, taskNames } from '@/machine/readiness';
import {
  assignedTo,
  membersOf,
  milestonesIn,
  oneLine,
  projectsIn,
  quoted,
  taskLine,
  taskNamed,
} from '@/machine/records';
import { Arguments } from '../arguments';
import type { Desk } from '../desk';
import { CONTEXT_TOKENS, contextText, MOST_CONTEXT_TOKENS, named, projectOf, type Tool } from './common';

/** Tasks of a page of a list. */
const PAGE = 20;

export const next: Tool = (given) => {
  const args = new Arguments(given, ['claim', 'task']);
  const [claim, wanted] = [args.optionalText('claim'), args.optionalText('task')];
  return async (desk) => {
    const service = desk.device.contextService;
    const claim_id = claim ?? randomBytes(6).toString('hex');
    desk.claims.add(claim_id);
    if (wanted !== null) {
      const task = await taskNamed(service, wanted, desk.link);
      return told(desk, task, await claimed(desk, task, claim_id, claim === null), claim_id);
    }
    const tried = new Map<string, string>();
    for await (const task of candidates(desk, claim_id, tried)) {
      const result = await claimed(desk, task, claim_id, claim === null);
      const text = await told(desk, task, result, claim_id);
      if (result.state === 'claimed') return text;
      tried.set(task.id, text);
    }
    const last = [...tried.values()].at(-1);
    return last ?? nothingReady(desk, await service.getNextTask({ ...scopeOf(desk), claim_id }));
  };
};

/**
 * Tasks to claim, the next one first. Of several agents that ask at once only one gets it, and the others go on: the device then knows
 * of that claim, unless it was made without the server. There the other ready tasks follow, in the order of lists.
 * @param tried the tasks that somebody else has, as the caller finds out
 */
async function* candidates(
  desk: Desk,
  claim_id: string,
  tried: ReadonlyMap<string, string>,
): AsyncGenerator<Task> {
  const service = desk.device.contextService;
  for (let n = 0; n < PAGE; n += 1) {
    const { task } = await service.getNextTask({ ...scopeOf(desk), claim_id });
    if (task === null) return;
    if (tried.has(task.id)) break;
    yield task;
  }
  const all = await tasksOf(service, await milestonesIn(service, await projectsIn(service, desk.link)));
  const open = all.filter((task) => !tried.has(task.id) && isOpen(task));
  yield* (await firstReady(service, open)).page;
}

/** @param isNew no claim was named: one that an earlier session of the same user made is gone on with */
async function claimed(
  { device, profile }: Desk,
  task: Task,
  claim_id: string,
  isNew: boolean,
): Promise<ClaimResult> {
  const resume =
    isNew && task.claimed_by === profile.userId && task.claim_id !== claim_id ? task.claim_id : null;
  return device.contextService.claimTask(task.id, { claim_id, ...(resume !== null && { resume }) });
}

async function told(desk: Desk, task: Task, result: ClaimResult, claim_id: string): Promise<string> {
  if (result.state !== 'claimed') return taken(desk, task, result.claim);
  const provisional = result.provisional
    ? '\nThe server was not reached: the claim holds on this machine until it is.'
    : '';
  return `Claimed. claim: ${claim_id}${provisional}\n\n${await contextText(desk, task)}`;
}

function scopeOf({ link }: Desk): { workspace_id?: string; project_id?: string } {
  return link
    ? { workspace_id: link.workspace_id, ...(link.project_id && { project_id: link.project_id }) }
    : {};
}

async function nothingReady({ device }: Desk, found: NextTask): Promise<string> {
  if (found.task !== null) return 'Others were faster. Call next again.';
  const { open, waiting } = found;
  if (open === 0)
    return 'No task is ready, and none is open. Tell a person, or create tasks if you were asked to.';
  const tasks = await taskNames(device.contextService, waiting.flatMap(taskIdsOf));
  const lines = waiting.map(({ task_id, title, reasons }) => {
    const called = [tasks.get(task_id), quoted(title)].filter(Boolean).join(' ');
    return `- ${called}: ${reasonsText(reasons, { tasks })}`;
  });
  return [`No task is ready; what waits (${open}):`, ...lines].join('\n');
}

async function taken(
  desk: Desk,
  task: Task,
  {
    claimed_by,
    claimed_until,
    waits,
  }: { claimed_by: string | null; claimed_until: string | null; waits: boolean },
): Promise<string> {
  const members = await desk.device.contextService.getMembers(task.workspace_id);
  const who = members.find(({ user_id }) => user_id === claimed_by)?.display_name ?? 'somebody else';
  const own = claimed_by === desk.profile.userId ? ' in another session; pass its claim to go on' : '';
  const until = waits ? 'while it waits at a checkpoint' : `until ${claimed_until}`;
  return `${await named(desk, task)} is claimed by ${quoted(who)}${own}, ${until}. Call next for another task.`;
}

export const context: Tool = (given) => {
  const args = new Arguments(given, ['task', 'hash', 'max_tokens']);
  const [task, hash] = [args.text('task'), args.optionalText('hash')];
  const tokens = args.optionalNumber('max_tokens', 200, MOST_CONTEXT_TOKENS) ?? CONTEXT_TOKENS;
  return async (desk) =>
    contextText(
      desk,
      await taskNamed(desk.device.contextService, task, desk.link),
      Math.floor(tokens),
      hash ?? undefined,
    );
};

const FILTERS = ['open', 'ready', 'mine', 'review', 'done', 'all'] as const;

/** Tasks whose readiness a page of ready ones looks at, at most: each takes a few queries. */
const MOST_LOOKED_AT = 500;

export const list: Tool = (given) => {
  const args = new Arguments(given, ['filter', 'milestone', 'assignee', 'find', 'after']);
  const filter = args.oneOf('filter', FILTERS) ?? 'open';
  const [milestone, assignee, find, after] = [
    args.optionalText('milestone'),
    args.optionalText('assignee'),
    args.optionalText('find'),
    args.optionalText('after'),
  ];
  return async (desk) => {
    const service = desk.device.contextService;
    const projects = await projectsIn(service, desk.link);
    const milestones = await milestonesIn(service, projects, milestone);
    const all = await tasksOf(service, milestones);
    const checkpoints = await checkpointsOf(service);
    const isAssigned =
      assignee === null
        ? () => true
        : assignedTo(await membersOf(service, projects), assignee, desk.profile.userId);
    const words = (find ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    const fits = all.filter(
      (task) =>
        isWanted(task, filter, desk.profile.userId, checkpoints) &&
        isAssigned(task) &&
        words.every((word) => task.title.toLowerCase().includes(word)),
    );
    // Of all tasks: the last one listed may have been finished since.
    const begun = after === null ? null : await taskNamed(service, after, desk.link);
    const passed = new Set(begun && all.slice(0, all.findIndex(({ id }) => id === begun.id) + 1));
    const left = fits.filter((task) => !passed.has(task));
    const { page, looked } =
      filter === 'ready' ? await firstReady(service, left) : { page: left.slice(0, PAGE), looked: PAGE };
    const projectAt = new Map(milestones.map(({ id, project_id }) => [id, project_id]));
    const lines = page.map((task) =>
      taskLine(task, projects.find(({ id }) => id === projectAt.get(task.milestone_id)) ?? null),
    );
    const last = left[Math.min(looked, left.length) - 1];
    const rest = Math.max(0, left.length - looked);
    const unit = filter === 'ready' ? 'open ones were not looked at' : 'more';
    const more = rest > 0 ? [`${rest} ${unit}: after: ${last?.key ?? last?.id}`] : [];
    const places = desk.link?.project_id ? [] : placesText(projects, milestones);
    if (page.length === 0) lines.push(`No ${filter} task.`);
    return [...lines, ...more, ...places].join('\n');
  };
};

/** @returns the first page of those that can be worked on, and how many were looked at for it */
async function firstReady(
  service: ContextService,
  open: readonly Task[],
): Promise<{ page: Task[]; looked: number }> {
  const page: Task[] = [];
  let looked = 0;
  for (; looked < Math.min(open.length, MOST_LOOKED_AT) && page.length < PAGE; looked += 1) {
    const task = open[looked] as Task;
    if ((await service.getReadiness(task.id))?.ready) page.push(task);
  }
  return { page, looked };
}

async function tasksOf(service: ContextService, milestones: readonly Milestone[]): Promise<Task[]> {
  return (await Promise.all(milestones.map(({ id }) => service.getTasks(id)))).flat();
}

/** The names of checkpoints of each workflow; null stands for the standard one, which has all of the global names. */
async function checkpointsOf(service: ContextService): Promise<Set<string>> {
  const workflows = await service.getWorkflows();
  return new Set(
    workflows.flatMap(({ stages }) =>
      stages.filter(({ is_checkpoint }) => is_checkpoint).map(({ name }) => name),
    ),
  );
}

const isOpen = ({ status }: Task) => status !== 'done' && status !== 'cancelled';

function isWanted(
  task: Task,
  filter: (typeof FILTERS)[number],
  userId: string,
  checkpoints: ReadonlySet<string>,
): boolean {
  switch (filter) {
    case 'open':
    case 'ready':
      return isOpen(task);
    case 'mine':
      return isOpen(task) && (task.claimed_by === userId || task.assignee_id === userId);
    case 'review':
      return isOpen(task) && checkpoints.has(task.current_stage);
    case 'done':
      return task.status === 'done';
    case 'all':
      return true;
  }
}

function placesText(projects: readonly Project[], milestones: readonly Milestone[]): string[] {
  if (projects.length === 0) return ['There is no project that you may see.'];
  return [
    '',
    ...projects.slice(0, 10).map(({ id, name, key }) => {
      const own = milestones.filter(({ project_id }) => project_id === id).map((one) => quoted(one.name));
      return `project ${key ?? ''} ${quoted(name)}: milestones ${own.slice(0, 10).join(', ') || 'none'}`;
    }),
  ];
}

export const show: Tool = (given) => {
  const reference = new Arguments(given, ['task']).text('task');
  return async (desk) => {
    const service = desk.device.contextService;
    const task = await taskNamed(service, reference, desk.link);
    const [project, readiness, review, found, members] = await Promise.all([
      projectOf(desk, task),
      service.getReadiness(task.id),
      service.getReview(task.id),
      service.getTaskContext(task.id, { activities: { items: 5 } }),
      service.getMembers(task.workspace_id),
    ]);
    const lines = [taskLine(task, project), `id: ${task.id}`];
    if (readiness) lines.push(readiness.ready ? 'ready' : `not ready: ${reasonsText(readiness.reasons)}`);
    const { assignee, claim } = holdersOf(task, found?.workflow ?? null, members, Date.now());
    if (assignee) lines.push(`assigned to ${quoted(assignee.name)}`);
    if (claim?.is_live)
      lines.push(
        `claimed by ${quoted(claim.name)} ${claim.waits ? 'while it waits' : `until ${claim.until}`}`,
      );
    if (review)
      lines.push(
        `review at ${review.stage}: ${review.state}${review.reason ? ` ${quoted(review.reason)}` : ''}`,
      );
    for (const subtask of found?.subtasks ?? []) lines.push(`subtask ${taskLine(subtask, project)}`);
    for (const needed of found?.dependencies ?? []) lines.push(`waits for ${taskLine(needed, project)}`);
    for (const { created_at, activity_type, details } of found?.activities ?? []) {
      lines.push(`${created_at} ${activity_type} ${oneLine(JSON.stringify(details), 200)}`);
    }
    return lines.join('\n');
  };
};
