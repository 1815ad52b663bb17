import { useEffect, useState } from 'react';
import type { TaskContext } from '@/domain/entities';
import { completeContext } from '@/domain/taskContext';
import { useAction } from '../ui/useAction';
import { useDevice } from './useDevice';
import { useTaskContext } from './useTaskContext';

export interface MemoryBank {
  /** null: there is no such task, or it cannot be had now. */
  context: TaskContext | null;
  isLoading: boolean;
  /** Why the server's answer could not be had; what is here is shown all the same. */
  error: unknown;
  /** Asks again, the server too where something is missing here. @returns whether it worked */
  refreshContext: () => Promise<boolean>;
}

/** The context of a task: the local one, live; completed by the server's where something is not on this device. */
export function useMemoryBank(taskId: string): MemoryBank {
  const { contextService } = useDevice();
  const local = useTaskContext(taskId);
  // An answer counts for the task it was asked about; the page may show another one by then.
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
