/** Pure. */

import type { Json } from '@/core/protocol';

/**
 * @param entry of the feed, as far as it is on this device
 * @param cut the text of an inbox in its newest form, cut at `INBOX_TEXT` characters
 * @returns the whole text, where the entry has not been edited since: then it begins as the cut one does
 */
export function textInEntry(entry: { details: Json } | null | undefined, cut: string): string {
  const details = entry?.details;
  const isObject = typeof details === 'object' && details !== null && !Array.isArray(details);
  const whole = isObject ? details.text : undefined;
  return typeof whole === 'string' && whole.startsWith(cut) ? whole : cut;
}
