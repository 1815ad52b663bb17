/**
 * Puts a server into settings of TOML; whatever else is there stays as it is. A new server is a table at the end, which any
 * TOML allows; one that is there is changed in place. A second parser judges the result. Pure.
 */

import { isDeepStrictEqual } from 'node:util';
import { patch } from '@decimalturn/toml-patch';
import { parse, stringify, TomlError } from 'smol-toml';
import { fail, ok, type Result } from '@/core/result';
import { type Edited, type EditFault, isObject, lineEndOf, mergedEntry, type Wanted } from './edit';

type Settings = Record<string, unknown>;

/** @param text without a byte order mark; empty: the file is new. Of `path` the first part alone is used. */
export function editToml(text: string, wanted: Wanted): Edited {
  const present = read(text);
  if (!present.ok) return present;
  const [table = ''] = wanted.path;
  const servers = present.value[table] ?? {};
  if (!isObject(servers)) return fail({ message: `"${table}" is no table there.` });
  const merged = mergedEntry(wanted, servers[wanted.name]);
  if (!merged.ok) return merged;
  const expected: Settings = {
    ...present.value,
    [table]: { ...servers, [wanted.name]: merged.value },
  };
  if (isDeepStrictEqual(present.value, expected)) return ok(text);
  const ways = wanted.name in servers ? [patched] : [appended, patched];
  for (const way of ways) {
    const edited = way(text, { ...wanted, entry: merged.value }, expected);
    const result = edited === null ? null : read(edited);
    if (edited !== null && result?.ok && isDeepStrictEqual(result.value, expected)) return ok(edited);
  }
  return fail({
    message: `It cannot be changed for certain. Write the table ${table}.${wanted.name} by hand.`,
  });
}

function read(text: string): Result<Settings, EditFault> {
  try {
    return ok(plain(parse(text, { integersAsBigInt: 'asNeeded' })) as Settings);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = ''] = error.message.split('\n');
    return fail({ message: `It is no TOML: ${reason}.`, line: error.line, column: error.column });
  }
}

/** The parser's objects have no prototype, and so equal no others. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value) || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [key, plain(below)]));
}

function appended(text: string, { path: [table = ''], name, entry }: Wanted): string {
  const end = lineEndOf(text);
  const lines = stringify({ [table]: { [name]: entry } }).trimEnd();
  const gap = text === '' ? '' : text.endsWith('\n') ? end : end + end;
  return `${text}${gap}${lines.replaceAll('\n', end)}${end}`;
}

/** @returns null where the editor does not understand the text */
function patched(text: string, _: Wanted, expected: Settings): string | null {
  try {
    return patch(text, expected);
  } catch {
    return null;
  }
}
