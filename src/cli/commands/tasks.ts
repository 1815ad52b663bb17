/** Tasks at a terminal. */

import { Command } from 'commander';
import { count } from '@/core/count';
import { fail, ok, type Result } from '@/core/result';
import type { TaskChanges } from '@/domain/contextService';
import type { Task } from '@/domain/entities';
import { nameOfTask } from '@/domain/keys';
import { CLOSED } from '@/domain/taskContext';
import { inOrder } from '@/domain/validation';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { holdersOf } from '@/machine/holders';
import { taskIdsOf, taskNames } from '@/machine/readiness';
import {
  assignedTo,
  membersOf,
  milestonesIn,
  projectsIn,
  quoted,
  shortId,
  taskLine,
  taskNamed,
  theOne,
} from '@/machine/records';
import { clipped, shown, table } from '../output';
import { readPiped } from '../prompt';
import { type CommonOptions, runAs, runWriting, type Session, sendWritten } from '../run';
import { claimText, readyText, taskRow, taskText, waitingText } from '../taskText';

export function addTaskCommands(program: Command): void {
  program
    .command('next')
    .description('The task that is next for you, or why none is ready. Claims nothing.')
    .action(next);
  program
    .command('list')
    .description('Tasks of the linked project.')
    .option('--milestone <name>', 'name or id')
    .option('--assignee <name>', 'name or id of a member, me, or nobody')
    .option('--all', 'done and cancelled ones too')
    .action(list);
  program.command('show').description('A task in short.').argument('<task>', 'key or id').action(show);
  program
    .command('context')
    .description('All there is to know to do a task, as Markdown, as agents get it.')
    .argument('<task>', 'key or id')
    .option('--max-tokens <number>', 'o200k tokens', '6000')
    .action(context);
  program
    .command('depend')
    .description('Say that a task waits for another one.')
    .argument('<task>', 'key or id')
    .argument('<on>', 'key or id')
    .option('--remove', 'it no longer does')
    .action(depend);
  program
    .command('comment')
    .description('Write into the feed of a task.')
    .argument('<task>', 'key or id')
    .argument('[text]', 'Markdown; absent: standard input')
    .action(comment);
  program.addCommand(taskCommand());
}

function taskCommand(): Command {
  const task = new Command('task').description('Create and change tasks.');
  const fields = (command: Command) =>
    command
      .option('--title <text>')
      .option('--description <text>', 'Markdown; - reads standard input')
      .option('--priority <priority>', 'low, medium, high or urgent');
  fields(task.command('create').description('Create a task.').argument('[title]', 'or by --title'))
    .option('--milestone <name>', 'name or id; absent: the only active one')
    .option('--parent <task>', 'key or id')
    .action(create);
  fields(task.command('edit').description('Change a task.').argument('<task>', 'key or id'))
    .option('--status <status>', 'todo, in_progress, blocked or cancelled')
    .action(edit);
  task
    .command('move')
    .description('Move a task to a stage; without one, to the next.')
    .argument('<task>', 'key or id')
    .argument('[stage]')
    .option('--reason <text>', 'why it passes a checkpoint at which nobody asks for a review')
    .action(move);
  task
    .command('finish')
    .description('Make a task done, from its last stage.')
    .argument('<task>')
    .action(finish);
  task.command('delete').description('Delete a task with its subtasks.').argument('<task>').action(remove);
  task
    .command('restore')
    .description('Restore a deletion; without a name, lists what can be restored.')
    .argument('[deletion]', 'key of the task that was deleted, or id of the deletion in the list')
    .action(restore);
  return task;
}

function next(options: CommonOptions): Promise<void> {
  return runAs(options, async ({ device, link, print }) => {
    const scope = link ? { workspace_id: link.workspace_id, project_id: link.project_id } : {};
    const found = await device.contextService.getNextTask(scope);
    const waiting = print.json || found.task ? [] : found.waiting;
    const names = { tasks: await taskNames(device.contextService, waiting.flatMap(taskIdsOf)) };
    print.result(found, () =>
      found.task
        ? shown(taskLine(found.task, null))
        : [
            `No task is ready; what waits (${found.open}):`,
            ...waiting.map((one) => `  ${waitingText(one, names)}`),
          ].join('\n'),
    );
  });
}

interface ListOptions extends CommonOptions {
  milestone?: string;
  assignee?: string;
  all?: boolean;
}

