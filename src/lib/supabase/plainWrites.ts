/** Writes of records without rules of their own: workspaces, projects, milestones, patterns, best practices. */

import { v7 as uuidv7 } from 'uuid';
import { ConvoyError, type ValidationError } from '@/core/errors';
import type { Result } from '@/core/result';
import { changedColumns } from '@/domain/changes';
import type { ContextService } from '@/domain/contextService';
import type { BestPractice, Milestone, Pattern, Project, Workspace } from '@/domain/entities';
import { columnsOf, isSyncedTable, type SyncedTable } from '@/domain/schema';
import {
  notFound,
  type RecordValues,
  validateChanges,
  validateId,
  validateInsert,
} from '@/domain/validation';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import type { PlainRecord } from './records';
import type { Change } from './remoteWriter';

/** What writes need of the server. */
export interface RemoteStore {
  /** The live record, or null when there is none that the caller may see. */
  get(table: SyncedTable, id: string): Promise<PlainRecord | null>;
  dependency(taskId: string, dependsOnId: string): Promise<PlainRecord | null>;
  /** The deletion, restored or not, or null when there is none that the caller may see. */
  deletion(id: string): Promise<PlainRecord | null>;
  /** Takes all changes or, by throwing a ConvoyError, none. */
  write(changes: readonly Change[]): Promise<void>;
  /** ISO time. */
  now(): string;
}

/** @returns the value of a check, or throws what is wrong. */
export function valid<T>(checked: Result<T, ValidationError>): T {
  if (!checked.ok) throw new ConvoyError(checked.error);
  return checked.value;
}

/** @returns the record, or throws `validation/not_found` on the field that named it. */
export async function existing(
  store: RemoteStore,
  table: SyncedTable,
  id: string,
  field: string,
): Promise<PlainRecord> {
  return (await store.get(table, id)) ?? valid(notFound(field, nounOf(table)));
}

/** `best_practices` is "best practice". */
function nounOf(table: SyncedTable): string {
  return table.replaceAll('_', ' ').replace(/s$/, '');
}

/** Reads a record again after it was written; somebody may have deleted it in between. */
export function reread(store: RemoteStore, table: SyncedTable, id: string): Promise<PlainRecord> {
  return existing(store, table, id, 'id');
}

/**
 * Sees to it that the records that columns name exist in this workspace (a workflow may be a global
 * one). Those of another workspace do not exist here.
 */
export async function checkReferences(
  store: RemoteStore,
  table: SyncedTable,
  workspaceId: string,
  values: RecordValues,
): Promise<void> {
  const references = Object.entries(columnsOf(table)).flatMap(([field, { kind, to }]) => {
    const id = values[field];
    const named = kind === 'ref' && to !== undefined && isSyncedTable(to) && typeof id === 'string';
    return named ? [{ field, to, id }] : [];
  });
  await Promise.all(
    references.map(async ({ field, to, id }) => {
      const { workspace_id: scope } = await existing(store, to, id, field);
      const usable = scope === workspaceId || (to === 'workflows' && scope === GLOBAL_SCOPE_ID);
      if (!usable) valid(notFound(field, nounOf(to)));
    }),
  );
}

async function create(
  store: RemoteStore,
  table: SyncedTable,
  workspaceId: string,
  values: RecordValues,
  id = uuidv7(),
): Promise<PlainRecord> {
  await store.write([{ table, op: 'insert', id, workspace_id: workspaceId, values }]);
  return reread(store, table, id);
}

/** Creates a record whose workspace the caller names. */
async function createIn(
  store: RemoteStore,
  table: SyncedTable,
  data: { workspace_id: string },
): Promise<PlainRecord> {
  const { workspace_id, ...columns } = data;
  const scope = valid(validateId('workspace_id', workspace_id));
  const values = valid(validateInsert(table, columns));
  await existing(store, 'workspaces', scope, 'workspace_id');
  await checkReferences(store, table, scope, values);
  return create(store, table, scope, values);
}

