import { Tabs } from '@base-ui/react/tabs';
import { useMemo, useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import { count } from '@/core/count';
import type { Milestone, Project } from '@/domain/entities';
import { createMilestone, deleteProject } from '@/lib/watermelon/contextService';
import { useNavigateFromHere } from '../hooks/useNavigateFromHere';
import { usePageTitle } from '../hooks/usePageTitle';
import { usePermissions } from '../hooks/usePermissions';
import { useQuery, useRecord } from '../hooks/useQuery';
import { routes } from '../routes';
import { EditDialog } from '../shared/EditDialog';
import { HeldPage } from '../shared/HeldPage';
import { RecordDialog } from '../shared/RecordDialog';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { orNull, toTime } from '../ui/formValues';
import { PROJECT_STATUS_LABELS } from '../ui/labels';
import { byDate } from '../ui/order';
import { MILESTONE_FIELDS, PROJECT_FIELDS } from './formFields';
import { PlaceHeader } from './PlaceHeader';
import { ProjectMilestones } from './ProjectMilestones';
import { ProjectOverview } from './ProjectOverview';
import styles from './ProjectPage.module.css';
import { ProjectTasks } from './ProjectTasks';

/** A project: its tasks, its milestones, and what everybody who works on it should know. */
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
  const found = useQuery('milestones', { project_id: id });
  const milestones = useMemo(() => found && byDate(found), [found]);
  const { whyNot } = usePermissions(workspace_id);
  const [open, setOpen] = useState<'edit' | 'delete' | 'milestone' | null>(null);
  const [, navigate] = useLocation();
  const navigateFromHere = useNavigateFromHere();
  const tab = useTab();
  usePageTitle(project.name);
  const close = () => setOpen(null);
  const noMilestone = whyNot('milestones', 'insert');
  const noEdit = whyNot('projects', 'update');

  return (
    <Tabs.Root
      className="page list-page"
      value={tab}
      onValueChange={(next: Tab) =>
        navigate(next === 'tasks' ? routes.project(id) : `${routes.project(id)}?tab=${next}`)
      }
    >
      <PlaceHeader
        noun="project"
        trail={[{ name: workspace?.name ?? 'Workspace', href: routes.workspace(workspace_id) }]}
        title={project.name}
        facts={
          <span className={`badge place-${project.status}`}>{PROJECT_STATUS_LABELS[project.status]}</span>
        }
        onEdit={noEdit ? null : () => setOpen('edit')}
        onDelete={noEdit ? null : () => setOpen('delete')}
        whyNot={noEdit}
        reasons={[noMilestone, noEdit]}
      >
        <Tabs.List className={styles.tabs} aria-label="Parts of the project">
          {TABS.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value} className={styles.tab}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </PlaceHeader>
      <Tabs.Panel value="tasks" className={styles.panel}>
        {milestones && <ProjectTasks project={project} milestones={milestones} />}
      </Tabs.Panel>
      <Tabs.Panel value="milestones" className={styles.panel}>
        <ProjectMilestones
          milestones={milestones ?? []}
          isKnown={milestones !== undefined}
          whyNot={noMilestone}
          onNew={() => setOpen('milestone')}
        />
      </Tabs.Panel>
      <Tabs.Panel value="overview" className={styles.panel}>
        <ProjectOverview project={project} />
      </Tabs.Panel>
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
          place={id}
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
            navigateFromHere(routes.milestone(made.id));
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
            navigateFromHere(routes.workspace(workspace_id));
          }}
          onClose={close}
        >
          <p>
            Its {count(milestones?.length ?? 0, 'milestone')} and all their tasks go with it, for everybody.
          </p>
        </ConfirmDialog>
      )}
    </Tabs.Root>
  );
}

/** The tab that the address names. */
function useTab(): Tab {
  const named = new URLSearchParams(useSearch()).get('tab');
  return TABS.find(({ value }) => value === named)?.value ?? 'tasks';
}

const TABS = [
  { value: 'tasks', label: 'Tasks' },
  { value: 'milestones', label: 'Milestones' },
  { value: 'overview', label: 'Overview' },
] as const;
type Tab = (typeof TABS)[number]['value'];
