import { useMemo } from 'react';
import type { Milestone, Project, Workflow } from '@/domain/entities';
import { inOrder } from '@/domain/validation';
import { STANDARD_WORKFLOW_ID } from '@/domain/vocabulary';
import { useDevice } from '../../hooks/useDevice';
import { useQuery } from '../../hooks/useQuery';
import { useTeams } from '../../hooks/useTeams';
import type { ListFacts } from './rows';

interface Places {
  /** In their order. */
  milestones: readonly Milestone[];
  projects: readonly Project[];
  workspaceIds: readonly string[];
  /** The milestones are of several projects. */
  isAcross: boolean;
}

/** The facts that rows of a list show beside their tasks, and the user's rights to change these. */
export function useListFacts({ milestones, projects, workspaceIds, isAcross }: Places) {
  const { userId } = useDevice();
  const teams = useTeams(workspaceIds);
  const workflows = useQuery('workflows');

  const workflowById = useMemo(() => new Map((workflows ?? []).map((one) => [one.id, one])), [workflows]);
  const projectById = useMemo(() => new Map(projects.map((one) => [one.id, one])), [projects]);
  const facts = useMemo((): ListFacts => {
    const labelOf = ({ name, project_id }: Milestone) =>
      isAcross ? `${projectById.get(project_id)?.name ?? 'A project'} › ${name}` : name;
    return {
      userId,
      milestones: new Map(
        milestones.map((one) => [one.id, { label: labelOf(one), target_date: one.target_date }]),
      ),
      stages: stageNames(workflowById),
      nameOf: ({ workspace_id }, id) => teams.nameOf(workspace_id, id),
    };
  }, [userId, milestones, projectById, isAcross, workflowById, teams]);
  const projectOf = useMemo(() => {
    const byMilestone = new Map(milestones.map((one) => [one.id, projectById.get(one.project_id) ?? null]));
    return (milestoneId: string) => byMilestone.get(milestoneId) ?? null;
  }, [milestones, projectById]);
  const workflowOf = (id: string | null) => workflowById.get(id ?? STANDARD_WORKFLOW_ID) ?? null;
  return { facts, teams, projectOf, workflowOf, userId };
}

/** @returns the stages of all workflows, those of the standard one first */
function stageNames(workflows: ReadonlyMap<string, Workflow>): string[] {
  const standard = workflows.get(STANDARD_WORKFLOW_ID);
  const all = [...(standard ? [standard] : []), ...workflows.values()];
  return [...new Set(all.flatMap(({ stages }) => inOrder(stages).map(({ name }) => name)))];
}
