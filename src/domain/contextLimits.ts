/**
 * How much of a task's context is read and returned: limits for each list, and for the whole.
 *
 * Every list is taken from the front of an order, until the next item would exceed a limit: in number, in bytes of the
 * list, or in bytes of the whole context. An item that does not fit is left out as a whole, with all that follow it in
 * that order. The order says what matters most for the work:
 * - subtasks: open ones before those that are done or cancelled, then by sort_order and id;
 * - dependencies: open ones before those that are done or cancelled, then by title and id;
 * - activities: the newest;
 * - patterns and best practices: those of the project, then of its workspace, then the global ones; by name and id.
 *
 * The lists of a context share the bytes of the whole in the order of `CONTEXT_PARTS`. Where the whole is what an item
 * exceeds, the lists behind it are empty. The six single records (the task, its milestone, ...) are never left out:
 * their columns have bounds of their own. They count towards the whole.
 *
 * Bytes are those of what people and agents wrote: texts in UTF-8, and JSON as PostgreSQL writes it. Ids, times and
 * numbers come on top, less than 1 KB an item.
 */

import type { ValidationError } from '@/core/errors';
import { fail, ok, type Result } from '@/core/result';

/** The lists of a context, in the order in which they share the bytes of the whole. */
export const CONTEXT_PARTS = [
  'subtasks',
  'dependencies',
  'activities',
  'patterns',
  'best_practices',
] as const;

export type ContextPart = (typeof CONTEXT_PARTS)[number];

/** At most so many items, and at most so many bytes of text in all of them. */
export interface PartLimits {
  items: number;
  bytes: number;
}

/** Whole numbers from 0 to `MOST_ITEMS` and `MOST_BYTES`. What is absent is as in `DEFAULT_LIMITS`. */
export interface ContextLimits extends Partial<Record<ContextPart, Partial<PartLimits>>> {
  /** Of the whole context, its six single records included. */
  bytes?: number;
}

/** Every limit. */
export interface FullLimits extends Record<ContextPart, PartLimits> {
  bytes: number;
}

/** Items that a list left out. */
export interface LeftOut {
  /** The number of items there are, those in the context included. */
  all: number;
  /** The limit that the next item would have exceeded: a number of items, or of bytes (of its list or of the whole). */
  because: 'items' | 'bytes';
}

export const MOST_ITEMS = 10_000;
export const MOST_BYTES = 64 * 1024 * 1024;

const PART_BYTES = 256 * 1024;

/**
 * Limits that few tasks meet, activities apart. The whole holds the lists at their limits beside single records at
 * theirs (2.6 MB in UTF-8), so it cuts nothing unless the caller lowers it or raises the lists.
 */
export const DEFAULT_LIMITS: FullLimits = {
  subtasks: { items: 200, bytes: PART_BYTES },
  dependencies: { items: 200, bytes: PART_BYTES },
  activities: { items: 20, bytes: PART_BYTES },
  patterns: { items: 50, bytes: PART_BYTES },
  best_practices: { items: 50, bytes: PART_BYTES },
  bytes: 4 * 1024 * 1024,
};

/**
 * @param limits as a caller gave them
 * @returns every limit; or `validation/unknown_field` for a name that is none, `validation/bad_value` for a value that is
 * no whole number in its range. The field is as in `subtasks.items`.
 */
export function checkLimits(limits?: ContextLimits): Result<FullLimits, ValidationError> {
  if (limits === undefined) return ok(DEFAULT_LIMITS);
  const checked = structuredClone(DEFAULT_LIMITS);
  if (!isObject(limits)) return badValue('limits', 'an object of limits');
  for (const [name, given] of Object.entries(limits)) {
    if (given === undefined) continue;
    if (name === 'bytes') {
      if (!isWithin(given, MOST_BYTES)) return badNumber(name, MOST_BYTES);
      checked.bytes = given;
      continue;
    }
    if (!isPart(name)) return unknownName(name);
    if (!isObject(given)) return badValue(name, 'an object with items and bytes');
    for (const [limit, value] of Object.entries(given)) {
      if (value === undefined) continue;
      if (limit !== 'items' && limit !== 'bytes') return unknownName(`${name}.${limit}`);
      const most = limit === 'items' ? MOST_ITEMS : MOST_BYTES;
      if (!isWithin(value, most)) return badNumber(`${name}.${limit}`, most);
      checked[name][limit] = value;
    }
  }
  return ok(checked);
}

/**
 * @param limits under which a context left out items of a part
 * @returns limits under which it has more of them. As many items more as by default, and four times the bytes: at least
 * 1 MB where the default was met, which any single item fits.
 */
export function moreOf(limits: FullLimits, part: ContextPart): FullLimits {
  const { items, bytes } = limits[part];
  const raised = {
    items: Math.min(items + DEFAULT_LIMITS[part].items, MOST_ITEMS),
    bytes: Math.min(bytes * 4, MOST_BYTES),
  };
  const whole = Math.min(limits.bytes + raised.bytes - bytes, MOST_BYTES);
  return { ...limits, [part]: raised, bytes: whole };
}

function isPart(name: string): name is ContextPart {
  return (CONTEXT_PARTS as readonly string[]).includes(name);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWithin(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

function badNumber(field: string, most: number) {
  return badValue(field, `a whole number from 0 to ${most}`);
}

function badValue(field: string, expected: string) {
  return fail<ValidationError>({
    kind: 'validation',
    code: 'bad_value',
    field,
    message: `The limit ${field} has to be ${expected}.`,
  });
}

function unknownName(field: string) {
  return fail<ValidationError>({
    kind: 'validation',
    code: 'unknown_field',
    field,
    message: `There is no limit ${field}. Limits are bytes, and items and bytes of ${CONTEXT_PARTS.join(', ')}.`,
  });
}
