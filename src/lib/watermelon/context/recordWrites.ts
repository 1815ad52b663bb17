/** Create, update and delete for the records that need nothing but validation and a role. */

import type { ContextService } from '@/domain/contextService';
import type { SyncedTable } from '@/domain/schema';
import { type RecordValues, validateChanges, validateId, validateInsert } from '@/domain/validation';
import type { ConvoyModel } from '../models';
import { withDescendants } from '../sync/records/cascade';
import { type LocalFirst, writeNew, writeOn } from './localFirst';
import { toEntity } from './localStore';
import { noSuch, orThrow, prepareInsert, prepareUpdate, requireRole } from './localWrites';

type RecordWrites = Pick<
  ContextService,
  | `${'create' | 'update' | 'delete'}Workspace`
  | `${'create' | 'update' | 'delete'}Project`
  | `${'create' | 'update' | 'delete'}Milestone`
  | `${'create' | 'update' | 'delete'}Pattern`
  | `${'create' | 'update' | 'delete'}BestPractice`
>;

export function recordWrites(local: LocalFirst): RecordWrites {
  const { store } = local;
  const { database } = store;

  /** The project a record is put under has to be one of its workspace. */
  const checkedProject = async (values: RecordValues, workspaceId: string): Promise<RecordValues> => {
    if (typeof values.project_id !== 'string') return values;
    const project = await store.record('projects', values.project_id);
    if (!project || project.workspaceId !== workspaceId) throw noSuch('projects', 'project_id');
    return { ...values, project_id: project.id };
  };

  /** Creates a record under `parent`. */
  const create = <T>(
    table: SyncedTable,
    parent: { table: SyncedTable; id: string; field: string },
    values: RecordValues,
    writeRemote: (remote: ContextService) => Promise<T>,
  ): Promise<T> =>
    writeOn(
      local,
      parent,
      async ({ workspaceId }) => {
        await requireRole(local, workspaceId, table, 'insert');
        const checked = await checkedProject(values, workspaceId);
        let record: ConvoyModel | undefined;
        return {
          models: () => {
            record = prepareInsert(local, table, workspaceId, checked);
            return [record];
          },
          result: () => toEntity<T>(table, (record as ConvoyModel).raw),
        };
      },
      writeRemote,
    );

  const update = async <T>(
    table: SyncedTable,
    id: string,
    changes: object,
    writeRemote: (remote: ContextService) => Promise<T>,
  ): Promise<T> => {
    const values = orThrow(validateChanges(table, changes));
    return writeOn(
      local,
      { table, id, field: 'id' },
      async (record) => {
        await requireRole(local, record.workspaceId, table, 'update');
        const checked = await checkedProject(values, record.workspaceId);
        return {
          models: () =>
            Object.keys(checked).length === 0 ? [] : [prepareUpdate(local, record, table, checked)],
          result: () => toEntity<T>(table, record.raw),
        };
      },
      writeRemote,
    );
  };

  const remove = (
    table: SyncedTable,
    id: string,
    writeRemote: (remote: ContextService) => Promise<void>,
  ): Promise<void> =>
    writeOn(
      local,
      { table, id, field: 'id' },
      async (record) => {
        await requireRole(local, record.workspaceId, table, 'delete');
        const doomed = await withDescendants(database, table, record);
        return {
          models: () => doomed.map((model) => model.prepareMarkAsDeleted(record.id)),
          result: () => undefined,
        };
      },
      writeRemote,
    );

  const inWorkspace = (id: string) =>
    ({ table: 'workspaces', id: orThrow(validateId('workspace_id', id)), field: 'workspace_id' }) as const;

  return {
    async createWorkspace(data) {
      const values = orThrow(validateInsert('workspaces', data));
      let record: ConvoyModel | undefined;
      return writeNew(local, {
        models: () => {
          record = prepareInsert(local, 'workspaces', null, values);
          return [record];
        },
        result: () => toEntity('workspaces', (record as ConvoyModel).raw),
      });
    },
    updateWorkspace: (id, changes) =>
      update('workspaces', id, changes, (remote) => remote.updateWorkspace(id, changes)),
    deleteWorkspace: (id) => remove('workspaces', id, (remote) => remote.deleteWorkspace(id)),

    async createProject(data) {
      const { workspace_id, ...rest } = data;
      const values = orThrow(validateInsert('projects', rest));
      return create('projects', inWorkspace(workspace_id), values, (remote) => remote.createProject(data));
    },
    updateProject: (id, changes) =>
      update('projects', id, changes, (remote) => remote.updateProject(id, changes)),
    deleteProject: (id) => remove('projects', id, (remote) => remote.deleteProject(id)),

    async createMilestone(data) {
      const values = orThrow(validateInsert('milestones', data));
      const parent = { table: 'projects', id: values.project_id as string, field: 'project_id' } as const;
      return create('milestones', parent, values, (remote) => remote.createMilestone(data));
    },
    updateMilestone: (id, changes) =>
      update('milestones', id, changes, (remote) => remote.updateMilestone(id, changes)),
    deleteMilestone: (id) => remove('milestones', id, (remote) => remote.deleteMilestone(id)),

    async createPattern(data) {
      const { workspace_id, ...rest } = data;
      const values = orThrow(validateInsert('patterns', rest));
      return create('patterns', inWorkspace(workspace_id), values, (remote) => remote.createPattern(data));
    },
    updatePattern: (id, changes) =>
      update('patterns', id, changes, (remote) => remote.updatePattern(id, changes)),
    deletePattern: (id) => remove('patterns', id, (remote) => remote.deletePattern(id)),

    async createBestPractice(data) {
      const { workspace_id, ...rest } = data;
      const values = orThrow(validateInsert('best_practices', rest));
      return create('best_practices', inWorkspace(workspace_id), values, (remote) =>
        remote.createBestPractice(data),
      );
    },
    updateBestPractice: (id, changes) =>
      update('best_practices', id, changes, (remote) => remote.updateBestPractice(id, changes)),
    deleteBestPractice: (id) => remove('best_practices', id, (remote) => remote.deleteBestPractice(id)),
  };
}
