import { useState } from 'react';
import { Link } from 'wouter';
import { count } from '@/core/count';
import type { Workspace } from '@/domain/entities';
import { createWorkspace } from '@/lib/watermelon/contextService';
import { useDevice } from '../hooks/useDevice';
import { useNavigateFromHere } from '../hooks/useNavigateFromHere';
import { usePageTitle } from '../hooks/usePageTitle';
import { useCount, useQuery } from '../hooks/useQuery';
import { useSyncStatus } from '../hooks/useSyncStatus';
import { routes } from '../routes';
import { RecordDialog } from '../shared/RecordDialog';
import { EmptyState } from '../ui/EmptyState';
import { orNull } from '../ui/formValues';
import { Icon } from '../ui/Icon';
import { byName } from '../ui/order';
import { WORKSPACE_FIELDS } from './formFields';
import { ReceivedInvitations } from './ReceivedInvitations';

const FOR_AGENTS = 'Agents work in the workspaces of people: ask an owner to invite you.';
const FOR_ACCOUNTS = 'Create one for what you are building, or ask an owner to invite you to theirs.';
const FOR_DEVICES = 'Create one for what you are building. It stays on this device.';

/** All workspaces on this device, and the invitations of the user. */
export function WorkspacesPage() {
  const workspaces = useQuery('workspaces');
  const status = useSyncStatus();
  const { hasAccount, kind } = useDevice();
  const isAgent = kind === 'agent';
  usePageTitle('Workspaces');
  const [isCreating, setCreating] = useState(false);
  const navigate = useNavigateFromHere();
  if (!workspaces) return null;
  const isFirstSync = workspaces.length === 0 && status.lastSyncedAt === null && status.kind === 'syncing';

  return (
    <div className="page">
      <header className="page-header">
        <div className="page-title">
          <h1>Workspaces</h1>
          <div className="page-actions">
            {!isAgent && (
              <button type="button" className="button primary" onClick={() => setCreating(true)}>
                <Icon name="plus" />
                New workspace
              </button>
            )}
          </div>
        </div>
      </header>
      {hasAccount && <ReceivedInvitations />}
      {isFirstSync && (
        <p className="muted" role="status">
          Fetching your workspaces for the first time …
        </p>
      )}
      {!isFirstSync && workspaces.length === 0 && (
        <EmptyState title="You have no workspace yet.">
          <p>{isAgent ? FOR_AGENTS : hasAccount ? FOR_ACCOUNTS : FOR_DEVICES}</p>
        </EmptyState>
      )}
      <ul className="cards">
        {byName(workspaces).map((workspace) => (
          <li key={workspace.id}>
            <WorkspaceCard workspace={workspace} />
          </li>
        ))}
      </ul>
      <DeletedWorkspaces />
      {isCreating && (
        <RecordDialog
          title="New workspace"
          place="workspaces"
          submitLabel="Create workspace"
          fields={WORKSPACE_FIELDS}
          initial={{ name: '', description: '' }}
          onSave={async ({ name, description }) => {
            const made = await createWorkspace({ name, description: orNull(description) });
            navigate(`${routes.workspace(made.id)}?new`);
          }}
          onClose={() => setCreating(false)}
        />
      )}
    </div>
  );
}

function WorkspaceCard({ workspace }: { workspace: Workspace }) {
  const projects = useCount('projects', { workspace_id: workspace.id });
  const members = useCount('workspace_members', { workspace_id: workspace.id });
  return (
    <Link className="card link-card" href={routes.workspace(workspace.id)}>
      <h2>{workspace.name}</h2>
      {workspace.description && <p className="clamp">{workspace.description}</p>}
      <p className="muted small">
        {count(projects ?? 0, 'project')} · {count(members ?? 0, 'member')}
      </p>
    </Link>
  );
}

/** Deleted workspaces, which their members still see; the page of deletions restores them. */
function DeletedWorkspaces() {
  const deletions = useQuery('deletions', { entity_type: 'workspaces', restored_at: null });
  if (!deletions || deletions.length === 0) return null;
  return (
    <section aria-labelledby="deleted-title">
      <div className="section-title">
        <h2 id="deleted-title">Deleted</h2>
      </div>
      <ul>
        {byName(deletions).map((deletion) => (
          <li key={deletion.id}>
            <Link href={routes.deleted(deletion.workspace_id)}>{deletion.name}</Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
