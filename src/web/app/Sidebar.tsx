import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { count } from '@/core/count';
import type { Milestone, Project, Workspace } from '@/domain/entities';
import { useCurrentPlace } from '../hooks/useCurrentPlace';
import { useInbox, waitingIn } from '../hooks/useInbox';
import { useQuery } from '../hooks/useQuery';
import { routes } from '../routes';
import { Icon, type IconName } from '../ui/Icon';
import { byDate, byName } from '../ui/order';
import styles from './Sidebar.module.css';

/** The navigation: what waits for the user, and the tree of workspaces, projects and milestones. Phones have the tab bar. */
export function Sidebar() {
  const [location] = useLocation();
  const workspaces = useQuery('workspaces');
  const place = useCurrentPlace();
  const waiting = waitingIn(useInbox());
  return (
    <nav className={`sidebar ${styles.sidebar}`} aria-label="Workspaces">
      <ul>
        <Entry href={routes.inbox()} icon="inbox" name="Inbox" location={location} waiting={waiting} />
        <Entry href={routes.myTasks()} icon="tasks" name="My tasks" location={location} />
        <Entry href={routes.agents()} icon="agent" name="Agents" location={location} />
      </ul>
      {workspaces && workspaces.length === 0 && (
        <p className={styles.none}>
          <Link href={routes.workspaces()}>Create a workspace</Link>
        </p>
      )}
      {byName(workspaces ?? []).map((workspace) => (
        <WorkspaceTree key={workspace.id} workspace={workspace} place={place} location={location} />
      ))}
      <ul>
        <Entry href={routes.workspaces()} icon="project" name="All workspaces" location={location} />
      </ul>
    </nav>
  );
}

interface EntryProps {
  href: string;
  icon: IconName;
  name: string;
  location: string;
  waiting?: number;
}

function Entry({ href, icon, name, location, waiting = 0 }: EntryProps) {
  return (
    <li>
      <Link href={href} className={styles.entry} aria-current={location === href ? 'page' : undefined}>
        <Icon name={icon} />
        <span className={styles.name}>{name}</span>
        {waiting > 0 && (
          <span className={styles.count}>
            {waiting}
            <span className="visually-hidden"> waiting</span>
          </span>
        )}
      </Link>
    </li>
  );
}

type Place = ReturnType<typeof useCurrentPlace>;

const FINISHED: readonly string[] = ['completed', 'archived', 'cancelled'] satisfies (
  | Project['status']
  | Milestone['status']
)[];
const isFinished = ({ status }: { status: string }) => FINISHED.includes(status);

function WorkspaceTree({
  workspace,
  place,
  location,
}: {
  workspace: Workspace;
  place: Place;
  location: string;
}) {
  const { id, name } = workspace;
  const projects = useQuery('projects', { workspace_id: id });
  const sorted = byName(projects ?? []);
  const isHere = (project: Project) => project.id === place.projectId;
  const finished = sorted.filter((project) => isFinished(project) && !isHere(project));
  return (
    <section aria-label={name}>
      <Link
        className={styles.workspace}
        href={routes.workspace(id)}
        aria-current={location === routes.workspace(id) ? 'page' : undefined}
        title={name}
      >
        {name}
      </Link>
      <ul>
        {sorted
          .filter((project) => !finished.includes(project))
          .map((project) => (
            <ProjectTree key={project.id} project={project} place={place} />
          ))}
        <Folded noun="finished project" items={finished}>
          {(project) => <ProjectTree key={project.id} project={project} place={place} />}
        </Folded>
        <li>
          <Link
            className={styles.minor}
            href={routes.members(id)}
            aria-current={location === routes.members(id) ? 'page' : undefined}
          >
            Members
          </Link>
        </li>
        <li>
          <Link
            className={styles.minor}
            href={routes.deleted(id)}
            aria-current={location === routes.deleted(id) ? 'page' : undefined}
          >
            Deleted
          </Link>
        </li>
      </ul>
    </section>
  );
}

function ProjectTree({ project, place }: { project: Project; place: Place }) {
  const isHere = place.projectId === project.id;
  const [isOpen, setOpen] = useState<boolean | null>(null);
  const showsMilestones = isOpen ?? isHere;
  return (
    <li>
      <div className={styles.row}>
        <button
          type="button"
          className={styles.fold}
          aria-expanded={showsMilestones}
          aria-label={`Milestones of ${project.name}`}
          onClick={() => setOpen(!showsMilestones)}
        >
          <Icon name={showsMilestones ? 'chevronDown' : 'chevronRight'} />
        </button>
        <Link
          className={styles.project}
          href={routes.project(project.id)}
          aria-current={isHere && !place.milestoneId ? 'page' : undefined}
          title={project.name}
        >
          {project.name}
        </Link>
      </div>
      {showsMilestones && <MilestoneTree projectId={project.id} place={place} />}
    </li>
  );
}

function MilestoneTree({ projectId, place }: { projectId: string; place: Place }) {
  const milestones = useQuery('milestones', { project_id: projectId });
  if (!milestones || milestones.length === 0) return null;
  const sorted = byDate(milestones);
  const finished = sorted.filter((milestone) => isFinished(milestone) && milestone.id !== place.milestoneId);
  const entry = ({ id, name }: Milestone) => (
    <li key={id}>
      <Link
        className={styles.milestone}
        href={routes.milestone(id)}
        aria-current={place.milestoneId === id ? (place.taskId ? 'true' : 'page') : undefined}
        title={name}
      >
        {name}
      </Link>
    </li>
  );
  return (
    <ul>
      {sorted.filter((milestone) => !finished.includes(milestone)).map(entry)}
      <Folded noun="finished milestone" items={finished}>
        {entry}
      </Folded>
    </ul>
  );
}

interface FoldedProps<T> {
  noun: string;
  items: readonly T[];
  children: (item: T) => React.ReactNode;
}

/** Entries that are shown on request. */
function Folded<T>({ noun, items, children }: FoldedProps<T>) {
  const [isOpen, setOpen] = useState(false);
  if (items.length === 0) return null;
  return (
    <>
      <li>
        <button
          type="button"
          className={styles.folded}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name={isOpen ? 'chevronDown' : 'chevronRight'} />
          {count(items.length, noun)}
        </button>
      </li>
      {isOpen && items.map(children)}
    </>
  );
}
