/** Whether the user of this device may make an edit that settles something, and what it passes. */

import type { RejectedError } from '@/core/errors';
import { type Member, mayWrite, refusalOf } from '@/domain/permissions';
import type { SyncedTable } from '@/domain/schema';
import { checkpointsInTheWay } from '@/domain/taskRules';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import type { StageMove } from '@/domain/writes/plan';
import type { ConvoyDatabase } from '../../database';
import { type ConvoyModel, Workflow, WorkspaceMember } from '../../models';
import { Q, type Raw } from '../../models/watermelondb';
import type { LedgerOwner } from './settledActivity';

/** @returns the membership of a user in a workspace, as this device knows it. */
export async function membership(
  database: ConvoyDatabase,
  workspaceId: string,
  userId: string,
): Promise<Member | null> {
  const [found] = await database
    .of(WorkspaceMember)
    .query(Q.where('workspace_id', workspaceId), Q.where('user_id', userId))
    .fetch();
  return found ?? null;
}

/** @returns whether the user may change records of a table in a workspace. A workspace that was never pushed is its creator's. */
export async function mayEdit(
  { database, userId }: LedgerOwner,
  workspaceId: string,
  table: SyncedTable,
): Promise<boolean> {
  return mayWrite((await memberOrCreator(database, workspaceId, userId))?.role ?? null, table, 'update');
}

/** @returns the refusal that the server would answer the edit of a record with, or null. */
export async function editRefusal(
  { database, userId, kind }: LedgerOwner,
  record: ConvoyModel,
  table: SyncedTable,
  values: Partial<Raw>,
): Promise<RejectedError | null> {
  const member = await memberOrCreator(database, record.workspaceId, userId);
  const named = Object.fromEntries(
    Object.entries(values).filter(([name, value]) => record.raw[name] !== value),
  );
  const { workspaceId } = record;
  const change = { op: 'update', table, id: record.id, values: named as Record<string, never> } as const;
  const plan = { workspaceId, changes: [change], activities: [], answer: null };
  if (table !== 'tasks') return refusalOf(plan, member, null, kind);
  const move = await moveOf(database, record, values);
  return refusalOf(move ? { ...plan, move } : plan, member, move?.workflow ?? null, kind);
}

/** @returns the checkpoints that the edit of a task moves it past; null where its workflow is not on this device. */
export async function checkpointsPassed(
  { database }: LedgerOwner,
  task: ConvoyModel,
  values: Partial<Raw>,
): Promise<string[] | null> {
  const move = await moveOf(database, task, values);
  if (move === null) return [];
  const { workflow, from, to, finishes } = move;
  return workflow && checkpointsInTheWay(workflow.stages, from, to, finishes);
}

async function memberOrCreator(
  database: ConvoyDatabase,
  workspaceId: string,
  userId: string,
): Promise<Member | null> {
  const member = await membership(database, workspaceId, userId);
  if (member) return member;
  const workspace = await database.findRecord('workspaces', workspaceId);
  return workspace && workspace.raw.remote_id === null ? { role: 'owner', kind: 'human' } : null;
}

type Move = StageMove & { from: string; workflow: Workflow | null };

/** @returns the task's way through its workflow; null where the edit does not touch it. */
async function moveOf(
  database: ConvoyDatabase,
  { raw }: ConvoyModel,
  values: Partial<Raw>,
): Promise<Move | null> {
  const after = { ...raw, ...values };
  const moving = ['current_stage', 'status', 'completion_date', 'workflow_id'];
  if (moving.every((name) => raw[name] === after[name])) return null;
  const workflowId = (after.workflow_id as string | null) ?? STANDARD_WORKFLOW_ID;
  const [workflow] = await database.of(Workflow).query(Q.where('id', workflowId)).fetch();
  return {
    workflowId,
    from: raw.current_stage as string,
    to: after.current_stage as string,
    finishes: after.status === 'done' || (after.completion_date ?? null) !== null,
    workflow: workflow ?? null,
  };
}
