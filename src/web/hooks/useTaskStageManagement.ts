import type { TaskContext, WorkflowStage } from '@/domain/entities';
import { checkpointsInTheWay } from '@/domain/taskRules';
import { inOrder } from '@/domain/validation';
import { useAction } from '../ui/useAction';
import { usePermissions } from './usePermissions';
import { useSaveEdit } from './useSaveEdit';

export interface Stage extends WorkflowStage {
  place: 'behind' | 'here' | 'ahead';
  /** The human checkpoint that keeps this user from moving the task to this stage; null: none does. */
  blockedBy: string | null;
  /** The human checkpoints on the way to this stage. */
  passes: readonly string[];
}

/** The stages of a task's workflow as steps, and moving between them. */
export function useTaskStageManagement({ task, workflow }: Pick<TaskContext, 'task' | 'workflow'>) {
  const { whyNot, passesCheckpoints, isKnown } = usePermissions(task.workspace_id);
  const saveEdit = useSaveEdit();
  const moving = useAction((stage: string, reason?: string) =>
    saveEdit('tasks', task, { current_stage: stage }, reason === undefined ? undefined : { reason }),
  );
  const known = inOrder(workflow?.stages ?? []);
  const here = known.findIndex(({ name }) => name === task.current_stage);
  const stages = known.map((stage, index): Stage => {
    const place = index === here ? 'here' : index < here ? 'behind' : 'ahead';
    const passes = checkpointsInTheWay(known, task.current_stage, stage.name, false);
    return { ...stage, place, blockedBy: passesCheckpoints || !isKnown ? null : (passes[0] ?? null), passes };
  });
  return {
    stages,
    moveTo: moving.run,
    isMoving: moving.isRunning,
    error: moving.error,
    whyNot: whyNot('tasks', 'update'),
    /** Whether the user's rights are known; until then the task is not moved. */
    isKnown,
  };
}
