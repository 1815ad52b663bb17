/** Types and helpers that the editors of settings share. Pure. */

import { fail, ok, type Result } from '@/core/result';

/** Why settings are not changed, with the line and column where that is in the text. */
export interface EditFault {
  message: string;
  /** From 1. */
  line?: number;
  column?: number;
}

export interface Wanted {
  /** Where in the settings the servers are. */
  path: readonly string[];
  /** The name of the server among them. */
  name: string;
  entry: Record<string, unknown>;
}

export type Edited = Result<string, EditFault>;

/** The marks of an entry that is reached over the network: it is not the one that is installed here. */
const OF_OTHERS = ['url', 'httpUrl', 'serverUrl'];

/** @returns the entry as it is to be: values that it has beside those of Convoy stay; or why it is left alone */
export function mergedEntry(
  { name, entry }: Wanted,
  present: unknown,
): Result<Record<string, unknown>, EditFault> {
  if (present === undefined) return ok(entry);
  if (!isObject(present)) return fail({ message: `The server "${name}" there is no table of settings.` });
  const foreign = OF_OTHERS.find((key) => key in present);
  if (foreign === undefined) return ok({ ...present, ...entry });
  return fail({
    message: `A server named "${name}" is there already, and is reached by ${foreign}. Choose another name by --name.`,
  });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns the line end of a text; of a text on one line, that of the platform's tools */
export function lineEndOf(text: string): '\n' | '\r\n' {
  return /\r?\n/.exec(text)?.[0] === '\r\n' ? '\r\n' : '\n';
}

/** @returns line and column, from 1, of a position in a text */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
