import { useMemo, useState } from 'react';
import { useSearch } from 'wouter';
import { count } from '@/core/count';
import type { Milestone } from '@/domain/entities';
import { deleteMilestone } from '@/lib/watermelon/contextService';
import { useNavigateFromHere } from '../hooks/useNavigateFromHere';
import { usePageTitle } from '../hooks/usePageTitle';
import { usePermissions } from '../hooks/usePermissions';
import { useRecord } from '../hooks/useQuery';
import { type TaskLines, useTaskLines } from '../hooks/useTaskLines';
import { Markdown } from '../markdown/Markdown';
import { routes } from '../routes';
import { EditDialog } from '../shared/EditDialog';
import { HeldPage } from '../shared/HeldPage';
import { firstBy, PLAIN_VIEW, viewFrom } from '../tasks/list/view';
import { TaskList } from '../tasks/TaskList';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { EmptyState } from '../ui/EmptyState';
import { Icon } from '../ui/Icon';
import { MILESTONE_FIELDS } from './formFields';
import { MilestoneFacts } from './MilestoneFacts';
import { PlaceHeader } from './PlaceHeader';

/** A milestone: its requirements and its tasks. */
export function MilestonePage({ id }: { id: string }) {
  // First: of all that the page shows they take longest.
  const lines = useTaskLines({ milestone_id: id }, firstBy(viewFrom(useSearch(), PLAIN_VIEW)));
  const milestone = useRecord('milestones', id);
  return (
    <HeldPage key={id} found={milestone} what="milestone">
      {(shown) => <MilestoneView milestone={shown} lines={lines} />}
    </HeldPage>
  );
}

interface MilestoneViewProps {
  milestone: Milestone;
  lines: TaskLines | undefined;
}

function MilestoneView({ milestone, lines }: MilestoneViewProps) {
  const { id, workspace_id, project_id } = milestone;
  const workspace = useRecord('workspaces', workspace_id);
  const project = useRecord('projects', project_id);
  const { whyNot } = usePermissions(workspace_id);
  const [open, setOpen] = useState<'edit' | 'delete' | null>(null);
  const [isToldAbout, setToldAbout] = useState(false);
  const milestones = useMemo(() => [milestone], [milestone]);
  const projects = useMemo(() => (project ? [project] : []), [project]);
  const workspaceIds = useMemo(() => [workspace_id], [workspace_id]);
  usePageTitle(milestone.name);
  const navigate = useNavigateFromHere();
  const close = () => setOpen(null);
  const noTask = whyNot('tasks', 'insert');
  const noEdit = whyNot('milestones', 'update');

  return (
    <div className="page list-page">
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
        whyNot={noEdit}
        reasons={[noTask, noEdit]}
      >
        {(milestone.description || milestone.requirements) && (
          <button
            type="button"
            className="button quiet"
            aria-expanded={isToldAbout}
            onClick={() => setToldAbout(!isToldAbout)}
          >
            Requirements
            <Icon name={isToldAbout ? 'chevronDown' : 'chevronRight'} />
          </button>
        )}
      </PlaceHeader>
      {isToldAbout && (
        <section className="requirements" aria-label="Requirements">
          {milestone.description && <p className="lead">{milestone.description}</p>}
          {milestone.requirements && <Markdown text={milestone.requirements} />}
        </section>
      )}
      {lines && (
        <div>
          <TaskList
            list={`milestone:${id}`}
            lines={lines}
            milestones={milestones}
            projects={projects}
            workspaceIds={workspaceIds}
            usual={PLAIN_VIEW}
            newTasks={{ milestone, whyNot: noTask }}
            empty={
              <EmptyState title="No tasks yet.">
                <p>Press New task, or C, to say what has to be done first.</p>
              </EmptyState>
            }
          />
        </div>
      )}
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
          <p>Its {count(lines?.total ?? 0, 'task')} go with it, for everybody.</p>
        </ConfirmDialog>
      )}
    </div>
  );
}
