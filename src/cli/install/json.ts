/** Puts a server into settings of JSON, comments and trailing commas allowed; whatever else is there stays as it is. Pure. */

import { isDeepStrictEqual } from 'node:util';
import {
  applyEdits,
  findNodeAtLocation,
  modify,
  type Node,
  type ParseError,
  parse,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
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
function change(text: string, wanted: Wanted, present: Record<string, unknown> | undefined): string {
  if (present === undefined) return inserted(text, wanted);
  const formattingOptions = { ...indentOf(text), eol: lineEndOf(text) };
  return Object.entries(wanted.entry)
    .filter(([key, value]) => !isDeepStrictEqual(present[key], value))
    .reduce((before, [key, value]) => {
      const place = [...wanted.path, wanted.name, key];
      return applyEdits(before, modify(before, place, value, { formattingOptions }));
    }, text);
}

/** A comment that ends the line of an opening brace. */
const COMMENT_BESIDE = /^[ \t]*(?:\/\/[^\r\n]*|\/\*[^\r\n]*?\*\/[ \t]*(?=\r?\n))/;

/** Puts it first into the lowest object that is there. The library's own insertion formats its neighbour anew. */
function inserted(text: string, { path, name, entry }: Wanted): string {
  const tree = parseTree(text, [], { allowTrailingComma: true, allowEmptyContent: true });
  const end = lineEndOf(text);
  const spaces = indentOf(text);
  const unit = spaces.insertSpaces ? ' '.repeat(spaces.tabSize) : '\t';
  if (!tree) {
    const made = pretty({ value: nested([...path, name], entry), unit, indent: '', end });
    const gap = text.trim() === '' || text.endsWith('\n') ? '' : end;
    return `${text.trim() === '' ? '' : text}${gap}${made}${end}`;
  }
  let depth = path.length;
  while (depth > 0 && !findNodeAtLocation(tree, path.slice(0, depth))) depth -= 1;
  const parent = findNodeAtLocation(tree, path.slice(0, depth)) as Node;
  const [key = name, ...below] = [...path.slice(depth), name];
  const base = indentAt(text, parent.offset);
  const first = parent.children?.[0];
  const isOnOwnLine = first && text.slice(lineStart(text, first.offset), first.offset).trim() === '';
  const indent = isOnOwnLine ? indentAt(text, first.offset) : base + unit;
  const at = parent.offset + 1;
  const open = at + (COMMENT_BESIDE.exec(text.slice(at))?.[0].length ?? 0);
  const rest = text.slice(open);
  const property = `${JSON.stringify(key)}: ${pretty({ value: nested(below, entry), unit, indent, end })}`;
  const head = `${text.slice(0, open)}${end}${indent}${property}`;
  if (first)
    return /^[ \t]*\r?\n/.test(rest) ? `${head},${rest}` : `${head},${end}${indent}${rest.trimStart()}`;
  // Comments of an empty object stay below.
  return /^\s*\}/.test(rest) ? `${head}${end}${base}${rest.trimStart()}` : head + rest;
}

const nested = (keys: readonly string[], value: unknown): unknown =>
  keys.reduceRight((below, key) => ({ [key]: below }), value);

function pretty(of: { value: unknown; unit: string; indent: string; end: string }): string {
  return JSON.stringify(of.value, null, of.unit).replaceAll('\n', of.end + of.indent);
}

const lineStart = (text: string, offset: number) => text.lastIndexOf('\n', offset - 1) + 1;

function indentAt(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, offset)))?.[0] ?? '';
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
