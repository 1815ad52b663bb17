import { useMemo } from 'react';
import { useDevice } from '../hooks/useDevice';
import { usePageTitle } from '../hooks/usePageTitle';
import { useQuery } from '../hooks/useQuery';
import { useTaskLines } from '../hooks/useTaskLines';
import { EmptyState } from '../ui/EmptyState';
import { byDate } from '../ui/order';
import { type ListView, PLAIN_VIEW } from './list/view';
import { TaskList } from './TaskList';

/** Tasks that are done or cancelled wait for nobody. */
const USUAL: ListView = { ...PLAIN_VIEW, group: 'milestone', status: ['todo', 'in_progress', 'blocked'] };

/** The tasks that are assigned to the user, in all workspaces. */
export function MyTasksPage() {
  const { userId } = useDevice();
  usePageTitle('My tasks');
  const lines = useTaskLines({ assignee_id: userId });
  const milestones = useQuery('milestones');
  const projects = useQuery('projects');
  const places = useMemo(() => {
    if (!lines || !milestones || !projects) return null;
    const { tasks } = lines;
    const used = new Set(tasks.map(({ milestone_id }) => milestone_id));
    const own = milestones.filter(({ id }) => used.has(id));
    return {
      milestones: byDate(own),
      workspaceIds: [...new Set(tasks.map((task) => task.workspace_id))].sort(),
    };
  }, [lines, milestones, projects]);
  if (!lines || !projects || !places) return null;
  return (
    <div className="page list-page">
      <header>
        <h1 className="list-title">My tasks</h1>
      </header>
      {lines.total === 0 ? (
        <EmptyState title="No task is assigned to you.">
          <p>
            Open a task, or a list of tasks, and choose yourself as its assignee: it is shown here, whatever
            project it belongs to.
          </p>
        </EmptyState>
      ) : (
        <div>
          <TaskList
            list="mine"
            lines={lines}
            milestones={places.milestones}
            projects={projects}
            workspaceIds={places.workspaceIds}
            usual={USUAL}
            newTasks={{ milestone: places.milestones[0] ?? null, assignee_id: userId, whyNot: null }}
            isOfAll
            empty={null}
          />
        </div>
      )}
    </div>
  );
}
