import { useState } from 'react';
import type { Workspace, WorkspaceMember } from '@/domain/entities';
import type { Role } from '@/domain/vocabulary';
import type { Observed } from '@/lib/watermelon';
import { removeMember } from '@/lib/watermelon/contextService';
import { useNavigateFromHere } from '../hooks/useNavigateFromHere';
import { useSaveEdit } from '../hooks/useSaveEdit';
import { routes } from '../routes';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { ErrorNote } from '../ui/ErrorNote';
import { ROLE_LABELS } from '../ui/labels';
import { SyncMark } from '../ui/SyncMark';
import { useAction } from '../ui/useAction';
import { asRole, memberName } from './invitationText';

interface MemberRowProps {
  member: Observed<WorkspaceMember>;
  workspace: Workspace;
  isMe: boolean;
  /** The user is the only owner who is a person. */
  isLastOwner: boolean;
  /** The user is an owner who is a person. */
  managesMembers: boolean;
}

/** A member: who it is, the role, and what the user may do about it. */
export function MemberRow({ member, workspace, isMe, isLastOwner, managesMembers }: MemberRowProps) {
  const [asked, setAsked] = useState<'remove' | 'leave' | { role: Role } | null>(null);
  const saveEdit = useSaveEdit();
  const changing = useAction((role: Role) => saveEdit('workspace_members', member, { role }));
  const close = () => setAsked(null);
  const name = memberName(member);
  const keeps = isMe && isLastOwner;
  const choose = (role: Role) => {
    // Who manages members no longer cannot take that back.
    if (isMe) setAsked({ role });
    else void changing.run(role);
  };
  return (
    <li>
      <div className="member">
        <span className={`avatar avatar-${member.kind}`} aria-hidden="true">
          {(member.display_name || '?').charAt(0).toUpperCase()}
        </span>
        <span className="member-name">
          {isMe ? `${name} (you)` : name}
          {member.kind === 'agent' && <span className="chip">AI agent</span>}
          <SyncMark sync={member.sync} />
        </span>
        <span className="member-actions">
          {managesMembers && !keeps ? (
            <select
              aria-label={`Role of ${name}`}
              value={member.role}
              onChange={(event) => choose(event.target.value as Role)}
            >
              {Object.entries(ROLE_LABELS).map(([role, label]) => (
                <option key={role} value={role}>
                  {label}
                </option>
              ))}
            </select>
          ) : (
            <span className="muted">{ROLE_LABELS[member.role]}</span>
          )}
          {isMe && !keeps && (
            <button type="button" className="button quiet-danger" onClick={() => setAsked('leave')}>
              Leave
            </button>
          )}
          {!isMe && managesMembers && (
            <button
              type="button"
              className="button quiet-danger"
              aria-label={`Remove ${name}`}
              onClick={() => setAsked('remove')}
            >
              Remove
            </button>
          )}
        </span>
      </div>
      <ErrorNote error={changing.error} />
      {asked === 'remove' && <RemoveDialog member={member} workspace={workspace} onClose={close} />}
      {asked === 'leave' && <LeaveDialog member={member} workspace={workspace} onClose={close} />}
      {asked !== null && typeof asked === 'object' && (
        <ConfirmDialog
          title={`Go on ${asRole(asked.role)}?`}
          confirmLabel={`Go on ${asRole(asked.role)}`}
          onConfirm={() => saveEdit('workspace_members', member, { role: asked.role })}
          onClose={close}
        >
          <p>Only another owner can make you an owner of {workspace.name} again.</p>
        </ConfirmDialog>
      )}
    </li>
  );
}

interface DialogProps {
  member: WorkspaceMember;
  workspace: Workspace;
  onClose: () => void;
}

function RemoveDialog({ member, workspace, onClose }: DialogProps) {
  const name = memberName(member);
  return (
    <ConfirmDialog
      title={`Remove ${name}?`}
      confirmLabel="Remove the member"
      onConfirm={() => removeMember(member.id)}
      onClose={onClose}
    >
      <p>
        {workspace.name} leaves the devices of {name}; what they have done in it stays here. They come back
        only by another invitation.
      </p>
    </ConfirmDialog>
  );
}

function LeaveDialog({ member, workspace, onClose }: DialogProps) {
  const navigate = useNavigateFromHere();
  return (
    <ConfirmDialog
      title={`Leave ${workspace.name}?`}
      confirmLabel="Leave the workspace"
      onConfirm={async () => {
        await removeMember(member.id);
        navigate(routes.workspaces());
      }}
      onClose={onClose}
    >
      <p>
        The workspace leaves this device with the next sync. Edits of yours that the server does not have by
        then are kept in the archive on the sync page, from where you can download them.
      </p>
      <p>You come back only by another invitation.</p>
    </ConfirmDialog>
  );
}
