import { type FormEvent, useState } from 'react';
import { orThrow } from '@/core/errors';
import type { Workspace } from '@/domain/entities';
import type { Role } from '@/domain/vocabulary';
import { useDevice } from '../hooks/useDevice';
import { CopyField } from '../ui/CopyField';
import { Dialog } from '../ui/Dialog';
import { ErrorNote } from '../ui/ErrorNote';
import { Field } from '../ui/Field';
import { Icon } from '../ui/Icon';
import { ROLE_LABELS } from '../ui/labels';
import { useAction } from '../ui/useAction';
import { asRole, invitationLink, inviteFailure, ROLE_MEANINGS } from './invitationText';

interface InviteDialogProps {
  workspace: Workspace;
  isOffline: boolean;
  /** The open invitations may have changed. */
  onInvited: () => void;
  onClose: () => void;
}

interface Made {
  id: string;
  email: string | null;
  role: Role;
}

/** Invites by address or by link, then shows the link. */
export function InviteDialog({ workspace, isOffline, onInvited, onClose }: InviteDialogProps) {
  const [made, setMade] = useState<Made | null>(null);
  return (
    // Each of the two is a dialog of its own, so that the second focuses its link.
    <Dialog
      key={made ? 'ready' : 'form'}
      title={made ? 'The invitation is ready' : `Invite to ${workspace.name}`}
      onClose={onClose}
    >
      {made ? (
        <ReadyInvitation made={made} onClose={onClose} />
      ) : (
        <InviteForm
          workspaceId={workspace.id}
          isOffline={isOffline}
          onMade={setMade}
          onAnswered={onInvited}
          onClose={onClose}
        />
      )}
    </Dialog>
  );
}

interface InviteFormProps {
  workspaceId: string;
  isOffline: boolean;
  onMade: (made: Made) => void;
  /** Also called where the answer of the server was lost. */
  onAnswered: () => void;
  onClose: () => void;
}

function InviteForm({ workspaceId, isOffline, onMade, onAnswered, onClose }: InviteFormProps) {
  const { invitations } = useDevice();
  const [isByLink, setByLink] = useState(false);
  const [address, setAddress] = useState('');
  const [role, setRole] = useState<Role>('editor');
  const inviting = useAction(async () => {
    if (!invitations) return;
    const email = isByLink ? null : address.trim();
    const invited = await invitations.invite(workspaceId, email, role);
    onAnswered();
    const { invitationId } = orThrow(invited);
    onMade({ id: invitationId, email, role });
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!inviting.isRunning) void inviting.run();
  };
  return (
    <form className="form" onSubmit={submit}>
      {isOffline && (
        <p className="note" role="note">
          <Icon name="cloudOff" />
          <span>Inviting needs the server, and it cannot be reached now.</span>
        </p>
      )}
      <fieldset className="choices">
        <legend>Invite</legend>
        <label>
          <input type="radio" name="by" checked={!isByLink} onChange={() => setByLink(false)} />
          <span>One person, by their address</span>
        </label>
        <label>
          <input type="radio" name="by" checked={isByLink} onChange={() => setByLink(true)} />
          <span>Whoever opens a link first</span>
        </label>
      </fieldset>
      {!isByLink && (
        <Field label="Email address" hint="They may make their account with it later.">
          {(field) => (
            <input
              {...field}
              type="email"
              autoComplete="off"
              required
              maxLength={320}
              value={address}
              onChange={(event) => setAddress(event.target.value)}
            />
          )}
        </Field>
      )}
      <Field label="Role" hint={`${ROLE_LABELS[role]}: ${ROLE_MEANINGS[role]}.`}>
        {(field) => (
          <select {...field} value={role} onChange={(event) => setRole(event.target.value as Role)}>
            {Object.entries(ROLE_LABELS).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
      <ErrorNote error={inviting.error} consequence={inviteFailure(inviting.error)} />
      <div className="actions">
        <button type="submit" className="button primary" aria-disabled={inviting.isRunning}>
          {inviting.isRunning ? 'One moment …' : 'Make the invitation'}
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function ReadyInvitation({ made, onClose }: { made: Made; onClose: () => void }) {
  return (
    <div className="form">
      {made.email === null ? (
        <p>
          Whoever opens this link first can join {asRole(made.role)}, so send it to one person. Convoy sends
          nothing by itself.
        </p>
      ) : (
        <p>
          Convoy sends no mail: send this link to <strong>{made.email}</strong>. Only the account with that
          address can join by it, {asRole(made.role)}. The invitation is also shown on their home page.
        </p>
      )}
      <CopyField label="Link" value={invitationLink(window.location.origin, made.id)} />
      <div className="actions">
        <button type="button" className="button primary" onClick={onClose}>
          Done
        </button>
      </div>
    </div>
  );
}
