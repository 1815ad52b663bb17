/** The items of the inbox in the order in which a person goes through them. Pure. */

import type {
  Inbox,
  InboxConflict,
  InboxLoss,
  InboxMessage,
  InboxRefusal,
  InboxReview,
} from '@/domain/inbox';

export type InboxItem =
  | { kind: 'review' | 'team'; id: string; at: string; review: InboxReview }
  | { kind: 'question' | 'mention'; id: string; at: string; entry: InboxMessage }
  | { kind: 'conflict'; id: string; at: string; conflict: InboxConflict }
  | { kind: 'loss'; id: string; at: string; loss: InboxLoss }
  | { kind: 'refusal'; id: string; at: string; refusals: readonly InboxRefusal[] };

export interface InboxSection {
  title: string;
  items: readonly InboxItem[];
  /** Waits for others: shown on request, and not counted. */
  isOthers: boolean;
}

/** @returns the sections that are not empty */
export function sectionsOf(inbox: Inbox): InboxSection[] {
  const section = (title: string, items: readonly InboxItem[], isOthers = false) => ({
    title,
    items,
    isOthers,
  });
  return [
    section(
      'For your approval',
      inbox.reviews.map((review) => ({ kind: 'review', id: review.task.id, at: review.since, review })),
    ),
    section(
      'Questions to you',
      inbox.questions.map((entry) => ({ kind: 'question', id: entry.id, at: entry.since, entry })),
    ),
    section(
      'Mentions',
      inbox.mentions.map((entry) => ({ kind: 'mention', id: entry.id, at: entry.since, entry })),
    ),
    section(
      'Conflicts',
      inbox.conflicts.map((conflict) => ({ kind: 'conflict', id: conflict.id, at: conflict.at, conflict })),
    ),
    section('Refused changes', refusedGroups(inbox.refused)),
    section(
      'Deleted by others',
      inbox.deleted.map((loss) => ({ kind: 'loss', id: loss.id, at: loss.at, loss })),
    ),
    section(
      'Team',
      inbox.team.map((review) => ({ kind: 'team', id: review.task.id, at: review.since, review })),
      true,
    ),
  ].filter(({ items }) => items.length > 0);
}

/** Changes that are retried and discarded together are one item. */
function refusedGroups(refused: readonly InboxRefusal[]): InboxItem[] {
  const groups = new Map<string, InboxRefusal[]>();
  for (const refusal of refused) {
    const group = groups.get(refusal.group_id);
    if (group) group.push(refusal);
    else groups.set(refusal.group_id, [refusal]);
  }
  return [...groups].map(([id, refusals]) => ({ kind: 'refusal', id, at: refusals[0]?.at ?? '', refusals }));
}

/** An item as an address names it. A review is the same one, whoever it waits for. */
export const nameOfItem = ({ kind, id }: InboxItem): string => `${kind === 'team' ? 'review' : kind}:${id}`;

/** @returns the item that the address names; undefined where it waits no more */
export function itemNamed(items: readonly InboxItem[], name: string | null): InboxItem | undefined {
  return name === null ? undefined : items.find((item) => nameOfItem(item) === name);
}

/**
 * @param before the items when the one named was there last
 * @returns the item that takes the place of one that is gone: the one after it, or else the last
 */
export function itemInsteadOf(
  items: readonly InboxItem[],
  before: readonly InboxItem[],
  name: string,
): InboxItem | undefined {
  const at = before.findIndex((item) => nameOfItem(item) === name);
  const left = new Set(items.map(nameOfItem));
  const next = before.slice(at + 1).find((item) => left.has(nameOfItem(item)));
  return (next && itemNamed(items, nameOfItem(next))) ?? items.at(-1);
}
