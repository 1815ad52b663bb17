import type { TaskContext } from '@/domain/entities';
import { useDevice } from './useDevice';
import { useObservable } from './useObservable';

/**
 * Everything known about a task on this device, live.
 * @returns undefined until the local database has answered, null when there is no such task here
 */
export function useTaskContext(taskId: string): TaskContext | null | undefined {
  const { contextService } = useDevice();
  return useObservable(() => contextService.observeTaskContext(taskId), [contextService, taskId]);
}
