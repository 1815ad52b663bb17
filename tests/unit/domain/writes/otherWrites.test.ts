import { describe, expect, it } from 'vitest';
import type { Deletion, Project } from '@/domain/entities';
import {
  planWorkspaceInsert,
  requestInsertInWorkspace,
  requestMilestoneInsert,
  requestRecordUpdate,
  requestRestore,
} from '@/domain/writes/records';
import { requestDependencyDelete, requestDependencyInsert } from '@/domain/writes/taskDependencies';
import {
  contextOf,
  milestone,
  NOW,
  OTHER_WORKSPACE,
  planned,
  planOf,
  task,
  uuid,
  WORKSPACE,
} from './planning';

const common = { created_at: NOW, updated_at: NOW, last_modified_by: null };
const project = (n: number, workspace_id = WORKSPACE): Project => ({
  ...common,
  id: uuid(n),
  workspace_id,
  name: 'Project',
  description: null,
  overview: null,
  tech_stack: ['a', { b: 1, c: 2 }],
  status: 'active',
  key: null,
});
const fault = (code: string, field: string) => ({ ok: false, error: { kind: 'validation', code, field } });

describe('plans of plain records', () => {
  const records = {
    workspaces: [{ ...common, id: WORKSPACE, workspace_id: WORKSPACE, name: 'W', description: null }],
    projects: [project(9), project(8, OTHER_WORKSPACE)],
    milestones: [milestone(10)],
  };

  it('a new workspace is its own scope', () => {
    const plan = planWorkspaceInsert({ name: ' W ' }, contextOf({ records }));
    expect(plan).toMatchObject({
      ok: true,
      value: {
        workspaceId: uuid(1000),
        changes: [{ op: 'insert', id: uuid(1000), values: { name: 'W', description: null } }],
      },
    });
  });

  it('a new milestone belongs to the workspace of its project', async () => {
    const plan = await planOf(
      requestMilestoneInsert({ project_id: uuid(9), name: 'x' }),
      contextOf({ records }),
    );
    expect(plan).toMatchObject({
      workspaceId: WORKSPACE,
      changes: [{ op: 'insert', table: 'milestones', values: { project_id: uuid(9), status: 'planned' } }],
    });
  });

  it('a project of another workspace does not exist (S1)', async () => {
    const context = contextOf({ records });
    const pattern = { workspace_id: WORKSPACE, project_id: uuid(8), name: 'x' };
    expect(await planned(requestInsertInWorkspace('patterns', pattern), context)).toMatchObject(
      fault('not_found', 'project_id'),
    );
    const update = requestRecordUpdate('milestones', uuid(10), { project_id: uuid(8) });
    expect(await planned(update, context)).toMatchObject(fault('not_found', 'project_id'));
  });

  it('an update that repeats what is stored changes nothing, whatever the order of JSON keys', async () => {
    const repeated = { name: ' Project ', tech_stack: ['a', { c: 2, b: 1 }] };
    const plan = await planOf(requestRecordUpdate('projects', uuid(9), repeated), contextOf({ records }));
    expect(plan).toMatchObject({ changes: [], answer: { table: 'projects', id: uuid(9) } });
  });

  it('a deletion is restored once (U24)', async () => {
    const deletion: Deletion = {
      ...common,
      id: uuid(30),
      workspace_id: WORKSPACE,
      entity_type: 'tasks',
      entity_id: uuid(1),
      name: 'x',
      parts: 1,
      restored_at: null,
    };
    const request = requestRestore(deletion.id);
    const plan = await planOf(request, contextOf({ records: { deletions: [deletion] } }));
    expect(plan).toMatchObject({ changes: [{ values: { restored_at: NOW } }], restores: 'tasks' });
    const restored = { ...deletion, restored_at: NOW };
    expect(await planned(request, contextOf({ records: { deletions: [restored] } }))).toMatchObject({
      ok: false,
      error: { kind: 'rejected', code: 'nothing_to_restore', column: 'restored_at' },
    });
  });
});

describe('plans of dependencies', () => {
  const tasks = [task(1), task(2), task(3), task(4, { workspace_id: OTHER_WORKSPACE })];
  const dependencies = [
    [uuid(1), uuid(2)],
    [uuid(2), uuid(3)],
  ] as const;
  const context = contextOf({ records: { tasks }, dependencies });
  const field = 'depends_on_task_id';

  it.each([
    [1, 1, 'cycle'],
    [1, 2, 'duplicate'],
    [3, 1, 'cycle'],
    [1, 4, 'not_found'],
    [1, 5, 'not_found'],
  ])('task %i cannot depend on task %i: %s', async (from, to, code) => {
    const request = requestDependencyInsert(uuid(from), uuid(to));
    expect(await planned(request, context)).toMatchObject(fault(code, field));
  });

  it('leaves cycles through other tasks to the server where there is no graph', async () => {
    const { graph: _, ...withoutGraph } = context;
    const plan = await planOf(requestDependencyInsert(uuid(3), uuid(1)), withoutGraph);
    expect(plan).toMatchObject({
      changes: [{ op: 'insert', values: { task_id: uuid(3), depends_on_task_id: uuid(1) } }],
      activities: [{ draft: { task_id: uuid(3), activity_type: 'dependency_added' } }],
    });
  });

  it('a dependency on a task that is gone can still be removed', async () => {
    const gone = contextOf({ records: { tasks: [task(1)] }, dependencies });
    const plan = await planOf(requestDependencyDelete(uuid(1), uuid(2)), gone);
    expect(plan).toMatchObject({
      changes: [{ op: 'delete', table: 'task_dependencies' }],
      activities: [{ draft: { details: { depends_on_task_id: uuid(2), title: null } } }],
    });
    expect(await planned(requestDependencyDelete(uuid(1), uuid(3)), gone)).toMatchObject(
      fault('not_found', field),
    );
  });
});
