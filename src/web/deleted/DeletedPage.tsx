import { useDeletions } from '../hooks/useDeletions';
import { useRecord } from '../hooks/useQuery';
import { routes } from '../routes';
import { Breadcrumbs } from '../ui/Breadcrumbs';
import { EmptyState } from '../ui/EmptyState';
import { DeletedEntry } from './DeletedEntry';

/** The deletions of a workspace (or of the workspace itself) that can be restored. */
export function DeletedPage({ id }: { id: string }) {
  const workspace = useRecord('workspaces', id);
  const deletions = useDeletions(id);
  if (workspace === undefined || deletions === undefined) return null;
  const trail = [
    { name: 'Workspaces', href: routes.workspaces() },
    ...(workspace ? [{ name: workspace.name, href: routes.workspace(id) }] : []),
  ];

  return (
    <div className="page">
      <header className="page-header">
        <Breadcrumbs trail={trail} />
        <div className="page-title">
          <h1>Deleted</h1>
        </div>
      </header>
      {deletions.length === 0 ? (
        <EmptyState title="No deleted records.">
          <p>Deleted records are listed here, and can be restored for about half a year.</p>
        </EmptyState>
      ) : (
        <ul className="rows" aria-label="Deleted">
          {deletions.map((deletion) => (
            <li key={deletion.id}>
              <DeletedEntry deletion={deletion} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
