/** Checks and canonical forms of text, ids, times and JSON values that Postgres can store. */

import type { Json } from './protocol';
import { fail, ok, type Result } from './result';

/** NUL and surrogates: Postgres refuses them in text and in jsonb, and with one of them a whole batch. */
const UNSTORABLE = /[\0\uD800-\uDFFF]/u;
/**
 * Limits of one JSON value, the same on devices, in SQL (`convoy.json_fault`) and of requests to the local stack. Deeper
 * values overflow the stack of recursive parsers and printers, PostgreSQL's and JavaScript's own among them.
 */
export const JSON_LIMITS = {
  /** Levels of lists and objects. */
  depth: 100,
  /** Values in it, at all levels. */
  values: 10_000,
} as const;

/** Levels of a request: those of a value, and of what it stands in. */
export const REQUEST_DEPTH = 128;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const WATERMELON_ID = /^[0-9A-Za-z]{16}$/;
const TIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}(?::?\d{2})?))?$/i;

/**
 * Text that cannot be seen: white space, control and format characters, blank letters. `convoy.is_blank` in SQL has the
 * same list, which is written out since what the properties of Unicode hold changes with its version.
 */
const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each is listed by itself
  /^[\u0000-\u0020\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200F\u2028-\u202F\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB\u{1BCA0}-\u{1BCA3}\u{1D159}\u{1D173}-\u{1D17A}\u{E0000}-\u{E0FFF}]*$/u;

/** @returns whether nothing of the text can be seen. */
export function isBlank(text: string): boolean {
  return INVISIBLE.test(text);
}

/** @returns the characters of a text as PostgreSQL counts them: code points. */
export function charactersIn(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Compares texts by code points, the order of SQLite and of PostgreSQL's collation C. JavaScript's `<` puts surrogates first. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (one !== other)
      return isSurrogate(one) === isSurrogate(other) ? one - other : isSurrogate(one) ? 1 : -1;
  }
  return a.length - b.length;
}

/** Two different surrogates at one place, with the same before, are of characters beyond U+FFFF, in the order of their units. */
const isSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;

/** @returns whether the text holds a NUL or half of a surrogate pair. */
export function hasUnstorableCharacter(text: string): boolean {
  return UNSTORABLE.test(text);
}

/**
 * The one rule of what an id is, on devices, in the remote service and in SQL (`convoy.is_uuid`): what PostgreSQL's `uuid`
 * prints, whatever its version digits; capitals are read as small letters (U4).
 */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

/**
 * @returns the id in canonical form (a UUID in lower case, or a 16-character id of WatermelonDB), or
 * null when the value is neither.
 */
export function canonicalId(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  if (UUID.test(value)) return value.toLowerCase();
  return WATERMELON_ID.test(value) ? value : null;
}

/**
 * @param value an ISO 8601 date, or a date and time with its offset from UTC.
 * @returns the same moment as `toISOString()` writes it (UTC, milliseconds), or null when the value
 * is no such time. A date alone is its midnight in UTC.
 */
export function canonicalTime(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const parts = TIME.exec(value);
  // PostgreSQL has no year 0, not even where the offset leads into the next one.
  if (!parts || parts[1] === '0000') return null;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = parts;
  const milliseconds = Number(fraction.padEnd(3, '0').slice(0, 3));
  const local = new Date(0);
  local.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  local.setUTCHours(Number(hour), Number(minute), Number(second), milliseconds);
  // Date rolls out-of-range parts over: the parts read back must equal the given ones.
  const read = [local.getUTCFullYear(), local.getUTCMonth() + 1, local.getUTCDate()];
  const clock = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()];
  if (read.join() !== [year, month, day].map(Number).join()) return null;
  if (clock.join() !== [hour, minute, second].map(Number).join()) return null;
  const offset = offsetMinutes(zone);
  if (offset === null) return null;
  const moment = new Date(local.getTime() - offset * 60_000);
  const utcYear = moment.getUTCFullYear();
  return utcYear >= 1 && utcYear <= 9999 ? moment.toISOString() : null;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * A day as a time: noon UTC of its date, which is that date by the clocks from UTC-12 to UTC+11, and everywhere when it is
 * read by its UTC date. The same rule is `convoy.day_of` in SQL.
 * @param value as of `canonicalTime`. Exact midnight UTC, as which a date alone is read, keeps its date; anything else is
 * shifted back 11 hours first: the end of a day, as earlier versions send it, counts as that day from UTC-11 to UTC+12.
 * @returns null where the value is no time, or its day is not within the years 1 and 9999
 */
export function canonicalDay(value: unknown): string | null {
  const time = canonicalTime(value);
  if (time === null) return null;
  const moment = Date.parse(time);
  const isMidnight = moment % DAY_MS === 0;
  const date = new Date(isMidnight ? moment : moment - 11 * HOUR_MS).toISOString().slice(0, 10);
  return canonicalTime(`${date}T12:00:00Z`);
}

