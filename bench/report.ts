/** The results as a short table. */

import type { Result } from './measure';

const HEADINGS = [
  'work',
  'size',
  'subject',
  'ms',
  'x limit',
  'call ms',
  'requests',
  'RSS MB',
  'wire KB',
  'rows read',
];

export function asTable(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.work,
    result.size,
    result.subject,
    digits(result.ms),
    digits(result.ratio),
    digits(result.callMs),
    result.requests === null ? '' : String(result.requests),
    digits(result.rssMb),
    digits(result.wireKb),
    result.rowsRead === null ? '' : String(result.rowsRead),
  ]);
  return aligned(HEADINGS, rows);
}

/** @param rows cells as text; the first three columns begin at the left, the others end at the right */
export function aligned(headings: readonly string[], rows: readonly string[][]): string {
  const all = [[...headings], ...rows];
  const widths = headings.map((_, n) => Math.max(...all.map((row) => row[n]?.length ?? 0)));
  return all
    .map((row) =>
      row.map((cell, n) => (n < 3 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join('  '),
    )
    .join('\n');
}

export function digits(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '';
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
