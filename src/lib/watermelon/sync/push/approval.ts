/** Recognises a person's approval that meets an agent's edit of the same task (D12). */

import type { WorkflowStage } from '@/domain/entities';
import { passesCheckpoints } from '@/domain/permissions';
import { checkpointInTheWay } from '@/domain/taskRules';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { Workflow, WorkspaceMember } from '../../models';
import { Q, type Raw, type RawValue } from '../../models/watermelondb';
import type { PushContext } from './pushContext';

/**
 * @param baseStage the stage the local edit was made on
 * @returns whether the local edit moves the task past a checkpoint, by a person who may, and the other edit is an agent's
 */
export async function isApprovalOverAgent(
  context: PushContext,
  baseStage: RawValue,
  local: Raw,
  remote: Raw,
): Promise<boolean> {
  if (typeof baseStage !== 'string' || baseStage === local.current_stage) return false;
  const [mine, theirs] = await Promise.all([
    member(context, local, context.sync.userId),
    member(context, local, remote.last_modified_by ?? null),
  ]);
  if (!mine || !passesCheckpoints(mine)) return false;
  if (!theirs || (theirs.kind !== 'agent' && theirs.role !== 'agent')) return false;
  const stages = await stagesOf(context, local);
  return checkpointInTheWay(stages, baseStage, local.current_stage as string, false) !== null;
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
