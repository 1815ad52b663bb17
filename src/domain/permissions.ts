/** Permissions of members, as far as a service knows them before the server decides. */

import type { RejectedError } from '@/core/errors';
import { PAUSED_MESSAGE } from './agents';
import type { Workflow } from './entities';
import { RECORD_NOUNS, type RestorableTable, type SyncedTable } from './schema';
import { checkpointInTheWay } from './taskRules';
import type { MemberKind, Role } from './vocabulary';
import type { PlannedChange, WritePlan } from './writes/plan';

/** The part of a membership that permissions depend on. */
export interface Member {
  role: Role;
  kind: MemberKind;
  /** Since when the agent is to do nothing. */
  paused_at?: string | null;
}

/** @returns whether a member may move tasks past checkpoints: human owners and editors may. */
export function passesCheckpoints(member: Member): boolean {
  return member.kind === 'human' && (member.role === 'owner' || member.role === 'editor');
}

/** @returns whether a member invites and removes members and gives them roles: owners who are people do. */
export function managesMembers(member: Member): boolean {
  return member.kind === 'human' && member.role === 'owner';
}

/** @returns whether a member makes agents: people do who own or edit the workspace. */
export function makesAgents(member: Member): boolean {
  return passesCheckpoints(member);
}

/** @returns whether a member may revoke and pause an agent: owners every one, editors those that they made. */
export function managesAgent(
  member: Member & { user_id: string },
  agent: { kind: MemberKind; made_by: string | null },
): boolean {
  return (
    agent.kind === 'agent' &&
    makesAgents(member) &&
    (member.role === 'owner' || agent.made_by === member.user_id)
  );
}

/** @returns whether a member is the only owner who is a person. A workspace keeps one, so they stay and stay owner (R2). */
export function isLastOwner(member: Member, members: readonly Member[]): boolean {
  return managesMembers(member) && members.filter(managesMembers).length === 1;
}

type Operation = 'insert' | 'update' | 'delete';

/** The tables and operations a role may write, from the table of roles in `docs/sync-spec.md`. */
const OWNER_ONLY: readonly SyncedTable[] = ['workspaces', 'workspace_members'];
const AGENT_WRITES: Partial<Record<SyncedTable, readonly Operation[]>> = {
  tasks: ['insert', 'update'],
  task_dependencies: ['insert', 'delete'],
  activity_feed: ['insert'],
  patterns: ['insert', 'update'],
  best_practices: ['insert', 'update'],
};

/**
 * Whether a role may write so in its own workspace; null: the user is no member of it.
 * Creating a workspace needs no role. Beyond this, an agent may never write `workflow_id` or create a workspace, and
 * every member may leave.
 */
export function mayWrite(role: Role | null, table: SyncedTable, operation: Operation): boolean {
  if (table === 'workspaces' && operation === 'insert') return true;
  // People become members by accepting an invitation.
  if (table === 'workspace_members' && operation === 'insert') return false;
  // The server inserts them; which of them a member may restore, `mayRestore` says.
  if (table === 'deletions') return operation === 'update' && role !== 'viewer' && role !== null;
  switch (role) {
    case 'owner':
    case 'editor':
      if (role === 'editor' && OWNER_ONLY.includes(table)) return false;
      if (table === 'activity_feed') return operation === 'insert';
      return table !== 'task_dependencies' || operation !== 'update';
    case 'agent':
      return AGENT_WRITES[table]?.includes(operation) ?? false;
    case 'viewer':
    case null:
      return false;
  }
}

/** Whether a member may restore a deleted record: members that may create or delete such records, except agents for workflows. */
export function mayRestore(member: Member | null, table: RestorableTable): boolean {
  if (member === null || (table === 'workflows' && member.kind === 'agent')) return false;
  if (mayWrite(member.role, table, 'delete')) return true;
  return table !== 'workspaces' && mayWrite(member.role, table, 'insert');
}

/**
 * Finds the refusal that the server would answer a plan with.
 * @param member null for a user who is no member of the plan's workspace.
 * @param workflow that the plan's move goes through; null where it is not known here: the server then decides.
 * @param kind of the user.
 * @returns the refusal, or null where the plan may be written.
 */
export function refusalOf(
  plan: WritePlan,
  member: Member | null,
  workflow: Pick<Workflow, 'stages'> | null,
  kind: MemberKind = member?.kind ?? 'human',
): RejectedError | null {
  if (plan.leaves === true) return null;
  if ((member?.paused_at ?? null) !== null) {
    return { kind: 'rejected', code: 'paused', column: null, message: PAUSED_MESSAGE };
  }
  if (plan.restores !== undefined && !mayRestore(member, plan.restores)) {
    return forbidden(null, 'You may not restore this here. Ask an owner of the workspace.');
  }
  for (const { op, table } of plan.changes) {
    if (!mayWrite(member?.role ?? null, table, op)) return forbidden(null, roleMessage(member, op, table));
    if (kind === 'agent' && table === 'workspaces' && op === 'insert') {
      return forbidden(
        null,
        'An agent may not create a workspace. Ask a person to create it and to invite you.',
      );
    }
    if (kind === 'agent' && table === 'workspace_members') {
      return forbidden(null, 'An agent may not manage members. Ask an owner of the workspace.');
    }
  }
  const isAgent = member?.role === 'agent' || kind === 'agent';
  if (isAgent && plan.changes.some(choosesWorkflow)) {
    return forbidden(
      'workflow_id',
      'An agent may not choose the workflow of a task. Leave workflow_id out, or ask an owner or editor.',
    );
  }
  const isBound = member === null || !passesCheckpoints(member);
  if (plan.settlesReviewAt !== undefined && isBound) return stoppedAt(plan.settlesReviewAt);
  if (plan.deletesCommentOfOthers && !(member && managesMembers(member))) {
    return forbidden('details', 'A comment is deleted by its author, or by an owner who is a person.');
  }
  if (!plan.move || workflow === null || (member && passesCheckpoints(member))) return null;
  const { from, to, finishes } = plan.move;
  const checkpoint = checkpointInTheWay(workflow.stages, from, to, finishes);
  return checkpoint === null ? null : stoppedAt(checkpoint);
}

function choosesWorkflow(change: PlannedChange): boolean {
  if (change.table !== 'tasks' || change.op === 'delete') return false;
  const { workflow_id } = change.values;
  return change.op === 'insert' ? (workflow_id ?? null) !== null : workflow_id !== undefined;
}

function stoppedAt(checkpoint: string): RejectedError {
  return {
    kind: 'rejected',
    code: 'checkpoint',
    column: 'current_stage',
    message: `${checkpoint} is a human checkpoint: ask an owner or editor to move the task past it.`,
  };
}

function forbidden(column: string | null, message: string): RejectedError {
  return { kind: 'rejected', code: 'forbidden', column, message };
}

function roleMessage(member: Member | null, op: Operation, table: SyncedTable): string {
  const verb = op === 'insert' ? 'create' : op;
  const noun = RECORD_NOUNS[table];
  const object = `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
  const subject = member ? `With the role ${member.role} you` : 'You';
  return `${subject} may not ${verb} ${object} here. Ask an owner of the workspace.`;
}
