/** Puts a server into settings of JSON, comments and trailing commas allowed; whatever else is there stays as it is. Pure. */

import { isDeepStrictEqual } from 'node:util';
import { applyEdits, modify, type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { fail, ok } from '@/core/result';
import { type Edited, isObject, lineEndOf, mergedEntry, placeOf, type Wanted } from './edit';

/** @param text without a byte order mark; empty: the file is new */
export function editJson(text: string, wanted: Wanted): Edited {
  const errors: ParseError[] = [];
  const options = { allowTrailingComma: true, allowEmptyContent: true };
  const present: unknown = parse(text, errors, options);
  const [error] = errors;
  if (error) {
    const message = `It is no JSON: ${printParseErrorCode(error.error)}.`;
    return fail({ message, ...placeOf(text, error.offset) });
  }
  if (present !== undefined && !isObject(present))
    return fail({ message: 'It holds no object.', line: 1, column: 1 });
  const servers = at(present, wanted.path);
  if (servers !== undefined && !isObject(servers)) {
    return fail({ message: `"${wanted.path.join('.')}" is no object there.` });
  }
  const merged = mergedEntry(wanted, servers?.[wanted.name]);
  if (!merged.ok) return merged;
  const edited = change(text, wanted, servers?.[wanted.name] as Record<string, unknown> | undefined);
  const result: unknown = parse(edited, [], options);
  // Of a name that stands twice an editor changes one, and a host may read the other.
  if (!isDeepStrictEqual(result, withEntry(present ?? {}, wanted, merged.value))) {
    return fail({ message: 'It cannot be changed for certain: a name may stand there twice.' });
  }
  return ok(edited);
}

/** Values that are as wanted are not written anew: their form and their comments stay. */
function change(
  text: string,
  { path, name, entry }: Wanted,
  present: Record<string, unknown> | undefined,
): string {
  const formattingOptions = { ...indentOf(text), eol: lineEndOf(text) };
  const set = (before: string, key: readonly string[], value: unknown) =>
    applyEdits(before, modify(before, [...key], value, { formattingOptions }));
  if (present === undefined) {
    const made = set(text.trim() === '' ? '{}' : text, [...path, name], entry);
    return text.trim() === '' ? `${made}\n` : made;
  }
  return Object.entries(entry)
    .filter(([key, value]) => !isDeepStrictEqual(present[key], value))
    .reduce((before, [key, value]) => set(before, [...path, name, key], value), text);
}

function indentOf(text: string): { insertSpaces: boolean; tabSize: number } {
  const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
  return indent.startsWith('\t')
    ? { insertSpaces: false, tabSize: 1 }
    : { insertSpaces: true, tabSize: indent.length };
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce((found: unknown, key) => (isObject(found) ? found[key] : undefined), value);
}

function withEntry(
  settings: Record<string, unknown>,
  { path: [first, ...rest], ...wanted }: Wanted,
  entry: Record<string, unknown>,
): Record<string, unknown> {
  if (first === undefined) return { ...settings, [wanted.name]: entry };
  const below = isObject(settings[first]) ? settings[first] : {};
  return { ...settings, [first]: withEntry(below, { ...wanted, path: rest }, entry) };
}
