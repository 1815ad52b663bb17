import { Route, Switch } from 'wouter';
import { DeletedPage } from '../deleted/DeletedPage';
import { HomePage } from '../places/HomePage';
import { InvitationPage } from '../places/InvitationPage';
import { MilestonePage } from '../places/MilestonePage';
import { ProjectPage } from '../places/ProjectPage';
import { WorkspacePage } from '../places/WorkspacePage';
import { routes } from '../routes';
import { NothingHere } from '../shared/NothingHere';
import { SyncPage } from '../sync/SyncPage';
import { TaskPage } from '../tasks/TaskPage';

/** The screen of each address. The key gives each record a screen of its own, so no state carries over. */
export function Screens({ onSignIn }: { onSignIn: () => Promise<void> }) {
  return (
    <Switch>
      <Route path={routes.home()} component={HomePage} />
      <Route path={routes.workspace(':id')}>{({ id }) => <WorkspacePage key={id} id={id} />}</Route>
      <Route path={routes.deleted(':id')}>{({ id }) => <DeletedPage key={id} id={id} />}</Route>
      <Route path={routes.project(':id')}>{({ id }) => <ProjectPage key={id} id={id} />}</Route>
      <Route path={routes.milestone(':id')}>{({ id }) => <MilestonePage key={id} id={id} />}</Route>
      <Route path={routes.task(':id')}>{({ id }) => <TaskPage key={id} id={id} />}</Route>
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
