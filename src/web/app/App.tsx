import { ConvoyError } from '@/core/errors';
import { DeviceContext } from '../hooks/useDevice';
import { hasDatabaseToOpen } from '../session/lastUse';
import { NotDurableNote } from '../session/NotDurableNote';
import { SaveUnopenedDatabase } from '../session/SaveUnopenedDatabase';
import { SignIn } from '../session/SignIn';
import { StartWithoutAccount } from '../session/StartWithoutAccount';
import { useSession } from '../session/useSession';
import { Splash } from '../ui/Splash';
import { CannotOpen } from './CannotOpen';
import { ErrorBoundary } from './ErrorBoundary';
import { Opening } from './Opening';
import { Screens } from './Screens';
import { Shell } from './Shell';

/** The whole app: sign-in, or the open device with its screens. */
export function App() {
  const session = useSession();
  const { phase } = session;
  const notice = <NotDurableNote isDurable={session.isDurable} />;
  switch (phase.name) {
    case 'starting':
      return hasDatabaseToOpen() ? <Opening /> : <Splash>Opening Convoy …</Splash>;
    case 'opening':
      return <Opening />;
    case 'unreachable':
      return (
        <CannotOpen title="Convoy cannot start yet" error={phase.error} onRetry={session.retry}>
          {notice}
          <StartWithoutAccount onStart={session.startWithoutAccount} isDurable={session.isDurable} />
        </CannotOpen>
      );
    case 'failed':
      return (
        <CannotOpen title={titleOf(phase.error)} error={phase.error} onRetry={session.retry}>
          <SaveUnopenedDatabase user={phase.user} error={phase.error} />
          <button type="button" className="button" onClick={() => void session.goToSignIn()}>
            {phase.user === null ? 'Sign in instead' : 'Use another account'}
          </button>
        </CannotOpen>
      );
    case 'signed_out':
      return (
        <SignIn client={phase.client} onEnter={session.enter} notice={notice} trouble={phase.trouble}>
          <StartWithoutAccount onStart={session.startWithoutAccount} isDurable={session.isDurable} />
        </SignIn>
      );
    case 'open':
      return (
        <DeviceContext value={phase.device}>
          <Shell
            user={phase.user}
            sessionEnded={phase.sessionEnded}
            isArrival={phase.isArrival}
            onLeave={session.leave}
            onSignIn={session.goToSignIn}
          >
            <ErrorBoundary>
              <Screens onSignIn={session.goToSignIn} />
            </ErrorBoundary>
          </Shell>
        </DeviceContext>
      );
  }
}

/** Nothing is wrong with the data where a part of the app is missing. */
function titleOf(error: unknown): string {
  const isNotLoaded = error instanceof ConvoyError && error.code === 'not_loaded';
  return isNotLoaded ? 'Convoy cannot start yet' : 'Your data cannot be opened here';
}
