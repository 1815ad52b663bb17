import { expect, it } from 'vitest';
import type { ContextService } from '@/domain/contextService';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { SEED } from '../../support/seed';
import { expectError, ISO_TIME, rejected, type Section, UNKNOWN_ID, validation } from './world';

interface Plain {
  id: string;
  workspace_id: string;
  updated_at: string;
}

/** One kind of record that is written without rules of its own. */
interface Kind {
  name: string;
  create(service: ContextService, values: object): Promise<Plain>;
  update(service: ContextService, id: string, changes: object): Promise<Plain>;
  delete(service: ContextService, id: string): Promise<void>;
  list(service: ContextService): Promise<Plain[]>;
  /** What it must hang under, and the field that says so. */
  parent: { field: string; id: string } | null;
  values: Record<string, unknown>;
  defaults: Record<string, unknown>;
}

const inWorkspace = { field: 'workspace_id', id: SEED.workspace };

const KINDS: Kind[] = [
  {
    name: 'workspace',
    create: (service, values) => service.createWorkspace(values as never),
    update: (service, id, changes) => service.updateWorkspace(id, changes),
    delete: (service, id) => service.deleteWorkspace(id),
    list: (service) => service.getWorkspaces(),
    parent: null,
    values: { description: 'Where we meet\n' },
    defaults: { description: null },
  },
  {
    name: 'project',
    create: (service, values) => service.createProject(values as never),
    update: (service, id, changes) => service.updateProject(id, changes),
    delete: (service, id) => service.deleteProject(id),
    list: (service) => service.getProjects(SEED.workspace),
    parent: inWorkspace,
    values: { description: 'x', overview: '# x', tech_stack: ['a', { b: [1.5, null] }], status: 'paused' },
    defaults: { description: null, overview: null, tech_stack: [], status: 'active' },
  },
  {
    name: 'milestone',
    create: (service, values) => service.createMilestone(values as never),
    update: (service, id, changes) => service.updateMilestone(id, changes),
    delete: (service, id) => service.deleteMilestone(id),
    list: (service) => service.getMilestones(SEED.fieldApp),
    parent: { field: 'project_id', id: SEED.fieldApp },
    values: { requirements: '- x', status: 'active', target_date: '2026-05-01T12:00:00.000Z' },
    defaults: { description: null, requirements: null, status: 'planned', target_date: null },
  },
  {
    name: 'pattern',
    create: (service, values) => service.createPattern(values as never),
    update: (service, id, changes) => service.updatePattern(id, changes),
    delete: (service, id) => service.deletePattern(id),
    list: (service) => service.getPatterns(),
    parent: inWorkspace,
    values: {
      project_id: SEED.fieldApp,
      pattern_type: 'testing',
      content: { steps: ['a'], deep: { er: {} } },
    },
    defaults: { project_id: null, description: null, pattern_type: 'general', content: {} },
  },
  {
    name: 'best practice',
    create: (service, values) => service.createBestPractice(values as never),
    update: (service, id, changes) => service.updateBestPractice(id, changes),
    delete: (service, id) => service.deleteBestPractice(id),
    list: (service) => service.getBestPractices(),
    parent: inWorkspace,
    values: { project_id: SEED.fieldApp, category: 'design', content: ['a', 1, true] },
    defaults: { project_id: null, description: null, category: 'general', content: {} },
  },
];

