import type { CommentOptions } from '@/domain/comments';
import type { Activity, TaskContext } from '@/domain/entities';
import { useAction } from '../ui/useAction';
import { useDevice } from './useDevice';

export interface ActivityHistory {
  /** Newest first, as many as the context has. */
  activities: Activity[];
  /** The number of activities that the task has, those that the context leaves out included. */
  total: number;
  /** Adds a comment. @returns whether it worked */
  comment: (text: string, options?: CommentOptions) => Promise<boolean>;
  isCommenting: boolean;
  error: unknown;
}

/** The activity feed of a task. */
export function useTaskActivityHistory({
  task,
  activities,
  left_out,
}: Pick<TaskContext, 'task' | 'activities' | 'left_out'>): ActivityHistory {
  const { contextService } = useDevice();
  const commenting = useAction((text: string, options?: CommentOptions) =>
    contextService.addComment(task.id, text, options),
  );
  return {
    activities,
    total: left_out.activities?.all ?? activities.length,
    comment: commenting.run,
    isCommenting: commenting.isRunning,
    error: commenting.error,
  };
}
