import { useEffect, useState } from 'react';
import type { TaskContext } from '@/domain/entities';
import { completeContext } from '@/domain/taskContext';
import { useAction } from '../ui/useAction';
import { useDevice } from './useDevice';
import { useTaskContext } from './useTaskContext';

export interface MemoryBank {
  /** null: there is no such task, or neither the device nor the server can give it now. */
  context: TaskContext | null;
  isLoading: boolean;
  /** Why the server did not answer; the local context is shown nevertheless. */
  error: unknown;
  /** Reads the context again, from the server where the local one is incomplete. @returns whether it worked */
  refreshContext: () => Promise<boolean>;
}

/** The context of a task: the local one, live, completed from the server where records are missing on this device. */
export function useMemoryBank(taskId: string): MemoryBank {
  const { contextService } = useDevice();
  const local = useTaskContext(taskId);
  // The page may show another task by the time an answer arrives, so the answer keeps its task's id.
  const [answer, setAnswer] = useState<{ taskId: string; context: TaskContext | null } | null>(null);
  const [askedFor, setAskedFor] = useState<string | null>(null);
  const { run, isRunning, error } = useAction(async () =>
    setAnswer({ taskId, context: await contextService.getTaskContext(taskId) }),
  );

  const isMissing = local === null;
  const isIncomplete = isMissing || (local !== undefined && local.missing.length > 0);
  useEffect(() => {
    if (!isIncomplete || askedFor === taskId) return;
    setAskedFor(taskId);
    void run();
  });

  const remote = answer?.taskId === taskId ? answer.context : null;
  return {
    context: local === undefined ? null : isIncomplete ? completeContext(local, remote) : local,
    isLoading: local === undefined || (isMissing && (isRunning || askedFor !== taskId)),
    error,
    refreshContext: run,
  };
}
