import { useEffect, useMemo } from 'react';
import { BehaviorSubject, distinctUntilChanged, switchMap } from 'rxjs';
import { DEFAULT_LIMITS, type FullLimits } from '@/domain/contextLimits';
import type { TaskContext } from '@/domain/entities';
import { useDevice } from './useDevice';
import { useObservable } from './useObservable';

/**
 * The context of a task as far as it is on this device, live.
 * @param limits of what is read; where they change, the context read before is returned until the next one is there
 * @returns undefined until the local database has answered, null when there is no such task here
 */
export function useTaskContext(
  taskId: string,
  limits: FullLimits = DEFAULT_LIMITS,
): TaskContext | null | undefined {
  const { contextService } = useDevice();
  // biome-ignore lint/correctness/useExhaustiveDependencies: of one task, limits change by `next`
  const latest = useMemo(() => new BehaviorSubject(limits), [contextService, taskId]);
  useEffect(() => latest.next(limits), [latest, limits]);
  return useObservable(
    () =>
      latest.pipe(
        distinctUntilChanged(),
        switchMap((wanted) => contextService.observeTaskContext(taskId, wanted)),
      ),
    [contextService, taskId, latest],
  );
}
