import type { TaskContext } from '@/domain/entities';
import { useDevice } from './useDevice';
import { useObservable } from './useObservable';

/**
 * The context of a task as far as it is on this device, live.
 * @returns undefined until the local database has answered, null when there is no such task here
 */
export function useTaskContext(taskId: string): TaskContext | null | undefined {
  const { contextService } = useDevice();
  return useObservable(() => contextService.observeTaskContext(taskId), [contextService, taskId]);
}
