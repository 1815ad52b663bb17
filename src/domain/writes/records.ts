/** Writes of workspaces, projects, milestones, patterns and best practices; and of deletions, to restore them. */

import { fail, ok } from '@/core/result';
import { changedColumns } from '../changes';
import type { UpdateOptions, WorkspaceInput } from '../contextService';
import type { Deletion, EntityOf } from '../entities';
import type { SyncedTable } from '../schema';
import { type RecordValues, validateChanges, validateId, validateInsert } from '../validation';
import { checkExpected, type Expectation, requireExpected } from './expected';
import type { PlanContext, Planned, Requested } from './plan';
import { pick, resolveReferences } from './references';

/** Tables of records that belong to a workspace which the caller names. */
type WorkspaceTable = 'projects' | 'patterns' | 'best_practices';
export type PlainTable = WorkspaceTable | 'workspaces' | 'milestones';

/** A new workspace: a scope of its own, and under no other record. */
export function planWorkspaceInsert(data: WorkspaceInput, context: PlanContext): Planned {
  const values = validateInsert('workspaces', data);
  if (!values.ok) return values;
  const id = context.newId();
  return ok({
    workspaceId: id,
    changes: [{ op: 'insert', table: 'workspaces', id, values: values.value }],
    activities: [],
    answer: { table: 'workspaces', id },
  });
}

export function requestInsertInWorkspace(
  table: WorkspaceTable,
  data: { workspace_id: string },
): Requested<'workspaces'> {
  const { workspace_id, ...columns } = data ?? {};
  const id = validateId('workspace_id', workspace_id);
  if (!id.ok) return id;
  const values = validateInsert(table, columns);
  if (!values.ok) return values;
  return ok({
    target: { table: 'workspaces', id: id.value, field: 'workspace_id' },
    plan: (workspace, context) => planInsert(table, workspace.id, values.value, {}, context),
  });
}

export function requestMilestoneInsert(data: object): Requested<'projects'> {
  const values = validateInsert('milestones', data);
  if (!values.ok) return values;
  return ok({
    target: { table: 'projects', id: String(values.value.project_id), field: 'project_id' },
    plan: ({ id: project_id, workspace_id }, context) =>
      planInsert('milestones', workspace_id, { ...values.value, project_id }, { project_id }, context),
  });
}

/** @param known references that were looked up already. */
async function planInsert(
  table: PlainTable,
  workspaceId: string,
  given: RecordValues,
  known: RecordValues,
  context: PlanContext,
): Promise<Planned> {
  const resolved = await resolveReferences(table, workspaceId, given, known, context);
  if (!resolved.ok) return resolved;
  const id = context.newId();
  return ok({
    workspaceId,
    changes: [{ op: 'insert', table, id, values: resolved.value.values }],
    activities: [],
    answer: { table, id },
  });
}

export function requestRecordUpdate<Table extends PlainTable>(
  table: Table,
  id: string,
  changes: object,
  options?: UpdateOptions<object>,
): Requested<Table> {
  const target = validateId('id', id);
  if (!target.ok) return target;
  const values = validateChanges(table, changes);
  if (!values.ok) return values;
  const expectation = checkExpected(table, options);
  if (!expectation.ok) return expectation;
  return ok({
    target: { table, id: target.value, field: 'id' },
    plan: (before, context) => planRecordUpdate(table, before, values.value, expectation.value, context),
  });
}

async function planRecordUpdate(
  table: PlainTable,
  before: EntityOf[PlainTable],
  given: RecordValues,
  expectation: Expectation,
  context: PlanContext,
): Promise<Planned> {
  const { id, workspace_id: workspaceId } = before;
  const found = await requireExpected(table, before, expectation, given, context);
  if (!found.ok) return found;
  const stored = { ...before } as unknown as RecordValues;
  const resolved = await resolveReferences(table, workspaceId, given, stored, context);
  if (!resolved.ok) return resolved;
  const { values } = resolved.value;
  const changed = pick(values, changedColumns(table, stored, values));
  const isChanged = Object.keys(changed).length > 0;
  return ok({
    workspaceId,
    changes: isChanged ? [{ op: 'update', table, id, values: changed, ...found.value }] : [],
    activities: [],
    answer: { table, id },
  });
}

export function requestRecordDelete<Table extends SyncedTable>(table: Table, id: string): Requested<Table> {
  const target = validateId('id', id);
  if (!target.ok) return target;
  return ok({
    target: { table, id: target.value, field: 'id' },
    plan: (before) =>
      ok({
        workspaceId: before.workspace_id,
        changes: [{ op: 'delete', table, id: before.id }],
        activities: [],
        answer: null,
      }),
  });
}

/** Only the server checks that the parent of the deleted record exists (U25). */
export function requestRestore(deletionId: string): Requested<'deletions'> {
  const target = validateId('deletion_id', deletionId);
  if (!target.ok) return target;
  return ok({
    target: { table: 'deletions', id: target.value, field: 'deletion_id' },
    plan: (deletion, context) => planRestore(deletion, context),
  });
}

function planRestore(deletion: Deletion, context: PlanContext): Planned {
  if (deletion.restored_at !== null) {
    return fail({
      kind: 'rejected',
      code: 'nothing_to_restore',
      column: 'restored_at',
      message: 'This deletion has been restored already. Choose another one of getDeletions.',
    });
  }
  const values = { restored_at: context.now() };
  return ok({
    workspaceId: deletion.workspace_id,
    changes: [{ op: 'update', table: 'deletions', id: deletion.id, values }],
    activities: [],
    answer: null,
    restores: deletion.entity_type,
  });
}