async function createMilestone(store: RemoteStore, data: object): Promise<PlainRecord> {
  const values = valid(validateInsert('milestones', data));
  const project = await existing(store, 'projects', String(values.project_id), 'project_id');
  return create(store, 'milestones', project.workspace_id, values);
}

async function createWorkspace(store: RemoteStore, data: object): Promise<PlainRecord> {
  const values = valid(validateInsert('workspaces', data));
  const id = uuidv7();
  return create(store, 'workspaces', id, values, id);
}

async function update(
  store: RemoteStore,
  table: SyncedTable,
  id: string,
  changes: object,
): Promise<PlainRecord> {
  const recordId = valid(validateId('id', id));
  const values = valid(validateChanges(table, changes));
  const before = await existing(store, table, recordId, 'id');
  const changed = pick(values, changedColumns(table, before, values));
  if (Object.keys(changed).length === 0) return before;
  await checkReferences(store, table, before.workspace_id, changed);
  await store.write([
    { table, op: 'update', id: recordId, workspace_id: before.workspace_id, values: changed },
  ]);
  return reread(store, table, recordId);
}

async function remove(store: RemoteStore, table: SyncedTable, id: string): Promise<void> {
  const recordId = valid(validateId('id', id));
  const { workspace_id } = await existing(store, table, recordId, 'id');
  await store.write([{ table, op: 'delete', id: recordId, workspace_id }]);
}

export function pick(values: RecordValues, columns: readonly string[]): RecordValues {
  return Object.fromEntries(columns.map((column) => [column, values[column] ?? null]));
}

type PlainWrites = Pick<
  ContextService,
  `${'create' | 'update' | 'delete'}${'Workspace' | 'Project' | 'Milestone' | 'Pattern' | 'BestPractice'}`
>;

async function as<T>(record: Promise<PlainRecord>): Promise<T> {
  return (await record) as unknown as T;
}

export function plainWrites(store: RemoteStore): PlainWrites {
  return {
    createWorkspace: (data) => as<Workspace>(createWorkspace(store, data)),
    updateWorkspace: (id, changes) => as<Workspace>(update(store, 'workspaces', id, changes)),
    deleteWorkspace: (id) => remove(store, 'workspaces', id),
    createProject: (data) => as<Project>(createIn(store, 'projects', data)),
    updateProject: (id, changes) => as<Project>(update(store, 'projects', id, changes)),
    deleteProject: (id) => remove(store, 'projects', id),
    createMilestone: (data) => as<Milestone>(createMilestone(store, data)),
    updateMilestone: (id, changes) => as<Milestone>(update(store, 'milestones', id, changes)),
    deleteMilestone: (id) => remove(store, 'milestones', id),
    createPattern: (data) => as<Pattern>(createIn(store, 'patterns', data)),
    updatePattern: (id, changes) => as<Pattern>(update(store, 'patterns', id, changes)),
    deletePattern: (id) => remove(store, 'patterns', id),
    createBestPractice: (data) => as<BestPractice>(createIn(store, 'best_practices', data)),
    updateBestPractice: (id, changes) => as<BestPractice>(update(store, 'best_practices', id, changes)),
    deleteBestPractice: (id) => remove(store, 'best_practices', id),
  };
}

/** Restores a deletion; whether its parent is there is for the server to say. */
export async function restoreDeletion(store: RemoteStore, deletionId: string): Promise<void> {
  const id = valid(validateId('deletion_id', deletionId));
  const deletion: PlainRecord = (await store.deletion(id)) ?? valid(notFound('deletion_id', 'deletion'));
  if (deletion.restored_at !== null) {
    const message = 'It has been restored already.';
    throw new ConvoyError({ kind: 'rejected', code: 'nothing_to_restore', column: 'restored_at', message });
  }
  const { workspace_id } = deletion;
  const values = { restored_at: store.now() };
  await store.write([{ table: 'deletions', op: 'update', id, workspace_id, values }]);
}
