/** Which columns a write changes, and which it only repeats. */

import type { Json } from '@/core/protocol';
import { columnsOf, type SyncedTable } from './schema';

/** @returns whether two JSON values are equal; the order of keys does not matter. */
export function sameJson(one: Json, other: Json): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, index) => sameJson(item, other[index] ?? null))
    );
  }
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && sameJson(one[key] ?? null, other[key] ?? null))
  );
}

/**
 * @param before the stored record, in canonical form.
 * @param changes columns in canonical form.
 * @returns the columns among the changes whose value differs, in the order of the schema.
 */
export function changedColumns(
  table: SyncedTable,
  before: Readonly<Record<string, Json>>,
  changes: Readonly<Record<string, Json>>,
): string[] {
  return Object.keys(columnsOf(table)).filter(
    (column) => Object.hasOwn(changes, column) && !sameJson(changes[column] ?? null, before[column] ?? null),
  );
}
