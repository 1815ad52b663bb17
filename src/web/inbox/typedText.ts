import { type DraftPlace, drafts } from '../shared/drafts';
import { REASON } from '../shared/useReason';
import { type InboxItem, nameOfItem } from './items';

/** Names of items whose text is on its way. */
const beingSent = new Set<string>();

/** @returns whether the item has a text that its person has typed, and that is not on its way */
export function isTypedInto(item: InboxItem, userId: string): boolean {
  const place = placeOf(item);
  if (place === null || beingSent.has(nameOfItem(item))) return false;
  const draft = drafts.read({ userId, ...place });
  if (draft === null) return false;
  return place.field !== REASON || ('review' in item && draft.base === item.review.request?.id);
}

/** The drafts are those that the page of the task has, too. */
function placeOf(item: InboxItem): Pick<DraftPlace, 'recordId' | 'field'> | null {
  switch (item.kind) {
    case 'review':
    case 'team':
      return { recordId: item.id, field: REASON };
    case 'question':
      return { recordId: item.id, field: 'answer' };
    case 'mention':
      return { recordId: item.entry.task.id, field: 'comment' };
    default:
      return null;
  }
}

/** Sends what was typed into an item, which does not stay open for its text meanwhile. */
export async function whileSent<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  beingSent.add(name);
  try {
    return await work();
  } finally {
    beingSent.delete(name);
  }
}
