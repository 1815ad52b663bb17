/** Records by what people and agents call them, and lines that show them; for the command line and the tools alike. */

import type { ContextService } from '@/domain/contextService';
import type { Milestone, Project, Task, WorkspaceMember } from '@/domain/entities';
import { nameOfTask } from '@/domain/keys';
import { MachineFailure } from './errors';
import type { Link } from './link';

type Service = ContextService;

/** @throws MachineFailure `not_found`; ConvoyError `validation/ambiguous`, `validation/bad_value` */
export async function taskNamed(service: Service, reference: string, link: Link | null): Promise<Task> {
  const here = link && (await service.findTask(reference, { workspace_id: link.workspace_id }));
  const task = here ?? (await service.findTask(reference));
  if (task) return task;
  throw notFound(
    `There is no task ${quoted(reference)} that you may see. Tasks are named by key, as in FIELD-42.`,
  );
}

/** The projects that a folder, or a name, is about. */
export async function projectsIn(
  service: Service,
  link: Link | null,
  named?: string | null,
): Promise<Project[]> {
  const workspaces = link ? [link.workspace_id] : (await service.getWorkspaces()).map(({ id }) => id);
  const projects = (await Promise.all(workspaces.map((id) => service.getProjects(id)))).flat();
  if (named) return [theOne('project', projects, named)];
  return link?.project_id ? projects.filter(({ id }) => id === link.project_id) : projects;
}

export async function milestonesIn(
  service: Service,
  projects: readonly Project[],
  named?: string | null,
): Promise<Milestone[]> {
  const milestones = (await Promise.all(projects.map(({ id }) => service.getMilestones(id)))).flat();
  return named ? [theOne('milestone', milestones, named)] : milestones;
}

/** @returns the member with this name or id */
export async function memberNamed(
  service: Service,
  workspaceId: string,
  named: string,
): Promise<WorkspaceMember> {
  return memberAmong('member', await service.getMembers(workspaceId), named);
}

function memberAmong(noun: string, members: readonly WorkspaceMember[], named: string): WorkspaceMember {
  return theOne(
    noun,
    members.map((member) => ({ ...member, name: member.display_name, others: [member.user_id] })),
    named,
  );
}

/** @returns the members of the workspaces of projects, each user once */
export async function membersOf(service: Service, projects: readonly Project[]): Promise<WorkspaceMember[]> {
  const workspaces = [...new Set(projects.map(({ workspace_id }) => workspace_id))];
  const members = (await Promise.all(workspaces.map((id) => service.getMembers(id)))).flat();
  return [...new Map(members.map((member) => [member.user_id, member])).values()];
}

/**
 * @param named name or id of a member, `me`, or `nobody`
 * @returns whether a task is assigned so
 * @throws MachineFailure `not_found`, `ambiguous`
 */
export function assignedTo(
  members: readonly WorkspaceMember[],
  named: string,
  userId: string,
): (task: Pick<Task, 'assignee_id'>) => boolean {
  const wanted = named.trim().toLowerCase();
  const assignee =
    wanted === 'nobody' ? null : wanted === 'me' ? userId : memberAmong('assignee', members, named).user_id;
  return ({ assignee_id }) => assignee_id === assignee;
}

interface Named {
  id: string;
  name: string;
  others?: readonly string[];
}

/** @returns the record with this name or id; where none is named, the only one */
export function theOne<T extends Named>(noun: string, all: readonly T[], named?: string): T {
  const wanted = named?.trim().toLowerCase();
  const fits =
    wanted === undefined
      ? all
      : all.filter(
          ({ id, name, others = [] }) => [id, ...others].includes(wanted) || name.toLowerCase() === wanted,
        );
  const [only, another] = fits;
  if (only && !another) return only;
  const names = all
    .slice(0, 10)
    .map(({ name }) => quoted(name))
    .join(', ');
  const known =
    names === ''
      ? 'There is none that you may see.'
      : `Name one of: ${names}${all.length > 10 ? ', …' : ''}.`;
  if (only) {
    const reason = wanted === undefined ? `There are several ${noun}s.` : `Several ${noun}s are called so.`;
    throw new MachineFailure({ kind: 'machine', code: 'ambiguous', message: `${reason} ${known}` });
  }
  throw notFound(`There is no ${noun} ${named === undefined ? '' : quoted(named)}. ${known}`);
}

/** A task in a line of about 25 tokens: key, what it is at, and its title. */
export function taskLine(task: Task, project: Pick<Project, 'key' | 'name'> | null): string {
  const marks = [task.priority === 'medium' ? '' : task.priority, task.status === 'todo' ? '' : task.status];
  const at = [task.current_stage, ...marks.filter((mark) => mark !== '')].join(', ');
  return `${nameOfTask(task, project)} [${at}] ${oneLine(task.title, 80)}`;
}

/** @returns text of members on one line, without control characters, cut to so many characters */
export function oneLine(text: string, most: number): string {
  const line = text
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const characters = [...line];
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join('')}…`;
}

/** @returns the end of an id: what is shown of it in lists, and names an entry of them */
export function shortId(id: string): string {
  return id.slice(-7);
}

/** Text of a member, in a message: short, on one line, in quotes. */
export function quoted(text: string): string {
  return JSON.stringify(oneLine(text, 60));
}

function notFound(message: string): MachineFailure {
  return new MachineFailure({ kind: 'machine', code: 'not_found', message });
}
