import { useEffect, useState } from 'react';
import { type ContextPart, DEFAULT_LIMITS, type FullLimits, moreOf } from '@/domain/contextLimits';
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
  /** Reads more of a list that is not whole (`left_out`). */
  showMore: (part: ContextPart) => void;
}

/** The page may show another task by the time something arrives, so what belongs to a task keeps its id. */
interface Asked {
  taskId: string;
  limits: FullLimits;
}

/**
 * The context of a task: the local one, live, completed from the server where records are missing on this device. It is
 * within limits, which `showMore` raises while the task is shown.
 */
export function useMemoryBank(taskId: string): MemoryBank {
  const { contextService } = useDevice();
  const [raised, setRaised] = useState<Asked | null>(null);
  const limits = raised?.taskId === taskId ? raised.limits : DEFAULT_LIMITS;
  const local = useTaskContext(taskId, limits);
  const [answer, setAnswer] = useState<(Asked & { context: TaskContext | null }) | null>(null);
  const [asked, setAsked] = useState<Asked | null>(null);
  const { run, isRunning, error } = useAction(async () => {
    const context = await (local ? missingParts() : contextService.getTaskContext(taskId, limits));
    setAnswer((before) => {
      // Without a network nothing more can be had; what is shown stays.
      const isLess = context === null && before?.taskId === taskId && before.limits !== limits;
      return isLess ? before : { taskId, limits, context };
    });
  });

  /** Without them the local context is incomplete but correct. */
  async function missingParts(): Promise<TaskContext | null> {
    try {
      return await contextService.getRemoteTaskContext(taskId, limits);
    } catch {
      return null;
    }
  }

  const isMissing = local === null;
  const isIncomplete = isMissing || (local !== undefined && local.missing.length > 0);
  const isAsked = asked?.taskId === taskId && asked.limits === limits;
  useEffect(() => {
    if (!isIncomplete || isAsked) return;
    setAsked({ taskId, limits });
    void run();
  });

  const remote = answer?.taskId === taskId ? answer.context : null;
  return {
    context: local === undefined ? null : isIncomplete ? completeContext(local, remote, limits) : local,
    isLoading: local === undefined || (isMissing && (isRunning || !isAsked)),
    error,
    refreshContext: run,
    showMore: (part) => setRaised({ taskId, limits: moreOf(limits, part) }),
  };
}
