/** Recognises a person's approval that meets an agent's edit of the same columns (D12). */

import type { WorkflowStage } from '@/domain/entities';
import { passesCheckpoints } from '@/domain/permissions';
import { columnsOf } from '@/domain/schema';
import { checkpointInTheWay } from '@/domain/taskRules';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { Workflow, WorkspaceMember } from '../../models';
import { Q, type Raw, type RawValue } from '../../models/watermelondb';
import type { PushContext } from './pushContext';

/**
 * Judges a conflict of a task's stage whose local edit may be a person's approval.
 * @param baseStage the stage that the local edit was made on
 * @param authors who made the other edits, by column, as the server named them
 * @returns `stands` where the local edit moves the task past a checkpoint, by a person who may, and every other edit of
 *   the stage's unit is an agent's; `unknown` where one of these may be a person's; else null
 */
export async function approvalOf(
  context: PushContext,
  baseStage: RawValue,
  local: Raw,
  authors: Record<string, string | null> | undefined,
): Promise<'stands' | 'unknown' | null> {
  if (typeof baseStage !== 'string' || baseStage === local.current_stage) return null;
  const mine = await member(context, local, context.sync.userId);
  if (!mine || !passesCheckpoints(mine)) return null;
  const stages = await stagesOf(context, local);
  if (checkpointInTheWay(stages, baseStage, local.current_stage as string, false) === null) return null;
  const unit = columnsOf('tasks').current_stage?.unit;
  const rivals = Object.entries(authors ?? {}).filter(([name]) => columnsOf('tasks')[name]?.unit === unit);
  if (rivals.length === 0) return 'unknown';
  let isKnown = true;
  for (const [, author] of rivals) {
    const rival = await member(context, local, author);
    if (rival === null) isKnown = false;
    else if (rival.kind !== 'agent' && rival.role !== 'agent') return null;
  }
  return isKnown ? 'stands' : 'unknown';
}

async function member(context: PushContext, record: Raw, userId: RawValue): Promise<WorkspaceMember | null> {
  if (typeof userId !== 'string') return null;
  const [found] = await context.database
    .of(WorkspaceMember)
    .query(Q.where('workspace_id', record.workspace_id as string), Q.where('user_id', userId))
    .fetch();
  return found ?? null;
}

async function stagesOf(context: PushContext, record: Raw): Promise<WorkflowStage[]> {
  const id = (record.workflow_id as string | null) ?? STANDARD_WORKFLOW_ID;
  const [workflow] = await context.database.of(Workflow).query(Q.where('id', id)).fetch();
  return workflow?.stages ?? [];
}
