import { expect, it } from 'vitest';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { SEED } from '../../support/seed';
import { type Section, UNKNOWN_ID } from './world';

interface Knowledge {
  workspace_id: string;
  project_id: string | null;
}

/** Where each record comes from, in words. */
function origins(records: readonly Knowledge[]): string[] {
  const origin = ({ workspace_id, project_id }: Knowledge) => {
    if (workspace_id === GLOBAL_SCOPE_ID) return 'global';
    if (workspace_id !== SEED.workspace) return 'elsewhere';
    if (project_id === null) return 'workspace';
    return project_id === SEED.fieldApp ? 'field app' : 'other project';
  };
  return [...new Set(records.map(origin))].sort();
}

export const knowledgeContract: Section = (world) => {
  it('a task sees global best practices, those of its workspace and of its project', async () => {
    const context = await world().agent.getTaskContext(SEED.busyTask);
    expect(origins(context?.best_practices ?? [])).toEqual(['field app', 'global', 'workspace']);
    expect(origins(context?.patterns ?? [])).toEqual(['field app', 'workspace']);
  });

  it('orders both by name, then by id', async () => {
    const { agent } = world();
    for (const records of [await agent.getPatterns(), await agent.getBestPractices()]) {
      const sorted = [...records].sort((one, other) =>
        one.name === other.name ? (one.id < other.id ? -1 : 1) : one.name < other.name ? -1 : 1,
      );
      expect(records.map(({ id }) => id)).toEqual(sorted.map(({ id }) => id));
    }
  });

  it('without a scope gives all that the user may see', async () => {
    const practices = await world().viewer.getBestPractices();
    expect(origins(practices)).toEqual(['field app', 'global', 'other project', 'workspace']);
    expect(origins(await world().viewer.getPatterns())).toEqual(['field app', 'other project', 'workspace']);
  });

  it('with a workspace gives all of it and the global ones', async () => {
    const { viewer } = world();
    const scope = { workspace_id: SEED.workspace };
    expect(origins(await viewer.getBestPractices(scope))).toEqual([
      'field app',
      'global',
      'other project',
      'workspace',
    ]);
    expect(origins(await viewer.getPatterns(scope))).toEqual(['field app', 'other project', 'workspace']);
  });

  it('with a project gives its own, those of its workspace and the global ones', async () => {
    const { viewer } = world();
    const scope = { project_id: SEED.fieldApp };
    expect(origins(await viewer.getBestPractices(scope))).toEqual(['field app', 'global', 'workspace']);
    expect(origins(await viewer.getPatterns({ ...scope, workspace_id: SEED.workspace }))).toEqual([
      'field app',
      'workspace',
    ]);
  });

  it.each([UNKNOWN_ID, 'nowhere'])(
    'with the workspace %s gives the global ones only',
    async (workspace_id) => {
      expect(origins(await world().viewer.getBestPractices({ workspace_id }))).toEqual(['global']);
      expect(await world().viewer.getPatterns({ workspace_id })).toEqual([]);
    },
  );

  it.each([UNKNOWN_ID, 'nowhere'])('with the project %s gives nothing', async (project_id) => {
    expect(await world().viewer.getBestPractices({ project_id })).toEqual([]);
    expect(await world().viewer.getPatterns({ project_id })).toEqual([]);
  });
};
