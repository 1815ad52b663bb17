import { Link } from 'wouter';
import type { Milestone, Project, Workspace } from '@/domain/entities';
import { useCurrentPlace } from '../hooks/useCurrentPlace';
import { useQuery } from '../hooks/useQuery';
import { routes } from '../routes';
import { byName } from '../ui/order';

/** The tree of workspaces, projects and milestones. Hidden on phones, where people navigate through the pages. */
export function Sidebar() {
  const workspaces = useQuery('workspaces');
  const place = useCurrentPlace();
  return (
    <nav className="sidebar" aria-label="Workspaces">
      {workspaces && workspaces.length === 0 && <p className="muted">No workspaces yet.</p>}
      {byName(workspaces ?? []).map((workspace) => (
        <WorkspaceTree key={workspace.id} workspace={workspace} place={place} />
      ))}
    </nav>
  );
}

type Place = ReturnType<typeof useCurrentPlace>;

function WorkspaceTree({ workspace, place }: { workspace: Workspace; place: Place }) {
  const projects = useQuery('projects', { workspace_id: workspace.id });
  return (
    <section className="tree" aria-label={workspace.name}>
      <Link
        className="tree-workspace"
        href={routes.workspace(workspace.id)}
        aria-current={place.workspaceId === workspace.id && !place.projectId ? 'page' : undefined}
      >
        {workspace.name}
      </Link>
      <ul>
        {byName(projects ?? []).map((project) => (
          <ProjectTree key={project.id} project={project} place={place} />
        ))}
      </ul>
    </section>
  );
}

function ProjectTree({ project, place }: { project: Project; place: Place }) {
  const isHere = place.projectId === project.id;
  return (
    <li>
      <Link
        className="tree-project"
        href={routes.project(project.id)}
        aria-current={isHere && !place.milestoneId ? 'page' : undefined}
      >
        {project.name}
      </Link>
      <MilestoneTree projectId={project.id} place={place} />
    </li>
  );
}

function MilestoneTree({ projectId, place }: { projectId: string; place: Place }) {
  const milestones = useQuery('milestones', { project_id: projectId });
  if (!milestones || milestones.length === 0) return null;
  return (
    <ul>
      {byName(milestones).map((milestone: Milestone) => (
        <li key={milestone.id}>
          <Link
            className="tree-milestone"
            href={routes.milestone(milestone.id)}
            aria-current={place.milestoneId === milestone.id ? (place.taskId ? 'true' : 'page') : undefined}
          >
            {milestone.name}
          </Link>
        </li>
      ))}
    </ul>
  );
}
