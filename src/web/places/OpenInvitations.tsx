import { useState } from 'react';
import { orThrow } from '@/core/errors';
import type { SentInvitation } from '@/domain/invitations';
import { useDevice } from '../hooks/useDevice';
import type { ServerData } from '../hooks/useServerData';
import { RetryNote } from '../shared/RetryNote';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { CopyField } from '../ui/CopyField';
import { Dialog } from '../ui/Dialog';
import { Icon } from '../ui/Icon';
import { ROLE_LABELS } from '../ui/labels';
import { invitationLink, receiverText, validUntil } from './invitationText';

/** The invitations to a workspace that nobody has accepted yet, with their links; nothing while there are none. Offline they
 * are those of the last answer. */
export function OpenInvitations({ sent }: { sent: ServerData<SentInvitation[]> }) {
  const { value, isOffline, reload } = sent;
  return (
    <>
      {isOffline && (
        <p className="note" role="note">
          <Icon name="cloudOff" />
          <span>
            Inviting, and open invitations, need the server: it cannot be reached now. Roles and removals are
            kept here and sent later.
          </span>
        </p>
      )}
      <RetryNote data={sent} consequence="The open invitations cannot be shown as they are now." />
      {value && value.length > 0 && (
        <ul className="rows open-invitations" aria-label="Open invitations">
          {value.map((invitation) => (
            <OpenInvitation key={invitation.id} invitation={invitation} onRevoked={reload} />
          ))}
        </ul>
      )}
    </>
  );
}

type Shown = 'link' | 'revoke' | 'gone';

function OpenInvitation({ invitation, onRevoked }: { invitation: SentInvitation; onRevoked: () => void }) {
  const { id, email, role, expires_at } = invitation;
  const { invitations } = useDevice();
  const [open, setOpen] = useState<Shown | null>(null);
  // Only the dialog that is shown closes itself: the next one may have taken its place.
  const close = (shown: Shown) => setOpen((now) => (now === shown ? null : now));
  const revoke = async () => {
    if (!invitations) return;
    const revoked = await invitations.revoke(id);
    if (!revoked.ok && revoked.error.kind === 'rejected' && revoked.error.code === 'no_invitation') {
      setOpen('gone');
      return;
    }
    orThrow(revoked);
    onRevoked();
  };
  return (
    <li>
      <div className="member">
        <Icon name={email === null ? 'link' : 'person'} />
        <span className="member-name">
          {receiverText(invitation)}
          <span className="muted small">
            Invited: {ROLE_LABELS[role]}, {validUntil(expires_at)}
          </span>
        </span>
        <span className="member-actions">
          <button
            type="button"
            className="button quiet"
            aria-label={`Show the link: ${receiverText(invitation)}`}
            onClick={() => setOpen('link')}
          >
            Show the link
          </button>
          <button
            type="button"
            className="button quiet-danger"
            aria-label={`Revoke: ${receiverText(invitation)}`}
            onClick={() => setOpen('revoke')}
          >
            Revoke
          </button>
        </span>
      </div>
      {open === 'link' && (
        <Dialog title="Link of the invitation" onClose={() => close('link')}>
          <CopyField
            label={email === null ? 'For one person, whoever it is' : `For ${email} alone`}
            value={invitationLink(window.location.origin, id)}
          />
        </Dialog>
      )}
      {open === 'revoke' && (
        <ConfirmDialog
          title="Revoke this invitation?"
          confirmLabel="Revoke"
          onConfirm={revoke}
          onClose={() => close('revoke')}
        >
          <p>
            {email === null ? 'Nobody can join by its link any more.' : `${email} can no longer join by it.`}
          </p>
        </ConfirmDialog>
      )}
      {open === 'gone' && (
        <Dialog title="The invitation is not open any more" onClose={onRevoked}>
          <p>
            It was accepted, declined or revoked meanwhile. Whoever has joined by it is among the members
            after the next sync.
          </p>
          <div className="actions">
            <button type="button" className="button primary" onClick={onRevoked}>
              Done
            </button>
          </div>
        </Dialog>
      )}
    </li>
  );
}
