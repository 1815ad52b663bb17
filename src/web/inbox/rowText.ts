/** Items of the inbox in words, for their rows. Pure. */

import type { Inbox } from '@/domain/inbox';
import { wordsOf } from '../ui/labels';
import type { InboxItem } from './items';

/** @returns the task that an item is about; null: it is about something else */
export function taskOfItem(item: InboxItem): string | null {
  switch (item.kind) {
    case 'review':
    case 'team':
      return item.review.task.id;
    case 'question':
    case 'mention':
      return item.entry.task.id;
    case 'conflict':
      return item.conflict.task_id;
    case 'loss':
      return item.loss.task_id;
    case 'refusal':
      return item.refusals.find(({ task_id }) => task_id !== null)?.task_id ?? null;
  }
}

/** The columns of a conflict, in words. */
export function columnsText({ columns }: Inbox['conflicts'][number]): string {
  return columns.map(wordsOf).join(', ');
}
