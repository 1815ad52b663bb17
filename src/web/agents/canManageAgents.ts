import type { WorkspaceMember } from '@/domain/entities';
import { passesCheckpoints } from '@/domain/permissions';

/** Whether somebody makes, stops and revokes agents: people who own or edit the workspace, which are those that pass checkpoints. */
export function canManageAgents(member: Pick<WorkspaceMember, 'role' | 'kind'>): boolean {
  return passesCheckpoints(member);
}
