import { useEffect, useState } from 'react';
import type { TaskContext } from '@/core/entities';
import { getTaskContext } from '@/lib/watermelon/contextService';
import { useAction } from './useAction';
import { useTaskContext } from './useTaskContext';

export interface MemoryBank {
  /** null: there is no such task, or it cannot be had now. */
  context: TaskContext | null;
  isLoading: boolean;
  error: unknown;
  /** Asks again, the server too where something is missing here. */
  refreshContext: () => Promise<boolean>;
}

/** The context of a task: the local one, live; the server's while the task is not on this device. */
export function useMemoryBank(taskId: string): MemoryBank {
  const local = useTaskContext(taskId);
  const [remote, setRemote] = useState<TaskContext | null>(null);
  const [hasAsked, setAsked] = useState(false);
  const { run, isRunning, error } = useAction(async () => setRemote(await getTaskContext(taskId)));

  const isMissing = local === null;
  useEffect(() => {
    if (!isMissing || hasAsked) return;
    setAsked(true);
    void run();
  });

  return {
    context: local ?? remote,
    isLoading: local === undefined || (isMissing && (isRunning || !hasAsked)),
    error,
    refreshContext: run,
  };
}
