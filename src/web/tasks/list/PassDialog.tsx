import { useState } from 'react';
import { useRecord } from '../../hooks/useQuery';
import { CheckpointDialog } from '../CheckpointDialog';
import { useTaskEdits } from './useTaskEdits';

/** The move of a task to a stage past human checkpoints. */
export interface Pass {
  taskId: string;
  stage: string;
  passes: readonly string[];
}

/** The dialog for a move that passes human checkpoints, from a list, which does not have all of the task. */
export function PassDialog({
  pass: { taskId, stage, passes },
  onClose,
}: {
  pass: Pass;
  onClose: () => void;
}) {
  const task = useRecord('tasks', taskId);
  const { jump } = useTaskEdits();
  const [error, setError] = useState<unknown>(null);
  if (!task) return null;
  const onJump = async (to: string, reason: string) => {
    const failure = await jump(task, to, reason);
    setError(failure);
    return failure === null;
  };
  return (
    <CheckpointDialog
      task={task}
      stage={stage}
      passes={passes}
      onJump={onJump}
      jumpError={error}
      onClose={onClose}
    />
  );
}
