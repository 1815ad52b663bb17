import { useState } from 'react';
import { useLocation } from 'wouter';
import { count } from '@/core/count';
import type { Milestone } from '@/domain/entities';
import { deleteMilestone } from '@/lib/watermelon/contextService';
import { usePermissions } from '../hooks/usePermissions';
import { useQuery, useRecord } from '../hooks/useQuery';
import { Markdown } from '../markdown/Markdown';
import { routes } from '../routes';
import { EditDialog } from '../shared/EditDialog';
import { HeldPage } from '../shared/HeldPage';
import { TaskDialog } from '../tasks/TaskDialog';
import { TaskList } from '../tasks/TaskList';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { Icon } from '../ui/Icon';
import { RoleNote } from '../ui/RoleNote';
import { MILESTONE_FIELDS } from './formFields';
import { MilestoneFacts } from './MilestoneFacts';
import { PlaceHeader } from './PlaceHeader';

/** A milestone: its requirements and its tasks. */
export function MilestonePage({ id }: { id: string }) {
  const milestone = useRecord('milestones', id);
  return (
    <HeldPage key={id} found={milestone} what="milestone">
      {(shown) => <MilestoneView milestone={shown} />}
    </HeldPage>
  );
}

function MilestoneView({ milestone }: { milestone: Milestone }) {
  const { id, workspace_id, project_id } = milestone;
  const workspace = useRecord('workspaces', workspace_id);
  const project = useRecord('projects', project_id);
  const tasks = useQuery('tasks', { milestone_id: id });
  const { whyNot } = usePermissions(workspace_id);
  const [open, setOpen] = useState<'edit' | 'delete' | 'task' | null>(null);
  const [, navigate] = useLocation();
  const close = () => setOpen(null);
  const noTask = whyNot('tasks', 'insert');
  const noEdit = whyNot('milestones', 'update');

  return (
    <div className="page">
      <PlaceHeader
        noun="milestone"
        trail={[
          { name: workspace?.name ?? 'Workspace', href: routes.workspace(workspace_id) },
          { name: project?.name ?? 'Project', href: routes.project(project_id) },
        ]}
        title={milestone.name}
        facts={<MilestoneFacts milestone={milestone} />}
        onEdit={noEdit ? null : () => setOpen('edit')}
        onDelete={noEdit ? null : () => setOpen('delete')}
      />
      <RoleNote reasons={[noTask, noEdit]} />
      {milestone.description && <p className="lead">{milestone.description}</p>}
      {milestone.requirements && (
        <details className="requirements">
          <summary>Requirements</summary>
          <Markdown text={milestone.requirements} />
        </details>
      )}
      <section aria-labelledby="tasks-title">
        <div className="section-title">
          <h2 id="tasks-title">Tasks</h2>
          <button
            type="button"
            className="button primary"
            disabled={noTask !== null}
            onClick={() => setOpen('task')}
          >
            <Icon name="plus" />
            New task
          </button>
        </div>
        {tasks && <TaskList tasks={tasks} />}
      </section>
      {open === 'task' && <TaskDialog milestone={milestone} onClose={close} />}
      {open === 'edit' && (
        <EditDialog
          title="Edit milestone"
          table="milestones"
          record={milestone}
          fields={MILESTONE_FIELDS}
          onClose={close}
        />
      )}
      {open === 'delete' && (
        <ConfirmDialog
          title={`Delete ${milestone.name}?`}
          confirmLabel="Delete milestone"
          onConfirm={async () => {
            await deleteMilestone(id);
            navigate(routes.project(project_id));
          }}
          onClose={close}
        >
          <p>Its {count(tasks?.length ?? 0, 'task')} go with it, for everybody.</p>
        </ConfirmDialog>
      )}
    </div>
  );
}
