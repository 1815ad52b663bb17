import { useMemo, useState } from 'react';
import type { Activity } from '@/domain/entities';
import { useAction } from '../ui/useAction';
import { useDevice } from './useDevice';
import { useQuery } from './useQuery';

const PAGE = 20;

/**
 * The activity feed of a task, newest first, a page at a time.
 * @param fallback shown while the task is not on this device
 */
export function useTaskActivityHistory(taskId: string, fallback: Activity[]) {
  const local = useQuery('activity_feed', { task_id: taskId });
  const { contextService } = useDevice();
  const [limit, setLimit] = useState(PAGE);
  const commenting = useAction((text: string) => contextService.addTaskActivity(taskId, 'comment', { text }));
  const all = useMemo(() => {
    const known: Activity[] = local && local.length > 0 ? local : fallback;
    return [...known].sort((a, b) =>
      a.created_at === b.created_at ? (a.id < b.id ? 1 : -1) : a.created_at < b.created_at ? 1 : -1,
    );
  }, [local, fallback]);
  return {
    activities: all.slice(0, limit),
    total: all.length,
    showMore: () => setLimit(limit + PAGE),
    comment: commenting.run,
    isCommenting: commenting.isRunning,
    error: commenting.error,
  };
}
