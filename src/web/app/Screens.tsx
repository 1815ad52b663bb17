import { lazy, Suspense } from 'react';
import { Route, Switch } from 'wouter';
import { InboxPage } from '../inbox/InboxPage';
import { MilestonePage } from '../places/MilestonePage';
import { ProjectPage } from '../places/ProjectPage';
import { WorkspacePage } from '../places/WorkspacePage';
import { WorkspacesPage } from '../places/WorkspacesPage';
import { routes } from '../routes';
import { NothingHere } from '../shared/NothingHere';
import { MyTasksPage } from '../tasks/MyTasksPage';
import { TaskAddress } from '../tasks/TaskAddress';

// Screens that a person opens now and then. The service worker keeps them, so that they open without network.
const AgentsPage = lazy(async () => ({ default: (await import('../agents/AgentsPage')).AgentsPage }));
const DeletedPage = lazy(async () => ({ default: (await import('../deleted/DeletedPage')).DeletedPage }));
const MembersPage = lazy(async () => ({ default: (await import('../places/MembersPage')).MembersPage }));
const InvitationPage = lazy(async () => ({
  default: (await import('../places/InvitationPage')).InvitationPage,
}));
const SyncPage = lazy(async () => ({ default: (await import('../sync/SyncPage')).SyncPage }));

/** The screen of each address. The key gives each record a screen of its own, so no state carries over. */
export function Screens({ onSignIn }: { onSignIn: () => Promise<void> }) {
  return (
    <Suspense fallback={null}>
      <Switch>
        <Route path={routes.inbox()} component={InboxPage} />
        <Route path={routes.agents()} component={AgentsPage} />
        <Route path={routes.myTasks()} component={MyTasksPage} />
        <Route path={routes.workspaces()} component={WorkspacesPage} />
        <Route path={routes.workspace(':id')}>{({ id }) => <WorkspacePage key={id} id={id} />}</Route>
        <Route path={routes.members(':id')}>{({ id }) => <MembersPage key={id} id={id} />}</Route>
        <Route path={routes.deleted(':id')}>{({ id }) => <DeletedPage key={id} id={id} />}</Route>
        <Route path={routes.project(':id')}>{({ id }) => <ProjectPage key={id} id={id} />}</Route>
        <Route path={routes.milestone(':id')}>{({ id }) => <MilestonePage key={id} id={id} />}</Route>
        <Route path={routes.task(':reference')}>
          {({ reference }) => <TaskAddress reference={reference} />}
        </Route>
        <Route path={routes.invitation(':id')}>
          {({ id }) => <InvitationPage key={id} id={id} onSignIn={onSignIn} />}
        </Route>
        <Route path={routes.sync()} component={SyncPage} />
        <Route>
          <NothingHere what="page" />
        </Route>
      </Switch>
    </Suspense>
  );
}
