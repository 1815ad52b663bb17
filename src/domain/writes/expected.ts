/** Values that a caller expects a record to have when it updates it: checked where the plan is made, and passed on to the server (U45). */

import type { StaleError, ValidationError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import { fail, ok, type Result } from '@/core/result';
import { canonicalId, canonicalTime, storableJson } from '@/core/text';
import { sameJson } from '../changes';
import type { UpdateOptions } from '../contextService';
import type { EntityOf } from '../entities';
import { type Column, columnsOf, isSyncedTable, RECORD_NOUNS, type SyncedTable } from '../schema';
import { invalid, type RecordValues } from '../validation';
import type { PlanContext } from './plan';
import { pick } from './references';

/** The options of an update, checked. */
export interface Expectation {
  expected: RecordValues;
  merges: boolean;
}

/**
 * @param options of the caller. A value that the column cannot have by today's rules is no fault: the record may have it.
 * @returns `unknown_field` for a column that no update changes, `bad_value` for a value of another type than the column's
 */
export function checkExpected(
  table: SyncedTable,
  { expected, merges = false, ...others }: UpdateOptions<object> = {},
): Result<Expectation, ValidationError> {
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) {
    return invalid('unknown_field', unknown, `An update has no option "${unknown}". Use expected or merges.`);
  }
  if (typeof merges !== 'boolean') return invalid('bad_value', 'merges', 'merges must be true or false.');
  if (expected !== undefined && (typeof expected !== 'object' || expected === null)) {
    return invalid('bad_value', 'expected', 'The expected values must be an object of columns.');
  }
  const columns = columnsOf(table);
  const checked: RecordValues = {};
  for (const [name, value] of Object.entries(expected ?? {})) {
    if (value === undefined) continue;
    const field = `expected.${name}`;
    const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
    if (!column || column.serverSet) {
      const message = `No update changes the column "${name}" of ${table}, so none expects it. Leave it out; expectedOf picks what to give.`;
      return invalid('unknown_field', field, message);
    }
    const canonical = canonicalValue(column, value);
    if (canonical === undefined) {
      return invalid('bad_value', field, `The record cannot have this value of ${name}. Give what was read.`);
    }
    checked[name] = canonical;
  }
  return ok({ expected: checked, merges });
}

/** @returns the value as records have it; undefined where it is of another type. */
function canonicalValue({ kind }: Column, value: unknown): Json | undefined {
  if (value === null) return null;
  switch (kind) {
    case 'text':
    case 'prose':
      return typeof value === 'string' ? value : undefined;
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
    case 'time':
      return canonicalTime(value) ?? undefined;
    case 'ref':
      return canonicalId(value) ?? undefined;
    case 'json': {
      const json = storableJson(value);
      return json.ok ? json.value : undefined;
    }
  }
}

/**
 * @param before the record as the store has it
 * @param given the values of the update, in canonical form
 * @returns `conflict/stale` where the record is not as expected; else what the change has to be sent with, if anything
 */
export async function requireExpected<Table extends SyncedTable>(
  table: Table,
  before: EntityOf[Table],
  { expected, merges }: Expectation,
  given: RecordValues,
  context: PlanContext,
): Promise<Result<{ expected?: RecordValues }, StaleError>> {
  const stored = { ...before } as unknown as RecordValues;
  const local = await withStoredIds(table, stored, expected, context);
  const columns = staleColumns(table, stored, local, given);
  if (columns.length > 0) {
    return fail(staleError(table, columns, stored));
  }
  const names = Object.keys(local);
  // The values found, in place of those expected: a column may have its new value already.
  return ok(merges || names.length === 0 ? {} : { expected: pick(stored, names) });
}

export function staleError(table: SyncedTable, columns: string[], present: RecordValues): StaleError {
  return {
    kind: 'conflict',
    code: 'stale',
    columns,
    present: Object.fromEntries(columns.map((name) => [name, present[name] ?? null])),
    message: `The ${RECORD_NOUNS[table]} is not as expected: ${columns.join(', ')} changed meanwhile. Read it again, then decide.`,
  };
}

/** A record may be known by two ids: callers give either. */
async function withStoredIds(
  table: SyncedTable,
  stored: RecordValues,
  expected: RecordValues,
  context: PlanContext,
): Promise<RecordValues> {
  const local = { ...expected };
  for (const [name, { to }] of Object.entries(columnsOf(table))) {
    const id = expected[name];
    if (typeof id !== 'string' || id === stored[name] || to === undefined || !isSyncedTable(to)) continue;
    local[name] = (await context.find(to, id))?.id ?? id;
  }
  return local;
}

/**
 * The columns that are not as expected. Those of a unit that has its new values already are: somebody, or this very write,
 * has done the same before. The server judges alike (`convoy.stale_columns`).
 */
export function staleColumns(
  table: SyncedTable,
  stored: RecordValues,
  expected: RecordValues,
  given: RecordValues,
): string[] {
  const columns = columnsOf(table);
  const is = (values: RecordValues, name: string) => sameJson(values[name] ?? null, stored[name] ?? null);
  const stale = Object.keys(columns).filter((name) => name in expected && !is(expected, name));
  return stale.filter((name) => {
    const unit = columns[name]?.unit;
    const mates = Object.keys(columns).filter(
      (other) => other === name || (unit && columns[other]?.unit === unit),
    );
    const isDone = mates.every((mate) => (mate in given ? is(given, mate) : !stale.includes(mate)));
    return !isDone;
  });
}

/**
 * Picks from a copy of a record what an update of it should expect: the columns that it changes, and those that merge
 * with them (U6).
 * @param copy the record as the caller has read it
 */
export function expectedOf<Table extends SyncedTable>(
  table: Table,
  copy: EntityOf[Table],
  changes: object,
): Record<string, Json> {
  const columns = columnsOf(table);
  const given = Object.entries(changes).flatMap(([name, value]) => (value === undefined ? [] : name));
  const units = new Set(given.map((name) => columns[name]?.unit ?? name));
  const values = copy as unknown as Record<string, Json>;
  return Object.fromEntries(
    Object.keys(columns)
      .filter((name) => units.has(columns[name]?.unit ?? name))
      .map((name) => [name, values[name] ?? null]),
  );
}
