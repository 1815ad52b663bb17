/** Checks and canonical forms of text, ids, times and JSON values that Postgres can store. */

import type { Json } from './protocol';
import { fail, ok, type Result } from './result';

/** NUL and surrogates: Postgres refuses them in text and in jsonb, and with one of them a whole batch. */
const UNSTORABLE = /[\0\uD800-\uDFFF]/u;
/** Deeper values overflow the stack of recursive parsers; real content stays far below. */
const MAX_JSON_DEPTH = 100;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const WATERMELON_ID = /^[0-9A-Za-z]{16}$/;
const TIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}(?::?\d{2})?))?$/i;

/** @returns whether the text holds a NUL or half of a surrogate pair. */
export function hasUnstorableCharacter(text: string): boolean {
  return UNSTORABLE.test(text);
}

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
  if (!parts) return null;
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

function offsetMinutes(zone: string): number | null {
  if (zone.toUpperCase() === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || '0');
  if (hours > 15 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** Why a value cannot be stored as JSON. */
export type JsonFault = 'character' | 'number' | 'depth' | 'type';

/**
 * Copies a value into plain JSON: properties that are undefined are left out, -0 becomes 0.
 * @returns the copy, or the first reason why the value cannot be stored as JSON.
 */
export function storableJson(value: unknown, depth = 0): Result<Json, JsonFault> {
  if (value === null || typeof value === 'boolean') return ok(value);
  if (typeof value === 'string') return hasUnstorableCharacter(value) ? fail('character') : ok(value);
  if (typeof value === 'number') return Number.isFinite(value) ? ok(value + 0) : fail('number');
  if (typeof value !== 'object') return fail('type');
  if (depth >= MAX_JSON_DEPTH) return fail('depth');
  if (Array.isArray(value)) {
    const items: Json[] = [];
    for (const item of value) {
      const copy = storableJson(item, depth + 1);
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
    const copy = storableJson(item, depth + 1);
    if (!copy.ok) return copy;
    entries.push([key, copy.value]);
  }
  // Not by assignment: a key named __proto__ would set the prototype.
  return ok(Object.fromEntries(entries));
}

/** @returns the length of a JSON value as sent, in UTF-8 bytes. */
export function jsonBytes(value: Json): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}
