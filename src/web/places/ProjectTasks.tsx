import { useEffect, useMemo } from 'react';
import { useSearch } from 'wouter';
import type { Milestone, Project } from '@/domain/entities';
import { createMilestone } from '@/lib/watermelon/contextService';
import { useKept } from '../hooks/useKept';
import { useNavigateFromHere } from '../hooks/useNavigateFromHere';
import { usePermissions } from '../hooks/usePermissions';
import { useTaskLines } from '../hooks/useTaskLines';
import { routes } from '../routes';
import { firstBy, type ListView, PLAIN_VIEW, viewFrom } from '../tasks/list/view';
import { TaskList } from '../tasks/TaskList';
import { EmptyState } from '../ui/EmptyState';

const USUAL: ListView = { ...PLAIN_VIEW, group: 'stage' };
const FINISHED: readonly Milestone['status'][] = ['completed', 'cancelled'];

interface ProjectTasksProps {
  project: Project;
  milestones: readonly Milestone[];
}

/** The tasks of all milestones of a project. */
export function ProjectTasks({ project, milestones }: ProjectTasksProps) {
  const { id, workspace_id } = project;
  const ids = milestones.map((milestone) => milestone.id).sort();
  // While a milestone comes or goes, the tasks stay shown until those of all are read again.
  const search = useSearch();
  const lines = useKept(useTaskLines({ milestone_id: ids }, firstBy(viewFrom(search, USUAL))));
  const { whyNot } = usePermissions(workspace_id);
  const projects = useMemo(() => [project], [project]);
  const workspaceIds = useMemo(() => [workspace_id], [workspace_id]);
  const isNew = new URLSearchParams(search).has('new');
  const navigate = useNavigateFromHere();
  const isListed = lines !== undefined;
  useEffect(() => {
    // The row is opened once, not each time that somebody comes back here or loads the page anew.
    if (isNew && isListed) navigate(routes.project(id), { replace: true });
  }, [isNew, isListed, id, navigate]);
  if (!lines) return null;
  const open = milestones.filter(({ status }) => !FINISHED.includes(status));
  const milestone = open.find(({ status }) => status === 'active') ?? open[0] ?? milestones.at(-1) ?? null;
  const noMilestone = milestone === null ? whyNot('milestones', 'insert') : null;
  return (
    <div>
      <TaskList
        list={`project:${id}`}
        lines={lines}
        milestones={milestones}
        projects={projects}
        workspaceIds={workspaceIds}
        usual={USUAL}
        newTasks={{
          milestone,
          makeMilestone: () => createMilestone({ project_id: id, name: 'First milestone', status: 'active' }),
          whyNot: whyNot('tasks', 'insert') ?? noMilestone,
        }}
        isAdding={isNew}
        empty={
          <EmptyState title="No tasks yet.">
            <p>
              Press New task, or C, to say what has to be done first.
              {milestone === null && ' A first milestone is made with it.'}
            </p>
          </EmptyState>
        }
      />
    </div>
  );
}
