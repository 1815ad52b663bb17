import { useEffect, useState } from 'react';
import { ConvoyError } from '@/core/errors';
import type { Task } from '@/domain/entities';
import type { Where } from '@/lib/watermelon';
import { findTasks } from '@/lib/watermelon/lists';
import { useDevice } from './useDevice';

interface Search {
  text: string;
  /** Limits the tasks; none for those of all workspaces. */
  where?: Where & { workspace_id?: string };
  /** Most tasks that are found on this device. */
  most: number;
  /** Default: true. */
  isAsked?: boolean;
}

/** Tasks that a key names, then those whose titles have the words. The text of before goes on standing until the next is looked up. */
export function useFoundTasks({ text, where = {}, most, isAsked = true }: Search): Task[] {
  const { database, contextService } = useDevice();
  const [found, setFound] = useState<{ tasks: Task[] } | { error: unknown }>({ tasks: [] });
  const scope = JSON.stringify(where);
  useEffect(() => {
    if (!isAsked) return;
    let isLatest = true;
    const among = JSON.parse(scope) as NonNullable<Search['where']>;
    const { workspace_id } = among;
    const named = isReference(text)
      ? contextService
          .findTask(text.trim(), workspace_id === undefined ? {} : { workspace_id })
          .catch(noneOfSeveral)
      : null;
    Promise.all([named, findTasks(database, text, among, most)]).then(
      ([task, titled]) => {
        const tasks = task ? [task, ...titled.filter(({ id }) => id !== task.id)] : titled;
        if (isLatest) setFound({ tasks });
      },
      (error: unknown) => isLatest && setFound({ error }),
    );
    return () => {
      isLatest = false;
    };
  }, [database, contextService, text, scope, most, isAsked]);
  if ('error' in found) throw found.error;
  return found.tasks;
}

/** Several tasks may be called so: the list offers them by their titles. Every other failure is told. */
function noneOfSeveral(error: unknown): null {
  if (error instanceof ConvoyError && error.detail.kind === 'validation') return null;
  throw error;
}

/** Whether it is written as a key is: other texts are looked for on this device alone, and ask nobody. */
function isReference(text: string): boolean {
  return /^\s*(?:[a-z][a-z0-9]{0,9}-[1-9][0-9]{0,9}|(?:[a-z][a-z0-9]{0,9}-)?~[0-9a-z]{7})\s*$/i.test(text);
}
