import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { count } from '@/core/count';
import type { Milestone, Project } from '@/domain/entities';
import { createMilestone, deleteProject } from '@/lib/watermelon/contextService';
import { useKnowledge } from '../hooks/useKnowledge';
import { usePermissions } from '../hooks/usePermissions';
import { useQuery, useRecord } from '../hooks/useQuery';
import { KnowledgeSection } from '../knowledge/KnowledgeSection';
import { Markdown } from '../markdown/Markdown';
import { routes } from '../routes';
import { EditDialog } from '../shared/EditDialog';
import { HeldPage } from '../shared/HeldPage';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { EmptyState } from '../ui/EmptyState';
import { orNull, toTime } from '../ui/formValues';
import { Icon } from '../ui/Icon';
import { PROJECT_STATUS_LABELS } from '../ui/labels';
import { byDate } from '../ui/order';
import { RecordDialog } from '../ui/RecordDialog';
import { RoleNote } from '../ui/RoleNote';
import { MILESTONE_FIELDS, PROJECT_FIELDS } from './formFields';
import { MilestoneFacts } from './MilestoneFacts';
import { PlaceHeader } from './PlaceHeader';

/** A project: its overview, milestones, patterns and best practices. */
export function ProjectPage({ id }: { id: string }) {
  const project = useRecord('projects', id);
  return (
    <HeldPage key={id} found={project} what="project">
      {(shown) => <ProjectView project={shown} />}
    </HeldPage>
  );
}

function ProjectView({ project }: { project: Project }) {
  const { id, workspace_id } = project;
  const workspace = useRecord('workspaces', workspace_id);
  const milestones = useQuery('milestones', { project_id: id });
  const { patterns, practices } = useKnowledge(workspace_id, id);
  const { whyNot } = usePermissions(workspace_id);
  const [open, setOpen] = useState<'edit' | 'delete' | 'milestone' | null>(null);
  const [, navigate] = useLocation();
  const close = () => setOpen(null);
  const noMilestone = whyNot('milestones', 'insert');
  const noEdit = whyNot('projects', 'update');

  return (
    <div className="page">
      <PlaceHeader
        noun="project"
        trail={[
          { name: 'Workspaces', href: routes.workspaces() },
          { name: workspace?.name ?? 'Workspace', href: routes.workspace(workspace_id) },
        ]}
        title={project.name}
        facts={
          <>
            <span className={`badge place-${project.status}`}>{PROJECT_STATUS_LABELS[project.status]}</span>
            <TechStack stack={project.tech_stack} />
          </>
        }
        onEdit={noEdit ? null : () => setOpen('edit')}
        onDelete={noEdit ? null : () => setOpen('delete')}
      />
      <RoleNote reasons={[noMilestone, noEdit]} />
      {project.description && <p className="lead">{project.description}</p>}
      <section aria-labelledby="milestones-title">
        <div className="section-title">
          <h2 id="milestones-title">Milestones</h2>
          <button
            type="button"
            className="button primary"
            disabled={noMilestone !== null}
            onClick={() => setOpen('milestone')}
          >
            <Icon name="plus" />
            New milestone
          </button>
        </div>
        {milestones?.length === 0 && (
          <EmptyState title="No milestones yet.">
            <p>A milestone is a goal with a date and requirements; its tasks lead there.</p>
          </EmptyState>
        )}
        <ul className="rows">
          {byDate(milestones ?? []).map((milestone) => (
            <li key={milestone.id}>
              <Link className="row-link" href={routes.milestone(milestone.id)}>
                <span className="row-title">{milestone.name}</span>
                <MilestoneFacts milestone={milestone} />
              </Link>
            </li>
          ))}
        </ul>
      </section>
      {project.overview && (
        <section aria-labelledby="overview-title">
          <div className="section-title">
            <h2 id="overview-title">Overview</h2>
          </div>
          <Markdown text={project.overview} />
        </section>
      )}
      <KnowledgeSection title="Patterns" items={patterns} />
      <KnowledgeSection title="Best practices" items={practices} />
      {open === 'edit' && (
        <EditDialog
          title="Edit project"
          table="projects"
          record={project}
          fields={PROJECT_FIELDS}
          onClose={close}
        />
      )}
      {open === 'milestone' && (
        <RecordDialog
          title="New milestone"
          submitLabel="Create milestone"
          fields={MILESTONE_FIELDS}
          initial={{ name: '', description: '', requirements: '', status: 'planned', target_date: '' }}
          onSave={async (values) => {
            const made = await createMilestone({
              project_id: id,
              name: values.name,
              description: orNull(values.description),
              requirements: orNull(values.requirements),
              status: values.status as Milestone['status'],
              target_date: toTime(values.target_date),
            });
            navigate(routes.milestone(made.id));
          }}
          onClose={close}
        />
      )}
      {open === 'delete' && (
        <ConfirmDialog
          title={`Delete ${project.name}?`}
          confirmLabel="Delete project"
          onConfirm={async () => {
            await deleteProject(id);
            navigate(routes.workspace(workspace_id));
          }}
          onClose={close}
        >
          <p>
            Its {count(milestones?.length ?? 0, 'milestone')} and all their tasks go with it, for everybody.
          </p>
        </ConfirmDialog>
      )}
    </div>
  );
}

function TechStack({ stack }: { stack: Project['tech_stack'] }) {
  const names = Array.isArray(stack) ? stack.filter((name) => typeof name === 'string') : [];
  return names.map((name) => (
    <span key={name} className="chip">
      {name}
    </span>
  ));
}
