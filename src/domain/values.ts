/**
 * The forms in which values are stored: all that is ever changed about what a caller gives. Devices and the remote service
 * normalise by this list; what reaches the server otherwise, it normalises by the same (`supabase/schemas/29_push_values.sql`)
 * and tells its device (U14). The list in words stands in docs/sync-spec.md, "Values".
 */

import type { Json } from '@/core/protocol';
import type { Result } from '@/core/result';
import { canonicalDay, canonicalId, canonicalTime, isUuid, type JsonFault, storableJson } from '@/core/text';

export const NORMAL_FORMS = {
  /** One line of text: without white space at either end. */
  line: (text: string): string => text.trim(),
  /** The beginning of keys: in capitals. null: it is none. */
  key: (text: string): string | null => {
    const key = text.trim().replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
    return /^[A-Z][A-Z0-9]{0,9}$/.test(key) ? key : null;
  },
  /** Long text, and types of activities: as they are. */
  text: (text: string): string => text,
  /** An id of a record: in small letters; ids of WatermelonDB's own kind as they are. null: it is none. */
  record: (id: unknown): string | null => canonicalId(id),
  /** An id of a user: in small letters. null: it is none. */
  user: (id: unknown): string | null => (isUuid(id) ? id.toLowerCase() : null),
  /** In UTC, to the millisecond; what is beyond it is cut off. null: it is no time. */
  time: (time: unknown): string | null => canonicalTime(time),
  /** Noon UTC of the day that is meant. null: it is no time. */
  day: (time: unknown): string | null => canonicalDay(time),
  /** -0 is 0. */
  number: (value: number): number => value + 0,
  /** Plain JSON: -0 is 0, what is undefined is left out. */
  json: (value: unknown): Result<Json, JsonFault> => storableJson(value),
} as const;
