import { useLocation } from 'wouter';
import type { TaskContext } from '@/domain/entities';
import { routes } from '../routes';

/** The ways out of a task: up through the places it stands in, and to other tasks. */
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
    /** To the parent task, or the milestone. @param state what the screen there is told */
    goUp: (state: object = {}) =>
      navigate(trail.at(-1)?.href ?? routes.milestone(task.milestone_id), { state }),
  };
}