/** As PostgreSQL prints a `timestamptz` in JSON, in any time zone. */
const STORED_TIME =
  /^(\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?( BC)?$/;

/**
 * @param text a time as PostgreSQL prints it: offsets of long ago have seconds, and near the first and last year the date
 * may be beyond it in the time zone of the server
 * @returns the same moment as `canonicalTime` has it, or null where the text is no time
 */
export function storedTime(text: string): string | null {
  const parts = STORED_TIME.exec(text);
  if (!parts) return canonicalTime(text);
  const [
    ,
    year,
    month,
    day,
    hour,
    minute,
    second,
    fraction = '',
    sign,
    hours,
    minutes = '0',
    seconds = '0',
    bc,
  ] = parts;
  const local = new Date(0);
  local.setUTCFullYear(bc ? 1 - Number(year) : Number(year), Number(month) - 1, Number(day));
  local.setUTCHours(
    Number(hour),
    Number(minute),
    Number(second),
    Number(fraction.padEnd(3, '0').slice(0, 3)),
  );
  const offset = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
  return canonicalTime(new Date(local.getTime() - (sign === '-' ? -offset : offset)).toISOString());
}

function offsetMinutes(zone: string): number | null {
  if (zone.toUpperCase() === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || '0');
  if (hours > 15 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** Why a value cannot be stored as JSON. */
export type JsonFault = 'character' | 'number' | 'depth' | 'count' | 'type';

/**
 * Walks a value without recursion, so that none is too deep to be judged.
 * @returns the limit that it exceeds (`JSON_LIMITS`; `number` for one that is not finite), or null
 */
export function exceededLimit(value: unknown): 'number' | 'depth' | 'count' | null {
  if (typeof value !== 'object' || value === null) return isRepresentable(value) ? null : 'number';
  let level: object[] = [value];
  let seen = 0;
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > JSON_LIMITS.depth) return 'depth';
    const next: object[] = [];
    for (const container of level) {
      const items: unknown[] = Array.isArray(container) ? container : Object.values(container);
      seen += items.length;
      if (seen > JSON_LIMITS.values) return 'count';
      for (const item of items) {
        if (typeof item === 'object' && item !== null) next.push(item);
        else if (!isRepresentable(item)) return 'number';
      }
    }
    level = next;
  }
  return null;
}

const isRepresentable = (value: unknown) => typeof value !== 'number' || Number.isFinite(value);

/**
 * Copies a value into plain JSON: properties that are undefined are left out, -0 becomes 0.
 * @returns the copy, or the first reason why the value cannot be stored as JSON.
 */
export function storableJson(value: unknown): Result<Json, JsonFault> {
  const limit = exceededLimit(value);
  return limit ? fail(limit) : copyOf(value);
}

/** @param value within the limits, so that the recursion has a bound */
function copyOf(value: unknown): Result<Json, JsonFault> {
  if (value === null || typeof value === 'boolean') return ok(value);
  if (typeof value === 'string') return hasUnstorableCharacter(value) ? fail('character') : ok(value);
  if (typeof value === 'number') return ok(value + 0);
  if (typeof value !== 'object') return fail('type');
  if (Array.isArray(value)) {
    const items: Json[] = [];
    for (const item of value) {
      const copy = copyOf(item);
      if (!copy.ok) return copy;
      items.push(copy.value);
    }
    return ok(items);
  }
  if (Object.prototype.toString.call(value) !== '[object Object]') return fail('type');
  const entries: [string, Json][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    if (hasUnstorableCharacter(key)) return fail('character');
    const copy = copyOf(item);
    if (!copy.ok) return copy;
    entries.push([key, copy.value]);
  }
  // Not by assignment: a key named __proto__ would set the prototype.
  return ok(Object.fromEntries(entries));
}

/** @returns whether JSON text nests lists and objects deeper, found without parsing it; text that is no JSON may count as either. */
export function nestsDeeper(text: string, most: number): boolean {
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (isInText) {
      if (character === BACKSLASH) at += 1;
      else if (character === QUOTE) isInText = false;
    } else if (character === QUOTE) isInText = true;
    else if (character === OPEN_LIST || character === OPEN_OBJECT) {
      depth += 1;
      if (depth > most) return true;
    } else if (character === CLOSE_LIST || character === CLOSE_OBJECT) depth -= 1;
  }
  return false;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d];
const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d];

const encoder = new TextEncoder();
/** Up to this length looking at a text is faster than encoding it. */
const SHORT = 200;
/** Printable ASCII without quotes and backslashes: a byte for each character, in JSON too. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** @returns the length of a text in UTF-8 bytes. */
export function utf8Bytes(text: string): number {
  const isShortAndPlain = text.length <= SHORT && PLAIN.test(text);
  return isShortAndPlain ? text.length : encoder.encode(text).length;
}

/** @returns the length of a JSON value as sent, in UTF-8 bytes. */
export function jsonBytes(value: Json): number {
  return utf8Bytes(JSON.stringify(value));
}

/**
 * @returns the length of a JSON value as PostgreSQL writes it, in UTF-8 bytes: `octet_length(value::text)` of a jsonb. It
 * puts a space after each comma and colon, and writes numbers without an exponent.
 */
export function storedJsonBytes(value: Json): number {
  if (typeof value === 'number') return decimalLength(value);
  if (typeof value === 'string') return quotedBytes(value);
  if (typeof value !== 'object' || value === null) return String(value).length;
  let bytes = 2;
  let items = 0;
  for (const [key, item] of Object.entries(value)) {
    if (items > 0) bytes += 2;
    if (!Array.isArray(value)) bytes += quotedBytes(key) + 2;
    bytes += storedJsonBytes(item);
    items += 1;
  }
  return bytes;
}

function quotedBytes(text: string): number {
  const isShortAndPlain = text.length <= SHORT && PLAIN.test(text);
  return isShortAndPlain ? text.length + 2 : jsonBytes(text);
}

/** @returns the length of a finite number written without an exponent */
function decimalLength(value: number): number {
  const text = JSON.stringify(value);
  const [mantissa = '', exponent] = text.split('e');
  if (exponent === undefined) return text.length;
  const sign = value < 0 ? 1 : 0;
  const digits = mantissa.replaceAll(/[-.]/g, '').length;
  const power = Number(exponent);
  // Numbers have an exponent from 1e21 on, when no digit is behind the point, and below 1e-6, when all are.
  return sign + (power > 0 ? power + 1 : digits - power + 1);
}
