import { useLocation } from 'wouter';
import type { TaskContext } from '@/domain/entities';
import { routes } from '../routes';

/** Navigation from a task: up to its milestone, project and workspace, and to other tasks. */
export function useMemoryBankNavigation({ task, milestone, project, workspace, parent_task }: TaskContext) {
  const [, navigate] = useLocation();
  const places = [
    workspace && { name: workspace.name, href: routes.workspace(workspace.id) },
    project && { name: project.name, href: routes.project(project.id) },
    milestone && { name: milestone.name, href: routes.milestone(milestone.id) },
    parent_task && { name: parent_task.title, href: routes.task(parent_task.id) },
  ];
  const trail = places.filter((place) => place !== null);
  return {
    trail,
    openTask: (id: string) => navigate(routes.task(id)),
    /** Goes to the parent task, or the milestone. */
    goUp: () => navigate(trail.at(-1)?.href ?? routes.milestone(task.milestone_id)),
  };
}
