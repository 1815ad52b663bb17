/** Texts of which an entry of the feed has both forms. Pure. */

import type { Json } from '@/core/protocol';
import type { Activity } from '@/domain/entities';
import { asDetails, textIn } from '@/domain/entries';
import { wordsOf } from '../ui/labels';

export interface ChangedText {
  label: string;
  before: string;
  after: string;
}

/** Shorter ones, on one line, stand in the sentence. */
const LONG = 80;

/**
 * @param activities of the feed, newest first
 * @returns the texts that an entry changed, where it has both forms of them; of a request for review: against the request before it
 */
export function changedTexts(activity: Activity, activities: readonly Activity[]): ChangedText[] {
  const details = asDetails(activity.details);
  switch (activity.activity_type) {
    case 'task_updated':
      return Object.entries(asDetails(details.changes as Json)).flatMap(([column, change]) => {
        const [before, after] = Array.isArray(change) ? change : [];
        return both(`The ${wordsOf(column)}`, before, after);
      });
    case 'conflict_settled':
      return Object.entries(asDetails(details.columns as Json)).flatMap(([column, sides]) => {
        const { chosen, local, remote } = asDetails(sides as Json);
        return both(`The ${wordsOf(column)}`, chosen === local ? remote : local, chosen);
      });
    case 'review_requested': {
      const earlier = activities
        .slice(activities.indexOf(activity) + 1)
        .find(({ activity_type }) => activity_type === 'review_requested');
      const before = earlier && textIn(asDetails(earlier.details).text);
      const after = textIn(details.text);
      return before && after && before !== after
        ? [{ label: 'What changed since the request before', before, after }]
        : [];
    }
    default:
      return [];
  }
}

function both(label: string, before: unknown, after: unknown): ChangedText[] {
  if (typeof before !== 'string' || typeof after !== 'string') return [];
  const isLong = (text: string) => text.length > LONG || text.includes('\n');
  return isLong(before) || isLong(after) ? [{ label, before, after }] : [];
}
