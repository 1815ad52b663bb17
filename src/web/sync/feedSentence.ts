import type { Json } from '@/core/protocol';
import { activityText } from '../tasks/activityText';

/**
 * An unsynced entry of the activity feed as a sentence, from its stored columns.
 * @returns null when it has no activity type
 */
export function feedSentence(type: unknown, details: unknown): string | null {
  if (typeof type !== 'string') return null;
  const {
    sentence,
    quote,
    otherTask: taskId,
  } = activityText({ activity_type: type, details: parse(details) }, (id) =>
    id === null ? 'nobody' : 'somebody',
  );
  const told = taskId ? `You ${sentence} “${taskId.title}”` : `You ${sentence}`;
  return quote === null ? `${told}.` : `${told}: ${quote}`;
}

function parse(details: unknown): Json {
  if (typeof details !== 'string') return {};
  try {
    return JSON.parse(details) as Json;
  } catch {
    return {};
  }
}
