/**
 * Records that a server is to get (again) though an earlier version took a name or title of which nothing can be seen: today's
 * servers refuse such a value, and with it all that stands under the record (P13).
 */

import { isBlank } from '@/core/text';
import { columnsOf, type SyncedTable } from '@/domain/schema';
import type { Raw } from '../../models/watermelondb';
import type { UnsyncedRecord } from '../records/unsynced';

/** Stands for such a name or title. */
const UNTITLED = 'Untitled';

/** @returns the record with names that can be seen; null where it has them, or is not to be inserted. */
export function titled({ table, raw }: Pick<UnsyncedRecord, 'table' | 'raw'>): Raw | null {
  if (raw._status !== 'created') return null;
  const blank = namesOf(table).filter((name) => isBlank(String(raw[name] ?? '')));
  if (blank.length === 0) return null;
  return { ...raw, ...Object.fromEntries(blank.map((name) => [name, UNTITLED])) };
}

const NAMES = ['name', 'title', 'pattern_type', 'category'];

function namesOf(table: SyncedTable): string[] {
  return NAMES.filter((name) => columnsOf(table)[name]);
}
