/** Tools that change a task, or write into its feed. */

import type { TaskChanges } from '@/domain/contextService';
import type { Workflow } from '@/domain/entities';
import { inOrder } from '@/domain/validation';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { memberNamed, taskNamed } from '@/machine/records';
import { Arguments } from '../arguments';
import type { Desk } from '../desk';
import { renewed } from './claims';
import { named, type Tool } from './common';

export const move: Tool = (given) => {
  const args = new Arguments(given, ['task', 'stage', 'claim']);
  const [reference, wanted, claim] = [
    args.text('task'),
    args.optionalText('stage'),
    args.optionalText('claim'),
  ];
  return async (desk) => {
    const service = desk.device.contextService;
    const task = await taskNamed(service, reference, desk.link);
    const stage = wanted ?? (await stageAfter(desk, task.workflow_id, task.current_stage));
    if (stage === null) return `${await named(desk, task)} is at its last stage. Call finish.`;
    const expected = { current_stage: task.current_stage };
    // First: where the claim is none, nothing is written.
    const lost = await renewed(desk, task.id, claim);
    const moved = await service.updateTaskStage(task.id, stage, undefined, { expected });
    return [...lost, `${await named(desk, moved)} is at ${moved.current_stage} (${moved.status}).`].join(
      '\n',
    );
  };
};

export async function workflowOf({ device }: Desk, workflowId: string | null): Promise<Workflow | null> {
  return device.contextService.getWorkflowById(workflowId ?? STANDARD_WORKFLOW_ID);
}

async function stageAfter(desk: Desk, workflowId: string | null, stage: string): Promise<string | null> {
  const stages = inOrder((await workflowOf(desk, workflowId))?.stages ?? []);
  const at = stages.findIndex(({ name }) => name === stage);
  return stages[at + 1]?.name ?? null;
}

export const report: Tool = (given) => {
  const args = new Arguments(given, ['task', 'text', 'branch', 'commit']);
  const [reference, text] = [args.text('task'), args.text('text')];
  const told = (['branch', 'commit'] as const).flatMap((name) => {
    const value = args.optionalText(name);
    return value === null ? [] : [`${name}: ${value}`];
  });
  return async (desk) => {
    const service = desk.device.contextService;
    const task = await taskNamed(service, reference, desk.link);
    await service.addComment(task.id, [text, ...(told.length > 0 ? ['', told.join('\n')] : [])].join('\n'));
    return `Reported on ${await named(desk, task)}.`;
  };
};

export const ask: Tool = (given) => {
  const args = new Arguments(given, ['task', 'text', 'to', 'answer']);
  const [reference, text, to, answer] = [
    args.text('task'),
    args.text('text'),
    args.optionalText('to'),
    args.optionalText('answer'),
  ];
  return async (desk) => {
    const service = desk.device.contextService;
    const task = await taskNamed(service, reference, desk.link);
    if (answer !== null) {
      const written = await service.answerQuestion(answer, text);
      return `Answered: ${written.id}.`;
    }
    const asked =
      to === null ? await maker(desk, task.workspace_id) : await memberNamed(service, task.workspace_id, to);
    if (asked === null) throw args.bad('to', 'has to name a member: nobody is recorded as who made you');
    const question = await service.askQuestion(task.id, text, { to: asked.user_id });
    return `Asked, id ${question.id}. Call wait for the answer, or work on something else.`;
  };
};

/** The person who made this agent, where they are still a member. */
async function maker({ device, profile }: Desk, workspaceId: string) {
  const members = await device.contextService.getMembers(workspaceId);
  const own = members.find(({ user_id }) => user_id === profile.userId);
  return members.find(({ user_id }) => user_id === own?.made_by) ?? null;
}

const FIELDS = ['title', 'description', 'priority', 'status'] as const;

export const update: Tool = (given) => {
  const args = new Arguments(given, ['task', 'set', 'was']);
  const reference = args.text('task');
  const [set, was] = [args.optionalObject('set') ?? {}, args.optionalObject('was') ?? {}];
  const checked = new Arguments(set, FIELDS, 'set.');
  const known = new Arguments(was, FIELDS, 'was.');
  const changes: TaskChanges = {};
  const expected: TaskChanges = {};
  for (const field of FIELDS) {
    if (!Object.hasOwn(set, field)) continue;
    Object.assign(changes, { [field]: checked.optionalText(field) });
    if (!Object.hasOwn(was, field))
      throw args.bad(`was.${field}`, 'is required: give what you have read of it');
    Object.assign(expected, { [field]: known.optionalText(field) });
  }
  if (Object.keys(changes).length === 0) throw args.bad('set', `has to hold one of ${FIELDS.join(', ')}`);
  return async (desk) => {
    const service = desk.device.contextService;
    const task = await taskNamed(service, reference, desk.link);
    await service.updateTask(task.id, changes, { expected });
    return `Updated ${await named(desk, task)}: ${Object.keys(changes).join(', ')}.`;
  };
};

export const depend: Tool = (given) => {
  const args = new Arguments(given, ['task', 'on', 'remove']);
  const [reference, on, remove] = [args.text('task'), args.text('on'), args.optionalFlag('remove')];
  return async (desk) => {
    const service = desk.device.contextService;
    const [task, other] = [
      await taskNamed(service, reference, desk.link),
      await taskNamed(service, on, desk.link),
    ];
    if (remove) await service.removeTaskDependency(task.id, other.id);
    else await service.addTaskDependency(task.id, other.id);
    const verb = remove ? 'no longer waits for' : 'waits for';
    return `${await named(desk, task)} ${verb} ${await named(desk, other)}.`;
  };
};
