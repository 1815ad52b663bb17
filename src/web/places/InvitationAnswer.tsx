import { Link } from 'wouter';
import { orThrow } from '@/core/errors';
import { useDevice } from '../hooks/useDevice';
import type { ShownInvitation, useJoining } from '../hooks/useInvitations';
import { routes } from '../routes';
import { ErrorNote } from '../ui/ErrorNote';
import { ROLE_LABELS } from '../ui/labels';
import { useAction } from '../ui/useAction';
import { invitationSentence, ROLE_MEANINGS, validUntil } from './invitationText';

interface InvitationAnswerProps {
  invitation: ShownInvitation;
  joining: ReturnType<typeof useJoining>;
  onDeclined: () => void;
}

/** An invitation with the answers that the user can give. */
export function InvitationAnswer({ invitation, joining, onDeclined }: InvitationAnswerProps) {
  const { id, workspace_id, role, expires_at, is_member, isToAddress } = invitation;
  const { invitations } = useDevice();
  const declining = useAction(async () => {
    if (invitations) orThrow(await invitations.decline(id));
    onDeclined();
  });
  const isBusy = joining.isRunning || declining.isRunning;
  return (
    <>
      <div>
        <p>
          <strong>{invitationSentence(invitation)}</strong>
        </p>
        <p className="muted small">
          {ROLE_LABELS[role]}: {ROLE_MEANINGS[role]}. The invitation is {validUntil(expires_at)}.
        </p>
      </div>
      {is_member && <p>You are a member of this workspace already.</p>}
      <ErrorNote error={joining.error} consequence="You have not joined." />
      <ErrorNote error={declining.error} consequence="You have not declined." />
      <div className="actions">
        {is_member ? (
          <Link className="button primary" href={routes.workspace(workspace_id)}>
            Open the workspace
          </Link>
        ) : (
          <button
            type="button"
            className="button primary"
            aria-disabled={isBusy}
            onClick={() => !isBusy && joining.join()}
          >
            {joining.isRunning ? 'Joining …' : 'Join'}
          </button>
        )}
        {isToAddress && (
          <button
            type="button"
            className="button"
            aria-disabled={isBusy}
            onClick={() => !isBusy && void declining.run()}
          >
            Decline
          </button>
        )}
      </div>
    </>
  );
}
