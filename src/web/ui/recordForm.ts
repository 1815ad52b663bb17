/**
 * A form over a record that others may change while it is open. Fields that the person has not changed follow the record;
 * for the others the form keeps what the record had when they began, so that they can be told of what somebody else made
 * of it since. Pure.
 */

import type { Json } from '@/core/protocol';
import { sameJson } from '@/domain/changes';
import { columnsOf, type SyncedTable } from '@/domain/schema';
import { orNull, toDateField, toTime } from './formValues';

/** A field of the form; its name is that of its column. */
export interface FormField {
  name: string;
  kind: 'text' | 'prose' | 'select' | 'date' | 'custom';
  required?: boolean;
}

export interface RecordForm {
  /** The fields that the person has changed, by column, as they have it. */
  typed: Readonly<Record<string, string>>;
  /** Of the columns that merge with a changed one: the values that it was changed from. */
  seen: Readonly<Record<string, Json>>;
}

type Values = Readonly<Record<string, Json>>;

export const UNTOUCHED: RecordForm = { typed: {}, seen: {} };

/** A difference between what the person changed a field from and what the record has by now. */
export interface Clash {
  /** The changed field that it is shown at. */
  field: string;
  /** The columns that somebody else has changed: that of the field, or ones that belong together with it. */
  columns: string[];
}

export function toField({ kind }: FormField, value: Json | undefined): string {
  if (value === null || value === undefined) return '';
  return kind === 'date' ? toDateField(String(value)) : String(value);
}

export function toColumn({ kind, required }: FormField, text: string): Json {
  if (kind === 'date') return toTime(text);
  return required ? text : orNull(text);
}

/** @returns the text of a field: what was typed, else what the record has */
export function shownIn(form: RecordForm, present: Values, field: FormField): string {
  return form.typed[field.name] ?? toField(field, present[field.name]);
}

/** The person changes a field. One that is put back to what it was is not changed. */
export function withTyped(
  form: RecordForm,
  table: SyncedTable,
  present: Values,
  field: FormField,
  text: string,
): RecordForm {
  const { name } = field;
  const before = name in form.seen ? form.seen[name] : present[name];
  if (text === toField(field, before)) return without(form, table, [name]);
  const unseen = mates(table, name).filter((mate) => !(mate in form.seen));
  return {
    typed: { ...form.typed, [name]: text },
    seen: { ...form.seen, ...pick(present, unseen) },
  };
}

/** @returns what others have changed since the person changed the same, in the order of the fields, once for each unit */
export function clashesOf(
  form: RecordForm,
  table: SyncedTable,
  present: Values,
  fields: readonly FormField[],
): Clash[] {
  const told = new Set<string>();
  return fields.flatMap((field) => {
    const { name } = field;
    if (!(name in form.typed) || told.has(name)) return [];
    const unit = mates(table, name);
    for (const mate of unit) told.add(mate);
    const columns = unit.filter((mate) => {
      const value = present[mate] ?? null;
      const own = fields.find((other) => other.name === mate);
      const isSame = own !== undefined && form.typed[mate] === toField(own, value);
      return !isSame && !sameJson(form.seen[mate] ?? null, value);
    });
    return columns.length > 0 ? [{ field: name, columns }] : [];
  });
}

/** The person keeps what they typed over what somebody else has made of the columns. */
export function keepMine(form: RecordForm, table: SyncedTable, present: Values, field: string): RecordForm {
  return { ...form, seen: { ...form.seen, ...pick(present, mates(table, field)) } };
}

/** The person takes what somebody else has made of the columns. */
export function takeTheirs(form: RecordForm, table: SyncedTable, field: string): RecordForm {
  return without(form, table, mates(table, field));
}

/** @returns the columns that the person has changed and the record does not have so */
export function changesOf(
  form: RecordForm,
  present: Values,
  fields: readonly FormField[],
): Record<string, Json> {
  const changed = fields.filter(
    (field) => field.name in form.typed && form.typed[field.name] !== toField(field, present[field.name]),
  );
  return Object.fromEntries(
    changed.map((field) => [field.name, toColumn(field, form.typed[field.name] ?? '')]),
  );
}

/** @returns the column with those that merge with it (U6) */
function mates(table: SyncedTable, name: string): string[] {
  const columns = columnsOf(table);
  const unit = columns[name]?.unit;
  return Object.keys(columns).filter((other) => other === name || (unit && columns[other]?.unit === unit));
}

function without({ typed, seen }: RecordForm, table: SyncedTable, names: readonly string[]): RecordForm {
  const left = Object.entries(typed).filter(([name]) => !names.includes(name));
  const needed = new Set(left.flatMap(([name]) => mates(table, name)));
  return {
    typed: Object.fromEntries(left),
    seen: Object.fromEntries(Object.entries(seen).filter(([name]) => needed.has(name))),
  };
}

function pick(values: Values, names: readonly string[]): Record<string, Json> {
  return Object.fromEntries(names.map((name) => [name, values[name] ?? null]));
}
