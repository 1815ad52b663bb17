import { useLocation } from 'wouter';
import type { TaskContext } from '@/domain/entities';
import { routes } from '../routes';
import { useNavigateFromHere } from './useNavigateFromHere';

/** Navigation from a task: up to its milestone, project and workspace, and to other tasks. */
export function useMemoryBankNavigation({ task, milestone, project, workspace, parent_task }: TaskContext) {
  const [, navigate] = useLocation();
  const navigateFromHere = useNavigateFromHere();
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
    /** Goes to the parent task, or the milestone, unless the person has left the task. */
    goUp: () => navigateFromHere(trail.at(-1)?.href ?? routes.milestone(task.milestone_id)),
  };
}
