/** Reads the details of feed entries without trusting them: any client may have written any JSON. Pure. */

import type { Json } from '@/core/protocol';
import { isUuid } from '@/core/text';

export function asDetails(value: Json | undefined): Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

/** @returns the text, or null where the value is none or is empty. */
export function textIn(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** @returns the id that an entry names, as records have it: some clients spell UUIDs in capitals. Null where it is none. */
export function idIn(value: Json | undefined): string | null {
  const id = textIn(value);
  return isUuid(id) ? id.toLowerCase() : id;
}
