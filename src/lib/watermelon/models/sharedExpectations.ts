/**
 * How `sync_base` is stored: what edits of a record expect of one column stands in it once, and not at all beside an edit of that column
 * that holds the same value last in step. A text of 100,000 characters would otherwise be there once for each edited column.
 */

import type { RawValue } from './watermelondb';

type Values = Record<string, RawValue>;

interface Edit {
  value: RawValue;
  expected?: Values;
}

interface Base<Column extends Edit> {
  columns: Record<string, Column>;
}

interface StoredBase<Column extends Edit> {
  /** `expects`: the expected columns whose values stand elsewhere. Earlier versions stored all of them in `expected`. */
  columns: Record<string, Column & { expects?: string[] }>;
  /** Expected values of columns that have no edit. */
  expected?: Values;
}

/** @returns the text of `sync_base` */
export function baseToText<Column extends Edit>(base: Base<Column>): string {
  const edits = Object.entries(base.columns);
  if (!edits.some(([, { expected }]) => expected)) return JSON.stringify(base);
  const shared: Values = {};
  const columns = edits.map(([column, edit]) => {
    if (!edit.expected) return [column, edit];
    const [expects, own]: [string[], Values] = [[], {}];
    for (const [name, value] of Object.entries(edit.expected)) {
      const edited = base.columns[name];
      if (!edited && !(name in shared)) shared[name] = value;
      // Edits that were made before and after a pull may expect different values.
      if ((edited ? edited.value : shared[name]) === value) expects.push(name);
      else own[name] = value;
    }
    return [column, { ...edit, expects, expected: Object.keys(own).length > 0 ? own : undefined }];
  });
  return JSON.stringify({ ...base, columns: Object.fromEntries(columns), expected: shared });
}

/** @returns what was stored as such a text, or as that of an earlier version */
export function textToBase<Column extends Edit, Whole extends Base<Column>>(text: string): Whole {
  const base = JSON.parse(text) as StoredBase<Column>;
  const { expected: shared } = base;
  // Nearly all edits expect nothing.
  if (shared === undefined) return base as unknown as Whole;
  delete base.expected;
  for (const edit of Object.values(base.columns)) {
    if (!edit.expects) continue;
    const found = edit.expects.map((name) => [name, (base.columns[name] ?? { value: shared[name] }).value]);
    edit.expected = { ...Object.fromEntries(found), ...edit.expected };
    delete edit.expects;
  }
  return base as unknown as Whole;
}
