/** SQL files as statements, so that a migration can hold a function as it stands in `supabase/schemas`. */

/** A dollar quote, a string, a quoted name, a comment, or the end of a statement: whichever begins first. */
const TOKEN = /\$([a-z_]*)\$[\s\S]*?\$\1\$|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|;/gi;

/** Comments and blank lines before a statement. */
const LEADING = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/;

/** @returns the statements of a file in their order, each with its semicolon, without the comments before it */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let start = 0;
  for (const token of sql.matchAll(TOKEN)) {
    if (token[0] !== ';') continue;
    const end = token.index + 1;
    statements.push(sql.slice(start, end).replace(LEADING, ''));
    start = end;
  }
  return statements;
}

const CREATE_FUNCTION = /^create (?:or replace )?function ([a-z_]+\.[a-z0-9_]+)\s*\(/i;

/** @returns `schema.name` of the function that a statement creates, or null */
export function createdFunction(statement: string): string | null {
  return CREATE_FUNCTION.exec(statement)?.[1] ?? null;
}

/** @returns the statement, to be run where the function may exist already */
export function asReplacement(statement: string): string {
  return statement.replace(/^create function /i, 'create or replace function ');
}
