import { useCallback, useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import type { TaskLine } from '@/lib/watermelon';
import { useDevice } from '../../hooks/useDevice';
import { routes } from '../../routes';
import { drafts } from '../../shared/drafts';
import { toasts } from '../../ui/toasts';
import type { Rename } from './TaskRow';
import type { useTaskEdits } from './useTaskEdits';

/**
 * The row whose title is a field now. What is typed in it is a draft of the title, so that a row that goes takes no text along.
 * @param isThere whether the list has a row for the task
 */
export function useRename(edit: ReturnType<typeof useTaskEdits>['edit'], isThere: (id: string) => boolean) {
  const { userId } = useDevice();
  const [, navigate] = useLocation();
  const [id, setId] = useState<string | null>(null);
  const isLost = id !== null && !isThere(id);

  useEffect(() => {
    if (!isLost || id === null) return;
    setId(null);
    if (drafts.read({ userId, recordId: id, field: 'title' }) === null) return;
    toasts.add({
      title: 'The task whose title you were editing has left this list. What you typed is kept with it.',
      actionProps: { children: 'Show it', onClick: () => navigate(routes.task(id)) },
      priority: 'high',
    });
  }, [isLost, id, userId, navigate]);

  const save = useCallback(
    async (task: TaskLine, { title, base }: Rename) => {
      const told = `“${base}” is called “${title}”.`;
      // Its page shows both titles.
      const onFailed = { children: 'Show it', onClick: () => navigate(routes.task(task.id)) };
      const isSaved = await edit({ ...task, title: base }, { title }, told, onFailed);
      if (isSaved) drafts.remove({ userId, recordId: task.id, field: 'title' });
    },
    [edit, userId, navigate],
  );
  return { id, start: setId, end: () => setId(null), save };
}
