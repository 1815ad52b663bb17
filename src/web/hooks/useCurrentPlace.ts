import { useRoute } from 'wouter';
import { routes } from '../routes';
import { idOfReference } from './taskReferences';
import { useRecord } from './useQuery';

/** An id that no record has: the queries must run in every render. */
const NONE = '';

/** The workspace, project, milestone and task of the address. */
export function useCurrentPlace() {
  const reference = useRouteId(routes.task(':id'));
  const taskId = reference === null ? null : idOfReference(reference);
  const ofMilestone = useRouteId(routes.milestone(':id'));
  const ofProject = useRouteId(routes.project(':id'));
  const ofDeleted = useRouteId(routes.deleted(':id'));
  const ofMembers = useRouteId(routes.members(':id'));
  const ofWorkspace = useRouteId(routes.workspace(':id')) ?? ofMembers ?? ofDeleted;
  const task = useRecord('tasks', taskId ?? NONE);
  const milestoneId = ofMilestone ?? task?.milestone_id ?? null;
  const milestone = useRecord('milestones', milestoneId ?? NONE);
  const projectId = ofProject ?? milestone?.project_id ?? null;
  const project = useRecord('projects', projectId ?? NONE);
  const workspaceId = ofWorkspace ?? project?.workspace_id ?? task?.workspace_id ?? null;
  const workspace = useRecord('workspaces', workspaceId ?? NONE);
  return { workspaceId, projectId, milestoneId, taskId, workspace, project, milestone, task };
}

function useRouteId(pattern: string): string | null {
  const [matches, params] = useRoute<{ id: string }>(pattern);
  return matches ? params.id : null;
}
