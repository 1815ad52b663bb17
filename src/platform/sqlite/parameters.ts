/**
 * WatermelonDB writes the values of a query into its SQL, so each query is another text and prepared statements
 * are never reused. This turns string literals back into parameters.
 */

import type { SqlValue } from './handle';

/** A statement with more parameters is unlikely to be reused; SQLite allows 32,766. */
const MOST_PARAMETERS = 64;

/**
 * Quoted names, and quoted strings with doubled quotes inside. `is` before a string becomes `=`, which means the same,
 * since a string is never null: SQLite uses partial indexes only with `=`.
 */
const QUOTED = /"(?:[^"]|"")*"|(\bis )?'((?:[^']|'')*)'/g;

/** @returns the query with its strings as arguments; unchanged where it already has arguments, or too many strings */
export function parameterised(sql: string, args: readonly SqlValue[]): [string, readonly SqlValue[]] {
  if (args.length > 0) return [sql, args];
  const found: string[] = [];
  const text = sql.replace(QUOTED, (whole, is: string | undefined, content: string | undefined) => {
    if (content === undefined) return whole;
    found.push(content.includes("''") ? content.replaceAll("''", "'") : content);
    return is === undefined ? '?' : '= ?';
  });
  // A quote inside a comment opens no string, so queries with comments stay unchanged.
  const isPlain = found.length <= MOST_PARAMETERS && !text.includes('--') && !text.includes('/*');
  return isPlain ? [text, found] : [sql, args];
}