function list(options: ListOptions): Promise<void> {
  return runAs(options, async ({ device, link, print, profile }) => {
    const service = device.contextService;
    const projects = await projectsIn(service, link);
    const milestones = await milestonesIn(service, projects, options.milestone);
    const tasks = (await Promise.all(milestones.map(({ id }) => service.getTasks(id)))).flat();
    const members = await membersOf(service, projects);
    const isWanted =
      options.assignee === undefined ? () => true : assignedTo(members, options.assignee, profile.userId);
    const wanted = tasks.filter((task) => isWanted(task) && (options.all || !CLOSED.includes(task.status)));
    print.result(wanted, () =>
      wanted.length === 0 ? 'No tasks.' : table(wanted.map((task) => taskRow(task, members))),
    );
  });
}

function show(reference: string, options: CommonOptions): Promise<void> {
  return runAs(options, async ({ device, link, print }) => {
    const service = device.contextService;
    const task = await taskNamed(service, reference, link);
    const [found, readiness, review, members] = await Promise.all([
      service.getTaskContext(task.id),
      service.getReadiness(task.id),
      service.getReview(task.id),
      service.getMembers(task.workspace_id),
    ]);
    const { assignee, claim } = holdersOf(task, found?.workflow ?? null, members, Date.now());
    const waits = found?.dependencies.filter(({ status }) => !CLOSED.includes(status)) ?? [];
    const names = {
      tasks: await taskNames(service, readiness ? taskIdsOf(readiness) : []),
      members: new Map(members.map(({ user_id, display_name }) => [user_id, display_name])),
    };
    print.result({ task, readiness, review, assignee, claim }, () =>
      table([
        ['task', `${nameOfTask(task, found?.project ?? null)}  ${shown(task.title)}`],
        ['stage', `${task.current_stage}, ${task.status}, ${task.priority}`],
        ['project', shown(found?.project?.name ?? '')],
        ['milestone', shown(found?.milestone?.name ?? '')],
        ['ready', readyText(readiness, names)],
        ['assigned to', assignee === null ? 'nobody' : shown(assignee.name)],
        ['claimed by', claimText(claim)],
        ['review', review ? `${review.stage}: ${review.state}` : 'none'],
        ['subtasks', String(found?.subtasks.length ?? 0)],
        ['waits for', waits.map((one) => nameOfTask(one, found?.project ?? null)).join(', ') || 'nothing'],
        ['description', shown(task.description ?? '')],
      ]),
    );
  });
}

function context(reference: string, options: CommonOptions & { maxTokens: string }): Promise<void> {
  return runAs(options, async ({ device, link, print }) => {
    const service = device.contextService;
    const task = await taskNamed(service, reference, link);
    const found = await service.getTaskContext(task.id);
    if (!found) return;
    const [{ renderTaskContext }, members, former] = await Promise.all([
      import('@/lib/contextText'),
      service.getMembers(task.workspace_id),
      service.getFormerMembers(task.workspace_id),
    ]);
    const rendered = await renderTaskContext(found, {
      maxTokens: Number(options.maxTokens),
      members: [...members, ...former],
    });
    print.result(rendered, rendered.markdown);
  });
}

interface Fields extends CommonOptions {
  title?: string;
  description?: string;
  priority?: string;
  status?: string;
}

async function fieldsOf({ title, description, priority, status }: Fields): Promise<TaskChanges> {
  const text = description === '-' ? await readPiped() : description;
  return {
    ...(title !== undefined && { title }),
    ...(text !== undefined && { description: text }),
    ...(priority !== undefined && { priority: priority as Task['priority'] }),
    ...(status !== undefined && { status: status as Task['status'] }),
  };
}

function create(
  argument: string | undefined,
  options: Fields & { milestone?: string; parent?: string },
  command: Command,
): Promise<void> {
  const title = titleOf(argument, options.title);
  if (!title.ok) command.error(title.error);
  return runAs(options, async (session) => {
    const { device, link, print } = session;
    const service = device.contextService;
    const parent = options.parent ? await taskNamed(service, options.parent, link) : null;
    const projects = await projectsIn(service, link);
    const milestones = await milestonesIn(service, projects);
    const active = milestones.filter(({ status }) => status === 'active');
    const place = options.milestone
      ? theOne('milestone', milestones, options.milestone)
      : (milestones.find(({ id }) => id === parent?.milestone_id) ??
        theOne('milestone', active.length === 1 ? active : milestones));
    const made = await service.createTask({
      ...(await fieldsOf(options)),
      title: title.value,
      milestone_id: place.id,
      ...(parent && { parent_task_id: parent.id }),
    });
    // The server gives it its key; until then the derived one names it.
    await sendWritten(session);
    const task = (await service.getLocalTask(made.id)) ?? made;
    const name = nameOfTask(task, projects.find(({ id }) => id === place.project_id) ?? null);
    print.result({ ...task, name }, `${name}  ${shown(task.title)}`);
  });
}

