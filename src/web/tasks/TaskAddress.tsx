import { useEffect } from 'react';
import { Link } from 'wouter';
import { lastIdOf, useTaskReference } from '../hooks/taskReferences';
import { useNavigateFromHere } from '../hooks/useNavigateFromHere';
import { useRecord } from '../hooks/useQuery';
import { routes, taskAddress } from '../routes';
import { NothingHere } from '../shared/NothingHere';
import { AbsentTask } from './TaskGone';
import { TaskPage } from './TaskPage';

/** The task that an address names by its key, its derived key or its id. */
export function TaskAddress({ reference }: { reference: string }) {
  const meant = useTaskReference(reference);
  useKeyInAddress(reference, meant?.kind === 'task' ? meant.id : null);
  switch (meant?.kind) {
    case undefined:
      return null;
    case 'task':
      return <TaskPage key={meant.id} id={meant.id} />;
    case 'none': {
      const id = lastIdOf(reference);
      return id === null ? <NothingHere what="task" /> : <AbsentTask id={id} />;
    }
    case 'several':
      return (
        <div className="page">
          <h1>{meant.candidates.length} tasks are called so</h1>
          <ul className="rows">
            {meant.candidates.map(({ id, title, workspace_name }) => (
              <li key={id}>
                <Link className="row-link" href={routes.task(id)}>
                  <span className="row-title">{title}</span>
                  <span className="muted">{workspace_name}</span>
                </Link>
              </li>
            ))}
          </ul>
        </div>
      );
  }
}

/** Shows the key in the address as soon as it is known: it is short, and people can read it out. Two tasks of two workspaces may have it. */
function useKeyInAddress(reference: string, id: string | null) {
  const navigate = useNavigateFromHere();
  const key = useRecord('tasks', id ?? '')?.key ?? null;
  useEffect(() => {
    if (id === null || key === null || reference === key) return;
    navigate(taskAddress({ id, key }), { replace: true, task: { key, id } });
  }, [reference, id, key, navigate]);
}
