/** The records that the columns of a write name. */

import type { ValidationError } from '@/core/errors';
import type { Json } from '@/core/protocol';
import { ok, type Result } from '@/core/result';
import type { EntityOf } from '../entities';
import { columnsOf, isSyncedTable, type SyncedTable } from '../schema';
import { noSuchRecord, type RecordValues } from '../validation';
import { GLOBAL_SCOPE_ID } from '../vocabulary';
import type { PlanContext } from './plan';

export interface Resolved {
  /** The values, with the ids that the named records have in the store. */
  values: RecordValues;
  /** The named records, by column. */
  named: ReadonlyMap<string, EntityOf[SyncedTable]>;
}

/**
 * Looks up the records that columns name. A record of another workspace does not exist for this one (S1),
 * but for the workflows of the global scope.
 * @param known values that are not looked up again: those the record has, or that the caller has checked.
 * @returns `not_found` for the first column, in the order of the schema, whose record does not exist; then for the
 * first that names a user who is not a member.
 */
export async function resolveReferences(
  table: SyncedTable,
  workspaceId: string,
  values: RecordValues,
  known: Readonly<Record<string, Json>>,
  context: PlanContext,
): Promise<Result<Resolved, ValidationError>> {
  const references = Object.entries(columnsOf(table)).flatMap(([field, { to }]) => {
    const id = values[field];
    const isNew = typeof id === 'string' && id !== known[field];
    return isNew && to !== undefined && isSyncedTable(to) ? [{ field, to, id }] : [];
  });
  const found = await Promise.all(references.map(({ to, id }) => context.find(to, id)));
  const resolved = { ...values };
  const named = new Map<string, EntityOf[SyncedTable]>();
  for (const [index, { field, to }] of references.entries()) {
    const record = found[index] ?? null;
    const scope = record?.workspace_id;
    const isUsable = scope === workspaceId || (to === 'workflows' && scope === GLOBAL_SCOPE_ID);
    if (record === null || !isUsable) return noSuchRecord(field, to);
    resolved[field] = record.id;
    named.set(field, record);
  }
  const stranger = await strangerAmong(table, workspaceId, values, known, context);
  return stranger === null ? ok({ values: resolved, named }) : noSuchRecord(stranger, 'workspace_members');
}

/** @returns these columns of the values. */
export function pick(values: RecordValues, columns: readonly string[]): RecordValues {
  return Object.fromEntries(columns.map((column) => [column, values[column] ?? null]));
}

/** @returns the first column that names a user who is not a member of the workspace, as far as the store knows. */
async function strangerAmong(
  table: SyncedTable,
  workspaceId: string,
  values: RecordValues,
  known: Readonly<Record<string, Json>>,
  context: PlanContext,
): Promise<string | null> {
  for (const [field, { to }] of Object.entries(columnsOf(table))) {
    const id = values[field];
    if (to !== 'user' || typeof id !== 'string' || id === known[field]) continue;
    if ((await context.isMember(workspaceId, id)) === false) return field;
  }
  return null;
}
