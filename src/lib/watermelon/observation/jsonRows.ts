/**
 * Rows of thousands of records as one text of JSON, made by SQLite: a browser takes half as long for it as for handing over each value from
 * SQLite's memory to the worker's, and from there to the page's. For rows without long texts, since a text has at most 1 GB.
 */

import type { RawValue } from '../models/watermelondb';

export interface JsonColumn {
  name: string;
  /** It holds numbers of any kind: SQLite writes them into JSON with 15 digits, and some have 17. */
  isNumber: boolean;
}

/** @returns what comes after `select`; the answer is one row with one value, for `rowsOfJson` */
export function jsonRows(columns: readonly JsonColumn[]): string {
  const values = columns.map(({ name, isNumber }) =>
    isNumber ? `iif(typeof("${name}") = 'real', printf('%!.17g', "${name}"), "${name}")` : `"${name}"`,
  );
  return `json_group_array(json_array(${values.join()}))`;
}

export function rowsOfJson(
  columns: readonly JsonColumn[],
  found: readonly (readonly RawValue[])[],
): RawValue[][] {
  const rows = JSON.parse(String(found[0]?.[0] ?? '[]')) as RawValue[][];
  for (const [index, { isNumber }] of columns.entries()) {
    if (!isNumber) continue;
    for (const row of rows) if (typeof row[index] === 'string') row[index] = Number(row[index]);
  }
  return rows;
}