export const recordsContract: Section = (world) => {
  for (const kind of KINDS) {
    const parent = kind.parent ? { [kind.parent.field]: kind.parent.id } : {};

    it(`creates, updates and deletes a ${kind.name}`, async () => {
      const { owner } = world();
      const made = await kind.create(owner, { ...parent, name: ' First ' });
      expect(made).toMatchObject({ ...parent, ...kind.defaults, name: 'First' });
      expect(made.updated_at).toMatch(ISO_TIME);
      expect(await kind.list(owner)).toContainEqual(made);

      const updated = await kind.update(owner, made.id, { name: 'Second', ...kind.values });
      expect(updated).toEqual({ ...made, name: 'Second', ...kind.values, updated_at: updated.updated_at });
      expect(await kind.list(owner)).toContainEqual(updated);
      expect(await kind.update(owner, made.id, { name: 'Second ' })).toEqual(updated);

      await kind.delete(owner, made.id);
      expect((await kind.list(owner)).map(({ id }) => id)).not.toContain(made.id);
      await expectError(kind.update(owner, made.id, { name: 'x' }), validation('not_found', 'id'));
      await expectError(kind.delete(owner, made.id), validation('not_found', 'id'));
    });

    it(`keeps all values of a new ${kind.name}`, async () => {
      const { owner } = world();
      const made = await kind.create(owner, { ...parent, name: 'All', ...kind.values });
      expect(made).toMatchObject({ name: 'All', ...kind.values });
      await kind.delete(owner, made.id);
    });

    it(`refuses a bad ${kind.name}`, async () => {
      const { owner } = world();
      const create = (values: object) => kind.create(owner, { ...parent, name: 'x', ...values });
      await expectError(create({ name: '\n' }), validation('required', 'name'));
      await expectError(create({ name: 'x'.repeat(201) }), validation('too_long', 'name'));
      await expectError(create({ name: 'a\0' }), validation('bad_character', 'name'));
      await expectError(create({ description: '\udfff' }), validation('bad_character', 'description'));
      await expectError(create({ created_at: '2026-01-01' }), validation('unknown_field', 'created_at'));
      await expectError(kind.update(owner, 'x', { name: 'y' }), validation('bad_id', 'id'));
      await expectError(kind.update(owner, UNKNOWN_ID, { name: 'y' }), validation('not_found', 'id'));
      await expectError(
        kind.update(owner, UNKNOWN_ID, { workspace_id: UNKNOWN_ID }),
        validation('unknown_field', 'workspace_id'),
      );
      await expectError(kind.delete(owner, UNKNOWN_ID), validation('not_found', 'id'));
      if (kind.parent) {
        const { field } = kind.parent;
        await expectError(create({ [field]: UNKNOWN_ID }), validation('not_found', field));
        await expectError(create({ [field]: 'x' }), validation('bad_id', field));
        await expectError(create({ [field]: undefined }), validation('required', field));
      }
      if ('project_id' in kind.defaults) {
        await expectError(create({ project_id: UNKNOWN_ID }), validation('not_found', 'project_id'));
      }
    });
  }

  it('whoever creates a workspace owns it (R1)', async () => {
    const { outsider, owner, settle } = world();
    const workspace = await outsider.createWorkspace({ name: 'Of the outsider' });
    expect(workspace.workspace_id).toBe(workspace.id);
    const project = await outsider.createProject({ workspace_id: workspace.id, name: 'Mine' });
    const milestone = await outsider.createMilestone({ project_id: project.id, name: 'Mine' });
    const task = await outsider.createTask({ milestone_id: milestone.id, title: 'Mine' });
    await settle();
    expect(await owner.getTaskContext(task.id)).toBeNull();
    expect(await outsider.updateTaskStage(task.id, 'IMPLEMENT')).toMatchObject({
      current_stage: 'IMPLEMENT',
    });
  });

  it('deleting a project hides its milestones, tasks and knowledge (U8)', async () => {
    const { owner, viewer, settle } = world();
    const project = await owner.createProject({ workspace_id: SEED.workspace, name: 'Short-lived' });
    const milestone = await owner.createMilestone({ project_id: project.id, name: 'Short-lived' });
    const task = await owner.createTask({ milestone_id: milestone.id, title: 'Short-lived' });
    const values = { workspace_id: SEED.workspace, project_id: project.id, name: 'Short-lived' };
    const pattern = await owner.createPattern(values);
    await settle();
    await owner.deleteProject(project.id);
    await settle();
    for (const service of [owner, viewer]) {
      expect((await service.getProjects(SEED.workspace)).map(({ id }) => id)).not.toContain(project.id);
      expect(await service.getMilestones(project.id)).toEqual([]);
      expect(await service.getTasks(milestone.id)).toEqual([]);
      expect(await service.getTaskContext(task.id)).toBeNull();
      expect((await service.getPatterns()).map(({ id }) => id)).not.toContain(pattern.id);
    }
    await expectError(
      owner.createMilestone({ project_id: project.id, name: 'Too late' }),
      validation('not_found', 'project_id'),
    );
  });

  it('nobody writes reference data (R3)', async () => {
    const { owner } = world();
    await expectError(
      owner.createPattern({ workspace_id: GLOBAL_SCOPE_ID, name: 'x' }),
      validation('not_found', 'workspace_id'),
    );
    await expectError(owner.updateBestPractice(SEED.globalPractice, { name: 'x' }), rejected('forbidden'));
    await expectError(owner.deleteBestPractice(SEED.globalPractice), rejected('forbidden'));
  });
};
