/**
 * Validation of what people and agents write, for the local and the remote service: Postgres can store
 * every value that passes. Messages say what is wrong, in which field, and what to do.
 */

import type { ValidationError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import { fail, ok, type Result } from '@/core/result';
import {
  charactersIn,
  hasUnstorableCharacter,
  isBlank,
  JSON_LIMITS,
  jsonBytes,
  storedJsonBytes,
} from '@/core/text';
import type { WorkflowStage } from './entities';
import { type Column, columnsOf, RECORD_NOUNS, type SyncedTable } from './schema';
import { NORMAL_FORMS } from './values';
import { ACTIVITY_TYPE_PATTERN } from './vocabulary';

type Checked<T> = Result<T, ValidationError>;
export type RecordValues = Record<string, Json>;

/** A column's name in words: `parent_task_id` is "Parent task". */
function label(field: string): string {
  const words = field.replace(/_id$/, '').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @returns a validation failure, also for rules that plans check (`not_found`, `cycle`, ...). */
export function invalid(code: ValidationError['code'], field: string, message: string) {
  return fail<ValidationError>({ kind: 'validation', code, field, message });
}

/** @returns the failure of a write on a thing that does not exist, is deleted, or may not be seen. */
export function notFound(field: string, noun: string) {
  return invalid(
    'not_found',
    field,
    `There is no such ${noun}: it was deleted, or is not shared with you. Give the id of another ${noun}.`,
  );
}

/** @returns `notFound` for a record of a table. */
export function noSuchRecord(field: string, table: SyncedTable) {
  return notFound(field, RECORD_NOUNS[table]);
}

/**
 * Validates a new record.
 * @param values columns of the table by name, without `id` and `workspace_id`; undefined means absent.
 * @returns every column a client may send, in canonical form: defaults in place of absent ones, null
 * for absent optional ones.
 */
export function validateInsert(table: SyncedTable, values: object): Checked<RecordValues> {
  const given = new Map(Object.entries(values ?? {}).filter(([, value]) => value !== undefined));
  const unknown = refuseUnknownFields(table, given.keys());
  if (unknown) return unknown;
  const record: RecordValues = {};
  for (const [field, column] of Object.entries(columnsOf(table))) {
    if (column.serverSet) continue;
    if (!given.has(field)) {
      if (column.default !== undefined) record[field] = structuredClone(column.default) as Json;
      else if (column.optional) record[field] = null;
      else return required(field);
      continue;
    }
    const checked = validateValue(table, field, column, given.get(field));
    if (!checked.ok) return checked;
    record[field] = checked.value;
  }
  return ok(record);
}

/**
 * Validates changes to a record.
 * @param changes columns of the table by name; undefined means unchanged.
 * @returns the changes in canonical form; empty when nothing was given.
 */
export function validateChanges(table: SyncedTable, changes: object): Checked<RecordValues> {
  const given = Object.entries(changes ?? {}).filter(([, value]) => value !== undefined);
  const unknown = refuseUnknownFields(
    table,
    given.map(([field]) => field),
  );
  if (unknown) return unknown;
  const columns = columnsOf(table);
  const record: RecordValues = {};
  for (const [field, value] of given) {
    const column = columns[field];
    if (!column) continue;
    const checked = validateValue(table, field, column, value);
    if (!checked.ok) return checked;
    record[field] = checked.value;
  }
  return ok(record);
}

/** @returns the id in canonical form. Accepts UUIDs and the 16-character ids of WatermelonDB. */
export function validateId(field: string, value: unknown): Checked<string> {
  if (value === undefined || value === null || value === '') return required(field);
  const id = NORMAL_FORMS.record(value);
  return id === null
    ? invalid('bad_id', field, `${label(field)} is not an id. Give the id of an existing record, a UUID.`)
    : ok(id);
}

/** @returns the id of a user in canonical form. No device makes one of its own, so that it is a UUID everywhere. */
function validateUserId(field: string, value: unknown): Checked<string> {
  if (value === undefined || value === null || value === '') return required(field);
  const id = NORMAL_FORMS.user(value);
  return id === null
    ? invalid(
        'bad_id',
        field,
        `${label(field)} is not the id of a user. Give the user_id of a member, a UUID.`,
      )
    : ok(id);
}

/** @returns the type unchanged: lower-case letters, digits and underscores, at most 64 characters. */
export function validateActivityType(type: unknown): Checked<string> {
  if (type === undefined || type === null || type === '') return required('activity_type');
  if (typeof type !== 'string' || !ACTIVITY_TYPE_PATTERN.test(type)) {
    const message =
      'Activity type must start with a lower-case letter and hold only lower-case letters, digits and underscores, at most 64 characters, for example code_reviewed.';
    return invalid('bad_value', 'activity_type', message);
  }
  return tooLong('activity_type', type, columnsOf('activity_feed').activity_type?.max) ?? ok(type);
}

/**
 * @param workflow the task's workflow, or null where the store does not hold it: any name passes then, and
 * the server checks it.
 * @returns the stage's name, trimmed.
 */
export function validateStage(
  workflow: { name: string; stages: readonly WorkflowStage[] } | null,
  stage: unknown,
): Checked<string> {
  const column = columnsOf('tasks').current_stage;
  if (!column) throw new Error('tasks has no column current_stage');
  const checked = validateText('current_stage', column, stage);
  if (!checked.ok || workflow === null) return checked;
  const names = inOrder(workflow.stages).map((known) => known.name);
  return names.includes(checked.value)
    ? checked
    : invalid(
        'unknown_stage',
        'current_stage',
        `The workflow "${workflow.name}" has no stage "${checked.value}". Use one of its stages: ${names.join(', ')}.`,
      );
}

/** @returns the stages by their `order`. */
export function inOrder(stages: readonly WorkflowStage[]): WorkflowStage[] {
  return [...stages].sort((one, other) => one.order - other.order);
}

function refuseUnknownFields(table: SyncedTable, fields: Iterable<string>) {
  const columns = columnsOf(table);
  for (const field of fields) {
    if (Object.hasOwn(columns, field) && !columns[field]?.serverSet) continue;
    const reason =
      field === 'workspace_id'
        ? 'A record cannot move to another workspace. Leave it out.'
        : Object.hasOwn(columns, field)
          ? `The server sets ${label(field)}. Leave it out.`
          : `Use one of ${Object.keys(columns).join(', ')}.`;
    return invalid('unknown_field', field, `The field "${field}" of ${table} cannot be written. ${reason}`);
  }
  return null;
}

function required(field: string) {
  return invalid('required', field, `${label(field)} is required. Give it a value.`);
}

function validateValue(table: SyncedTable, field: string, column: Column, value: unknown): Checked<Json> {
  if (value === null) return column.optional ? ok(null) : required(field);
  switch (column.kind) {
    case 'text':
    case 'prose':
      return field === 'activity_type' ? validateActivityType(value) : validateText(field, column, value);
    case 'ref':
      return column.to === 'user' ? validateUserId(field, value) : validateId(field, value);
    case 'number':
      return typeof value === 'number' && Number.isFinite(value)
        ? ok(NORMAL_FORMS.number(value))
        : invalid('bad_value', field, `${label(field)} must be a finite number, for example 1.5.`);
    case 'time': {
      const time = column.isDay ? NORMAL_FORMS.day(value) : NORMAL_FORMS.time(value);
      if (time !== null) return ok(time);
      const form = column.isDay
        ? 'a day, for example 2026-03-01'
        : 'a time in ISO 8601 with its time zone, for example 2026-03-01T09:00:00Z';
      return invalid('bad_value', field, `${label(field)} must be ${form}, within the years 1 and 9999.`);
    }
    case 'json': {
      const json = validateJson(field, column, value);
      return json.ok && table === 'workflows' && field === 'stages' ? validateStages(json.value) : json;
    }
  }
}

function validateText(field: string, column: Column, value: unknown): Checked<string> {
  if (value === null || value === undefined) return required(field);
  if (typeof value !== 'string')
    return invalid('bad_value', field, `${label(field)} must be text. Give a string.`);
  if (hasUnstorableCharacter(value)) return badCharacter(field);
  if (column.isKey) {
    const key = NORMAL_FORMS.key(value);
    const message = `${label(field)} must begin with a letter and hold only letters and digits, at most 10, for example FIELD.`;
    return key === null ? invalid('bad_value', field, message) : ok(key);
  }
  const isLine = column.kind === 'text';
  const text = isLine ? NORMAL_FORMS.line(value) : NORMAL_FORMS.text(value);
  if (column.oneOf) {
    return column.oneOf.includes(text)
      ? ok(text)
      : invalid('bad_value', field, `${label(field)} must be one of ${column.oneOf.join(', ')}.`);
  }
  if (isLine && !column.optional && isBlank(text)) return required(field);
  return tooLong(field, text, column.max) ?? ok(text);
}

/** @returns the failure of a text that is longer than its column takes, else null. */
function tooLong(field: string, text: string, max = Number.POSITIVE_INFINITY) {
  // Nearly all texts are short enough however their characters are counted.
  const length = text.length > max ? charactersIn(text) : 0;
  if (length <= max) return null;
  return invalid('too_long', field, `${label(field)} is ${length} characters long; shorten it to ${max}.`);
}

function badCharacter(field: string) {
  return invalid(
    'bad_character',
    field,
    `${label(field)} holds a character that cannot be stored (NUL, or half of a surrogate pair). Remove it.`,
  );
}

function validateJson(field: string, column: Column, value: unknown): Checked<Json> {
  const copy = NORMAL_FORMS.json(value);
  if (!copy.ok) {
    switch (copy.error) {
      case 'character':
        return badCharacter(field);
      case 'number':
        return invalid(
          'bad_value',
          field,
          `${label(field)} holds a number that is not finite. Replace it with a finite number or null.`,
        );
      case 'depth':
        return invalid(
          'bad_value',
          field,
          `${label(field)} is nested more than ${JSON_LIMITS.depth} levels deep. Flatten it.`,
        );
      case 'count':
        return invalid(
          'bad_value',
          field,
          `${label(field)} holds more than ${JSON_LIMITS.values} values. Shorten it.`,
        );
      case 'type':
        return invalid(
          'bad_value',
          field,
          `${label(field)} must be JSON: text, numbers, booleans, null, lists and plain objects.`,
        );
    }
  }
  const { max } = column;
  if (max === undefined) return copy;
  const bytes = jsonBytes(copy.value);
  if (bytes > max)
    return invalid('too_long', field, `${label(field)} takes ${bytes} bytes; shorten it to ${max}.`);
  // The tables allow twice as much as they print, where 1e-300 takes 302 bytes (U15).
  const stored = storedJsonBytes(copy.value);
  return stored > 2 * max
    ? invalid(
        'too_long',
        field,
        `${label(field)} takes ${stored} bytes with its numbers written out; shorten it to ${2 * max}.`,
      )
    : copy;
}

/** A workflow needs at least one stage; each has its own name and its own order. */
function validateStages(value: Json): Checked<Json> {
  const bad = (message: string) => invalid('bad_value', 'stages', message);
  if (!Array.isArray(value) || value.length === 0)
    return bad('Stages must be a list of at least one stage. Add a stage.');
  const names = new Set<string>();
  const orders = new Set<number>();
  const stages: Json[] = [];
  for (const item of value) {
    if (item === null || typeof item !== 'object' || Array.isArray(item))
      return bad('Each stage must be an object with a name and an order.');
    const { name, description = '', order, is_checkpoint = false, ...others } = item;
    const unknown = Object.keys(others)[0];
    if (unknown !== undefined)
      return invalid(
        'unknown_field',
        'stages',
        `A stage has no field "${unknown}". Use name, description, order and is_checkpoint.`,
      );
    const trimmed = typeof name === 'string' ? NORMAL_FORMS.line(name) : '';
    if (isBlank(trimmed) || trimmed.length > 64)
      return bad('Each stage needs a name of at most 64 characters.');
    if (typeof description !== 'string') return bad(`The description of stage "${trimmed}" must be text.`);
    if (typeof order !== 'number') return bad(`The order of stage "${trimmed}" must be a number.`);
    if (typeof is_checkpoint !== 'boolean')
      return bad(`is_checkpoint of stage "${trimmed}" must be true or false.`);
    if (names.has(trimmed)) return bad(`Two stages have the name "${trimmed}". Give each its own name.`);
    if (orders.has(order)) return bad(`Two stages have the order ${order}. Give each its own order.`);
    names.add(trimmed);
    orders.add(order);
    stages.push({ name: trimmed, description, order, is_checkpoint });
  }
  return ok(stages);
}
