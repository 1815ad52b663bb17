import { useState } from 'react';
import type { Workspace } from '@/domain/entities';
import { isLastOwner } from '@/domain/permissions';
import { useDevice } from '../hooks/useDevice';
import { useSentInvitations } from '../hooks/useInvitations';
import { useMembers } from '../hooks/useMembers';
import { usePermissions } from '../hooks/usePermissions';
import { EmptyState } from '../ui/EmptyState';
import { Icon } from '../ui/Icon';
import { InviteDialog } from './InviteDialog';
import { MemberRow } from './MemberRow';
import { OpenInvitations } from './OpenInvitations';

/** The members of a workspace; for its human owners also its open invitations. */
export function MemberList({ workspace }: { workspace: Workspace }) {
  const { hasAccount } = useDevice();
  const { members, me } = useMembers(workspace.id);
  const { managesMembers } = usePermissions(workspace.id);
  const sorted = [...members].sort((a, b) => a.display_name.localeCompare(b.display_name));
  const isLast = me !== undefined && isLastOwner(me, members);
  return (
    <section aria-labelledby="members-title">
      {managesMembers ? (
        <TitleForOwners workspace={workspace} />
      ) : (
        <div className="section-title">
          <h2 id="members-title">Members</h2>
        </div>
      )}
      {sorted.length === 0 && (
        <EmptyState title={hasAccount ? 'The members appear after the first sync.' : 'Nobody but you.'}>
          <p>
            {hasAccount
              ? 'A workspace that you create makes you its owner. Then you can invite others.'
              : 'Sign in and take your work along to share it.'}
          </p>
        </EmptyState>
      )}
      {sorted.length > 0 && (
        <ul className="rows">
          {sorted.map((member) => (
            <MemberRow
              key={member.id}
              member={member}
              workspace={workspace}
              isMe={member.id === me?.id}
              isLastOwner={isLast}
              managesMembers={managesMembers}
            />
          ))}
        </ul>
      )}
      {isLast && (
        <p className="muted small after-rows">
          A workspace keeps at least one owner who is a person, and that is you alone. To leave it or to take
          another role, make another person an owner first.
        </p>
      )}
    </section>
  );
}

function TitleForOwners({ workspace }: { workspace: Workspace }) {
  const sent = useSentInvitations(workspace.id);
  const [isInviting, setInviting] = useState(false);
  return (
    <>
      <div className="section-title">
        <h2 id="members-title">Members</h2>
        <button type="button" className="button" onClick={() => setInviting(true)}>
          <Icon name="plus" />
          Invite
        </button>
      </div>
      <OpenInvitations sent={sent} />
      {isInviting && (
        <InviteDialog
          workspace={workspace}
          isOffline={sent.isOffline}
          onInvited={sent.reload}
          onClose={() => setInviting(false)}
        />
      )}
    </>
  );
}
