import { Route, Switch } from 'wouter';
import { InboxPage } from '../inbox/InboxPage';
import { routes } from '../routes';
import { NothingHere } from '../shared/NothingHere';
import {
  AgentsPage,
  DeletedPage,
  InvitationPage,
  MembersPage,
  MilestonePage,
  MyTasksPage,
  ProjectPage,
  SyncPage,
  TaskAddress,
  WorkspacePage,
  WorkspacesPage,
} from './lazyScreens';

/** The screen of each address. The key gives each record a screen of its own, so no state carries over. */
export function Screens({ onSignIn }: { onSignIn: () => Promise<void> }) {
  return (
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
  );
}
