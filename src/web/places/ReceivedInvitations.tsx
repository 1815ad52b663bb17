import { useEffect } from 'react';
import { Link } from 'wouter';
import type { Invitation } from '@/domain/invitations';
import { useAcceptances, useJoining, useReceivedInvitations } from '../hooks/useInvitations';
import { routes } from '../routes';
import { RetryNote } from '../shared/RetryNote';
import { ErrorNote } from '../ui/ErrorNote';
import { RefusedAcceptance, WaitingAcceptance } from './Acceptances';
import { InvitationAnswer } from './InvitationAnswer';

/** The invitations to the user's address, and accepted ones that wait or were refused; nothing while there are none. */
export function ReceivedInvitations() {
  const received = useReceivedInvitations();
  const acceptances = (useAcceptances() ?? []).filter(({ state }) => state !== 'accepted');
  const open = received.value ?? [];
  const ids = [...new Set([...acceptances, ...open].map(({ id }) => id))];
  const failure = <RetryNote data={received} consequence="Invitations to you cannot be shown." />;
  if (ids.length === 0) return failure;
  return (
    <section aria-labelledby="invitations-title">
      <div className="section-title">
        <h2 id="invitations-title">Invitations</h2>
      </div>
      {failure}
      <ul className="entries">
        {ids.map((id) => (
          <li key={id} className="card entry">
            <Received
              id={id}
              invitation={open.find((one) => one.id === id) ?? null}
              onAnswered={received.reload}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

interface ReceivedProps {
  id: string;
  /** null: the server was not asked, or the invitation is not to the user's address. */
  invitation: Invitation | null;
  onAnswered: () => void;
}

function Received({ id, invitation, onAnswered }: ReceivedProps) {
  const joining = useJoining(id);
  const { acceptance, workspaceId } = joining;
  const hasJoined = workspaceId !== null;
  useEffect(() => {
    if (hasJoined) onAnswered();
  }, [hasJoined, onAnswered]);

  if (hasJoined) return <p role="status">You have joined.</p>;
  if (acceptance?.state === 'refused') {
    return (
      <>
        <InvitationLink id={id} />
        <RefusedAcceptance error={acceptance.error} onDismiss={joining.dismiss} />
      </>
    );
  }
  if (acceptance && !joining.isRunning) {
    return (
      <>
        <InvitationLink id={id} />
        <WaitingAcceptance onDismiss={joining.dismiss} />
        <ErrorNote error={joining.error} />
      </>
    );
  }
  if (invitation === null) return <InvitationLink id={id} />;
  return (
    <InvitationAnswer
      invitation={{ ...invitation, isToAddress: true }}
      joining={joining}
      onDeclined={onAnswered}
    />
  );
}

function InvitationLink({ id }: { id: string }) {
  return (
    <p>
      <Link href={routes.invitation(id)}>An invitation that you accepted</Link>
    </p>
  );
}
