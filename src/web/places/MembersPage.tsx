import type { Workspace } from '@/domain/entities';
import { usePageTitle } from '../hooks/usePageTitle';
import { useRecord } from '../hooks/useQuery';
import { routes } from '../routes';
import { HeldPage } from '../shared/HeldPage';
import { Breadcrumbs } from '../ui/Breadcrumbs';
import { MemberList } from './MemberList';

/** The people and agents of a workspace, and its open invitations. */
export function MembersPage({ id }: { id: string }) {
  const workspace = useRecord('workspaces', id);
  return (
    <HeldPage key={id} found={workspace} what="workspace">
      {(shown) => <Members workspace={shown} />}
    </HeldPage>
  );
}

function Members({ workspace }: { workspace: Workspace }) {
  usePageTitle(`Members of ${workspace.name}`);
  return (
    <div className="page">
      <header className="page-header">
        <Breadcrumbs trail={[{ name: 'Workspace', href: routes.workspace(workspace.id) }]} />
        <div className="page-title">
          <h1>{workspace.name}</h1>
        </div>
      </header>
      <MemberList workspace={workspace} />
    </div>
  );
}