/** @returns the title of a new task, or in words why none is given */
export function titleOf(argument: string | undefined, option: string | undefined): Result<string, string> {
  if (argument !== undefined && option !== undefined && argument !== option) {
    return fail(
      `error: two titles are given, ${quoted(argument)} and ${quoted(option)} by --title. Give one.`,
    );
  }
  const title = argument ?? option;
  return title === undefined
    ? fail('error: a title is missing. Give it as in: convoy task create "A title"')
    : ok(title);
}

function edit(reference: string, options: Fields): Promise<void> {
  return changing(reference, options, async ({ device }, task) =>
    device.contextService.updateTask(task.id, await fieldsOf(options)),
  );
}

function move(
  reference: string,
  stage: string | undefined,
  options: CommonOptions & { reason?: string },
): Promise<void> {
  return changing(reference, options, async ({ device }, task) => {
    const service = device.contextService;
    const workflow = await service.getWorkflowById(task.workflow_id ?? STANDARD_WORKFLOW_ID);
    const stages = inOrder(workflow?.stages ?? []).map(({ name }) => name);
    const following = stages[stages.indexOf(task.current_stage) + 1] ?? task.current_stage;
    return service.updateTaskStage(task.id, stage ?? following, undefined, {
      reason: options.reason,
    });
  });
}

function finish(reference: string, options: CommonOptions): Promise<void> {
  return changing(reference, options, ({ device }, task) => device.contextService.finishTask(task.id));
}

function changing(
  reference: string,
  options: CommonOptions,
  change: (session: Session, task: Task) => Promise<Task>,
): Promise<void> {
  return runWriting(options, async (session) => {
    const task = await taskNamed(session.device.contextService, reference, session.link);
    const changed = await change(session, task);
    session.print.result(changed, () => shown(taskLine(changed, null)));
  });
}

function remove(reference: string, options: CommonOptions): Promise<void> {
  return runWriting(options, async ({ device, link, print }) => {
    const task = await taskNamed(device.contextService, reference, link);
    await device.contextService.deleteTask(task.id);
    print.result(
      { deleted: task.id },
      `${taskText(task)} is deleted. It comes back by: convoy task restore ${nameOfTask(task, null)}`,
    );
  });
}

function restore(deletion: string | undefined, options: CommonOptions): Promise<void> {
  return runWriting(options, async ({ device, link, print }) => {
    const service = device.contextService;
    const workspaces = link ? [link.workspace_id] : (await service.getWorkspaces()).map(({ id }) => id);
    const found = (await Promise.all(workspaces.map((id) => service.getDeletions(id)))).flat();
    if (deletion !== undefined) {
      const { deletionNamed } = await import('@/machine/deletions');
      const { id, name } = await deletionNamed(device, found, deletion);
      await service.restoreDeletion(id);
      const back = await service.getLocalTask(found.find((one) => one.id === id)?.entity_id ?? '');
      print.result({ restored: id }, `${back ? taskText(back) : shown(name)} is restored.`);
      return;
    }
    print.result(found, () =>
      found.length === 0
        ? 'Nothing can be restored.'
        : table(
            found.map(({ id, entity_type, name, parts, created_at }) => [
              shortId(id),
              entity_type,
              count(parts, 'record'),
              created_at,
              clipped(name, 60),
            ]),
          ),
    );
  });
}

function depend(reference: string, on: string, options: CommonOptions & { remove?: boolean }): Promise<void> {
  return runWriting(options, async ({ device, link, print }) => {
    const service = device.contextService;
    const [task, other] = [await taskNamed(service, reference, link), await taskNamed(service, on, link)];
    if (options.remove) await service.removeTaskDependency(task.id, other.id);
    else await service.addTaskDependency(task.id, other.id);
    const verb = options.remove ? 'no longer waits for' : 'waits for';
    print.result({ task: task.id, on: other.id }, `${taskText(task)} ${verb} ${taskText(other)}.`);
  });
}

function comment(reference: string, text: string | undefined, options: CommonOptions): Promise<void> {
  return runWriting(options, async ({ device, link, print }) => {
    const task = await taskNamed(device.contextService, reference, link);
    const written = await device.contextService.addComment(task.id, text ?? (await readPiped()));
    print.result(written, `Written on ${taskText(task)}.`);
  });
}
