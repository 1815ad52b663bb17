import type { TaskContext, WorkflowStage } from '@/domain/entities';
import { checkpointInTheWay } from '@/domain/taskRules';
import { inOrder } from '@/domain/validation';
import { useAction } from '../ui/useAction';
import { usePermissions } from './usePermissions';
import { useSaveEdit } from './useSaveEdit';

export interface Stage extends WorkflowStage {
  place: 'behind' | 'here' | 'ahead';
  /** The human checkpoint that keeps this user from moving the task to this stage; null: none does. */
  blockedBy: string | null;
}

/** The stages of a task's workflow as steps, and moving between them. */
export function useTaskStageManagement({ task, workflow }: Pick<TaskContext, 'task' | 'workflow'>) {
  const { whyNot, passesCheckpoints } = usePermissions(task.workspace_id);
  const saveEdit = useSaveEdit();
  const moving = useAction((stage: string) => saveEdit('tasks', task, { current_stage: stage }));
  const known = inOrder(workflow?.stages ?? []);
  const here = known.findIndex(({ name }) => name === task.current_stage);
  const stages = known.map((stage, index): Stage => {
    const place = index === here ? 'here' : index < here ? 'behind' : 'ahead';
    const blockedBy = passesCheckpoints
      ? null
      : checkpointInTheWay(known, task.current_stage, stage.name, false);
    return { ...stage, place, blockedBy };
  });
  return {
    stages,
    moveTo: moving.run,
    isMoving: moving.isRunning,
    error: moving.error,
    whyNot: whyNot('tasks', 'update'),
  };
}
