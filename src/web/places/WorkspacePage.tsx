import { useState } from 'react';
import { Link, useSearch } from 'wouter';
import { count } from '@/core/count';
import type { Project, Workspace } from '@/domain/entities';
import { createProject, deleteWorkspace } from '@/lib/watermelon/contextService';
import { useMembers } from '../hooks/useMembers';
import { useNavigateFromHere } from '../hooks/useNavigateFromHere';
import { usePageTitle } from '../hooks/usePageTitle';
import { usePermissions } from '../hooks/usePermissions';
import { useCount, useQuery, useRecord } from '../hooks/useQuery';
import { Markdown } from '../markdown/Markdown';
import { routes } from '../routes';
import { EditDialog } from '../shared/EditDialog';
import { HeldPage } from '../shared/HeldPage';
import { RecordDialog } from '../shared/RecordDialog';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { EmptyState } from '../ui/EmptyState';
import { orNull } from '../ui/formValues';
import { Icon } from '../ui/Icon';
import { PROJECT_STATUS_LABELS } from '../ui/labels';
import { byName } from '../ui/order';
import { RoleNote } from '../ui/RoleNote';
import { PROJECT_FIELDS, WORKSPACE_FIELDS } from './formFields';
import { PlaceHeader } from './PlaceHeader';

/** A workspace: its projects. */
export function WorkspacePage({ id }: { id: string }) {
  const workspace = useRecord('workspaces', id);
  return (
    <HeldPage key={id} found={workspace} what="workspace">
      {(shown) => <WorkspaceView workspace={shown} />}
    </HeldPage>
  );
}

function WorkspaceView({ workspace }: { workspace: Workspace }) {
  const { id } = workspace;
  const projects = useQuery('projects', { workspace_id: id });
  const { members } = useMembers(id);
  const { whyNot } = usePermissions(id);
  const isNew = new URLSearchParams(useSearch()).has('new');
  const [open, setOpen] = useState<'edit' | 'delete' | 'project' | null>(isNew ? 'project' : null);
  usePageTitle(workspace.name);
  const navigate = useNavigateFromHere();
  const close = () => {
    setOpen(null);
    // The form is opened once, not each time that somebody comes back here.
    if (isNew) navigate(routes.workspace(id), { replace: true });
  };
  const noProject = whyNot('projects', 'insert');
  const noEdit = whyNot('workspaces', 'update');

  return (
    <div className="page">
      <PlaceHeader
        noun="workspace"
        trail={[{ name: 'Workspaces', href: routes.workspaces() }]}
        title={workspace.name}
        onEdit={noEdit ? null : () => setOpen('edit')}
        onDelete={noEdit ? null : () => setOpen('delete')}
        whyNot={noEdit}
      />
      <RoleNote reasons={[noProject ?? noEdit]} />
      {workspace.description && <Markdown text={workspace.description} />}
      <section aria-labelledby="projects-title">
        <div className="section-title">
          <h2 id="projects-title">Projects</h2>
          <button
            type="button"
            className="button primary"
            disabled={noProject !== null}
            onClick={() => setOpen('project')}
          >
            <Icon name="plus" />
            New project
          </button>
        </div>
        {projects?.length === 0 && (
          <EmptyState title="No projects yet.">
            <p>A project holds what is being built: its milestones, tasks, patterns and practices.</p>
          </EmptyState>
        )}
        <ul className="cards">
          {byName(projects ?? []).map((project) => (
            <li key={project.id}>
              <ProjectCard project={project} />
            </li>
          ))}
        </ul>
      </section>
      {projects && (
        <p className="place-links">
          <Link href={routes.members(id)}>{count(members.length, 'member')}</Link>
          <Link href={routes.deleted(id)}>Deleted records</Link>
        </p>
      )}
      {open === 'edit' && (
        <EditDialog
          title="Edit workspace"
          table="workspaces"
          record={workspace}
          fields={WORKSPACE_FIELDS}
          onClose={close}
        />
      )}
      {open === 'project' && (
        <RecordDialog
          title="New project"
          place={id}
          submitLabel="Create project"
          fields={PROJECT_FIELDS}
          initial={{ name: '', description: '', overview: '', status: 'active' }}
          onSave={async ({ name, description, overview, status }) => {
            const made = await createProject({
              workspace_id: id,
              name,
              description: orNull(description),
              overview: orNull(overview),
              status: status as Project['status'],
            });
            navigate(`${routes.project(made.id)}?new`);
          }}
          onClose={close}
        />
      )}
      {open === 'delete' && (
        <ConfirmDialog
          title={`Delete ${workspace.name}?`}
          confirmLabel="Delete workspace"
          onConfirm={async () => {
            await deleteWorkspace(id);
            navigate(routes.workspaces());
          }}
          onClose={close}
        >
          <p>
            Its {count(projects?.length ?? 0, 'project')} with all milestones and tasks go with it, for all{' '}
            {count(members.length, 'member')}. An owner can restore it.
          </p>
        </ConfirmDialog>
      )}
    </div>
  );
}

function ProjectCard({ project }: { project: Project }) {
  const milestones = useCount('milestones', { project_id: project.id });
  return (
    <Link className="card link-card" href={routes.project(project.id)}>
      <h3>{project.name}</h3>
      {project.description && <p className="clamp">{project.description}</p>}
      <p className="muted small">
        {PROJECT_STATUS_LABELS[project.status]} · {count(milestones ?? 0, 'milestone')}
      </p>
    </Link>
  );
}
