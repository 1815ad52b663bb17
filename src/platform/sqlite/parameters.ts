/**
 * WatermelonDB writes the values of a query into its SQL, so that no two queries are the same text and
 * none could stay prepared. Here string literals become parameters again.
 */

import type { SqlValue } from './handle';

/** Beyond this a statement is not worth keeping; SQLite allows 32,766. */
const MOST_PARAMETERS = 64;

/**
 * Quoted names, and quoted strings with doubled quotes inside. `is` before a string is `=`, since a string is never
 * null; only for that one SQLite uses indexes that leave nulls out.
 */
const QUOTED = /"(?:[^"]|"")*"|(\bis )?'((?:[^']|'')*)'/g;

/** @returns the same query with its strings as arguments; as it was, where it has arguments already or too many strings. */
export function parameterised(sql: string, args: readonly SqlValue[]): [string, readonly SqlValue[]] {
  if (args.length > 0) return [sql, args];
  const found: string[] = [];
  const text = sql.replace(QUOTED, (whole, is: string | undefined, content: string | undefined) => {
    if (content === undefined) return whole;
    found.push(content.includes("''") ? content.replaceAll("''", "'") : content);
    return is === undefined ? '?' : '= ?';
  });
  // A comment may hold a quote that opens nothing.
  const isPlain = found.length <= MOST_PARAMETERS && !text.includes('--') && !text.includes('/*');
  return isPlain ? [text, found] : [sql, args];
}
