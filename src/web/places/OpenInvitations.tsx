import { useState } from 'react';
import { orThrow } from '@/core/errors';
import type { SentInvitation } from '@/domain/invitations';
import { useDevice } from '../hooks/useDevice';
import type { ServerData } from '../hooks/useServerData';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { CopyField } from '../ui/CopyField';
import { Dialog } from '../ui/Dialog';
import { ErrorNote } from '../ui/ErrorNote';
import { Icon } from '../ui/Icon';
import { ROLE_LABELS } from '../ui/labels';
import { invitationLink, receiverText, validUntil } from './invitationText';

/** The invitations to a workspace that nobody has accepted yet, with their links; nothing while there are none. */
export function OpenInvitations({ sent }: { sent: ServerData<SentInvitation[]> }) {
  const { value, isOffline, error, reload } = sent;
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
      <ErrorNote error={error} />
      {value && value.length > 0 && !isOffline && (
        <ul className="rows open-invitations" aria-label="Open invitations">
          {value.map((invitation) => (
            <OpenInvitation key={invitation.id} invitation={invitation} onRevoked={reload} />
          ))}
        </ul>
      )}
    </>
  );
}

function OpenInvitation({ invitation, onRevoked }: { invitation: SentInvitation; onRevoked: () => void }) {
  const { id, email, role, expires_at } = invitation;
  const { invitations } = useDevice();
  const [open, setOpen] = useState<'link' | 'revoke' | null>(null);
  const close = () => setOpen(null);
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
        <Dialog title="Link of the invitation" onClose={close}>
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
          onConfirm={async () => {
            if (invitations) orThrow(await invitations.revoke(id));
            onRevoked();
          }}
          onClose={close}
        >
          <p>
            {email === null ? 'Nobody can join by its link any more.' : `${email} can no longer join by it.`}
          </p>
        </ConfirmDialog>
      )}
    </li>
  );
}
