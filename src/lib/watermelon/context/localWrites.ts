/** What the Context Service writes: validated, checked early, and one local transaction with its activity. */

import { type AppError, ConvoyError } from '@/core/errors';
import type { Result } from '@/core/result';
import type { ActivityDraft } from '@/domain/activities';
import type { Workflow, WorkspaceMember } from '@/domain/entities';
import type { SyncedTable } from '@/domain/schema';
import { checkpointInTheWay, mayWrite, passesCheckpoints } from '@/domain/taskRules';
import { notFound, type RecordValues, validateInsert } from '@/domain/validation';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import type { ConvoyModel } from '../models';
import { Q } from '../models/watermelondb';
import { toStored } from '../sync/records/codec';
import type { LocalStore } from './localStore';

/** @returns the value, or rejects with the error. */
export function orThrow<T>(result: Result<T, AppError>): T {
  if (result.ok) return result.value;
  throw new ConvoyError(result.error);
}

export function refuse(code: string, column: string | null, message: string): never {
  throw new ConvoyError({ kind: 'rejected', code, column, message });
}

const NOUNS: Record<SyncedTable, string> = {
  workspaces: 'workspace',
  workspace_members: 'member',
  workflows: 'workflow',
  projects: 'project',
  milestones: 'milestone',
  tasks: 'task',
  task_dependencies: 'dependency',
  activity_feed: 'activity',
  patterns: 'pattern',
  best_practices: 'best practice',
  deletions: 'deletion',
};

/** @returns the failure of a write to a record that is not to be had. */
export function noSuch(table: SyncedTable, field = 'id'): ConvoyError {
  const missing = notFound(field, NOUNS[table]);
  return new ConvoyError(missing.error);
}

/** The part of `LocalFirst` that writing needs. */
export interface Writer {
  store: LocalStore;
  userId: string;
}

/** The membership the user acts with; the maker of a workspace that was never synced is its owner. */
export async function membership(
  { store, userId }: Writer,
  workspaceId: string,
): Promise<Pick<WorkspaceMember, 'role' | 'kind'> | null> {
  const [member] = await store.query<WorkspaceMember>(
    'workspace_members',
    Q.where('workspace_id', workspaceId),
    Q.where('user_id', userId),
  );
  if (member) return member;
  const workspace = await store.record('workspaces', workspaceId);
  return workspace && workspace.raw.remote_id === null ? { role: 'owner', kind: 'human' } : null;
}

/** Refuses early what the server would refuse for the user's role. */
export async function requireRole(
  writer: Writer,
  workspaceId: string,
  table: SyncedTable,
  operation: 'insert' | 'update' | 'delete',
): Promise<void> {
  const member = await membership(writer, workspaceId);
  if (mayWrite(member?.role ?? null, table, operation)) return;
  const who = member ? `With the role ${member.role} you` : 'You';
  refuse(
    'forbidden',
    null,
    `${who} may not ${operation} a ${NOUNS[table]} here. Ask an owner of the workspace.`,
  );
}

/** Refuses early what the server's checkpoint rule would refuse (rule R4), from what is known here. */
export async function requireFreeWay(
  writer: Writer,
  workspaceId: string,
  move: { workflow: Workflow | null; from: string | null; to: string; finished: boolean },
): Promise<void> {
  if (move.workflow === null) return;
  const member = await membership(writer, workspaceId);
  if (member && passesCheckpoints(member)) return;
  const checkpoint = checkpointInTheWay(move.workflow.stages, move.from, move.to, move.finished);
  if (checkpoint === null) return;
  refuse(
    'checkpoint',
    'current_stage',
    `${checkpoint} is a human checkpoint: an owner or editor has to move the task past it.`,
  );
}

/** Agents never choose a task's workflow. */
export async function refuseWorkflowByAgent(writer: Writer, workspaceId: string): Promise<void> {
  const member = await membership(writer, workspaceId);
  if (member?.role !== 'agent' && member?.kind !== 'agent') return;
  refuse(
    'forbidden',
    'workflow_id',
    'An agent may not choose the workflow of a task. Ask an owner or editor.',
  );
}

export async function workflowOf(store: LocalStore, workflowId: string | null): Promise<Workflow | null> {
  return store.find<Workflow>('workflows', workflowId ?? STANDARD_WORKFLOW_ID);
}

function assign(record: ConvoyModel, table: SyncedTable, values: RecordValues): void {
  for (const [name, value] of Object.entries(values)) {
    record.setColumn(name, toStored(table, name, value));
  }
}

/** Prepares a new record with validated values. */
export function prepareInsert(
  writer: Writer,
  table: SyncedTable,
  workspaceId: string | null,
  values: RecordValues,
): ConvoyModel {
  return writer.store.database.records(table).prepareCreate((record) => {
    record.setColumn('workspace_id', workspaceId ?? record.id);
    record.setColumn('last_modified_by', writer.userId);
    assign(record, table, values);
  });
}

/** Prepares an update with validated values. */
export function prepareUpdate(
  writer: Writer,
  record: ConvoyModel,
  table: SyncedTable,
  values: RecordValues,
): ConvoyModel {
  return record.prepareUpdate((draft) => {
    assign(draft, table, values);
    draft.setBookkeeping('last_modified_by', writer.userId);
  });
}

/** Prepares the activity that a write implies; the actor is the user of this device. */
export function prepareActivity(writer: Writer, workspaceId: string, draft: ActivityDraft): ConvoyModel {
  const values = orThrow(validateInsert('activity_feed', draft));
  const { database } = writer.store;
  return database.records('activity_feed').prepareCreate((record) => {
    record.setColumn('workspace_id', workspaceId);
    record.setColumn('actor_id', writer.userId);
    record.setColumn('last_modified_by', writer.userId);
    assign(record, 'activity_feed', values);
  });
}
