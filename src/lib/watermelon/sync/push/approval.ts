/** When a person's approval meets an agent's move of the same task (design of checkpoints). */

import type { WorkflowStage } from '@/domain/entities';
import { checkpointInTheWay, passesCheckpoints } from '@/domain/taskRules';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import type { Workflow, WorkspaceMember } from '../../models';
import { Q, type Raw, type RawValue } from '../../models/watermelondb';
import type { Settling } from './pushContext';

/**
 * @param baseStage the stage the local edit was made on
 * @returns whether the local edit takes the task past a checkpoint, made by a person who may, while
 * the other edit is an agent's
 */
export async function isApprovalOverAgent(
  to: Settling,
  baseStage: RawValue,
  local: Raw,
  remote: Raw,
): Promise<boolean> {
  if (typeof baseStage !== 'string' || baseStage === local.current_stage) return false;
  const [mine, theirs] = await Promise.all([
    member(to, local, to.session.userId),
    member(to, local, remote.last_modified_by ?? null),
  ]);
  if (!mine || !passesCheckpoints(mine)) return false;
  if (!theirs || (theirs.kind !== 'agent' && theirs.role !== 'agent')) return false;
  const stages = await stagesOf(to, local);
  return checkpointInTheWay(stages, baseStage, local.current_stage as string, false) !== null;
}

async function member(to: Settling, record: Raw, userId: RawValue): Promise<WorkspaceMember | null> {
  if (typeof userId !== 'string') return null;
  const [found] = await to.database
    .get<WorkspaceMember>('workspace_members')
    .query(Q.where('workspace_id', record.workspace_id as string), Q.where('user_id', userId))
    .fetch();
  return found ?? null;
}

async function stagesOf(to: Settling, record: Raw): Promise<WorkflowStage[]> {
  const id = (record.workflow_id as string | null) ?? STANDARD_WORKFLOW_ID;
  const [workflow] = await to.database.get<Workflow>('workflows').query(Q.where('id', id)).fetch();
  return workflow?.stages ?? [];
}
