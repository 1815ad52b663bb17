import { type ReactNode, useEffect } from 'react';
import { Link } from 'wouter';
import type { ConvoyError } from '@/core/errors';
import { useDevice } from '../hooks/useDevice';
import { useInvitation, useJoining } from '../hooks/useInvitations';
import { useNavigateFromHere } from '../hooks/useNavigateFromHere';
import { useRecord } from '../hooks/useQuery';
import { routes } from '../routes';
import { RetryNote } from '../shared/RetryNote';
import { ErrorNote } from '../ui/ErrorNote';
import { Icon } from '../ui/Icon';
import { RefusedAcceptance, WaitingAcceptance } from './Acceptances';
import { InvitationAnswer } from './InvitationAnswer';

interface InvitationPageProps {
  id: string;
  onSignIn: () => Promise<void>;
}

/** The page that a link of an invitation leads to. */
export function InvitationPage({ id, onSignIn }: InvitationPageProps) {
  const { hasAccount } = useDevice();
  return (
    <div className="page">
      <header className="page-header">
        <h1>Invitation</h1>
      </header>
      {hasAccount ? <ForAccount id={id} /> : <WithoutAccount onSignIn={onSignIn} />}
    </div>
  );
}

function WithoutAccount({ onSignIn }: Pick<InvitationPageProps, 'onSignIn'>) {
  return (
    <Card>
      <p>
        <strong>You have been invited to a workspace, and joining it needs an account.</strong> You are
        working without one now. Sign in or create an account: this page is shown again then, and your work
        here can be taken along.
      </p>
      <div className="actions">
        <button type="button" className="button primary" onClick={() => void onSignIn()}>
          Sign in
        </button>
      </div>
    </Card>
  );
}

function ForAccount({ id }: { id: string }) {
  const invitation = useInvitation(id);
  const joining = useJoining(id);
  const { acceptance } = joining;
  if (joining.workspaceId !== null) return <Joined workspaceId={joining.workspaceId} />;
  if (acceptance?.state === 'refused') {
    return (
      <Card>
        <RefusedAcceptance error={acceptance.error} onDismiss={joining.dismiss}>
          <HomeButton />
        </RefusedAcceptance>
      </Card>
    );
  }
  if (acceptance && !joining.isRunning) {
    return (
      <Card>
        <WaitingAcceptance onDismiss={joining.dismiss} />
        <ErrorNote error={joining.error} />
      </Card>
    );
  }
  if (invitation.value && !invitation.isOffline && !invitation.error) {
    return (
      <Card>
        <InvitationAnswer invitation={invitation.value} joining={joining} onDeclined={invitation.reload} />
      </Card>
    );
  }
  if (invitation.isOffline) return <Unreachable name={invitation.value?.workspace_name} joining={joining} />;
  if (invitation.isLoading) {
    return (
      <p className="muted" role="status">
        Asking the server about the invitation …
      </p>
    );
  }
  if (invitation.error && !isNotValid(invitation.error)) {
    return (
      <Card>
        <RetryNote data={invitation} consequence="The invitation cannot be shown.">
          <HomeButton />
        </RetryNote>
      </Card>
    );
  }
  return (
    <Card>
      <ErrorNote error={invitation.error} />
      <p>If you have joined by it already, the workspace is among yours.</p>
      <div className="actions">
        <HomeButton />
      </div>
    </Card>
  );
}

function isNotValid({ detail }: ConvoyError): boolean {
  return detail.kind === 'rejected' && detail.code === 'no_invitation';
}

type Joining = ReturnType<typeof useJoining>;

/** The invitation cannot be read now; accepting it is stored. */
function Unreachable({ name, joining }: { name: string | undefined; joining: Joining }) {
  return (
    <Card>
      <p className="note" role="note">
        <Icon name="cloudOff" />
        <span>
          {name === undefined
            ? 'You have been invited to a workspace. The server, which knows to which one, cannot be reached now.'
            : `You have been invited to the workspace “${name}”. The server cannot be reached now.`}
        </span>
      </p>
      <p>You can accept already: your answer is kept on this device and sent with the next sync.</p>
      <ErrorNote error={joining.error} consequence="Your answer was not kept." />
      <div className="actions">
        <button
          type="button"
          className="button primary"
          aria-disabled={joining.isRunning}
          onClick={() => !joining.isRunning && joining.join()}
        >
          Join when the server can be reached
        </button>
        <HomeButton />
      </div>
    </Card>
  );
}

/** Goes to the workspace as soon as it is on this device. */
function Joined({ workspaceId }: { workspaceId: string }) {
  const isHere = Boolean(useRecord('workspaces', workspaceId));
  const navigate = useNavigateFromHere();
  useEffect(() => {
    if (isHere) navigate(routes.workspace(workspaceId), { replace: true });
  }, [isHere, workspaceId, navigate]);
  return (
    <Card>
      <p role="status">You have joined. The workspace opens as soon as it is on this device.</p>
    </Card>
  );
}

function HomeButton() {
  return (
    <Link className="button" href={routes.workspaces()}>
      Go to your workspaces
    </Link>
  );
}

function Card({ children }: { children: ReactNode }) {
  return <section className="card entry">{children}</section>;
}
