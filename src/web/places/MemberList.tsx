import type { WorkspaceMember } from '@/domain/entities';
import { useDevice } from '../hooks/useDevice';
import { EmptyState } from '../ui/EmptyState';
import { ROLE_LABELS } from '../ui/labels';

interface MemberListProps {
  members: WorkspaceMember[];
  nameOf: (userId: string | null) => string;
}

/** The members of a workspace with their roles. */
export function MemberList({ members, nameOf }: MemberListProps) {
  const { hasAccount } = useDevice();
  const sorted = [...members].sort((a, b) => a.display_name.localeCompare(b.display_name));
  return (
    <section aria-labelledby="members-title">
      <div className="section-title">
        <h2 id="members-title">Members</h2>
      </div>
      {sorted.length === 0 && (
        <EmptyState title={hasAccount ? 'The members appear after the first sync.' : 'Nobody but you.'}>
          <p>
            {hasAccount
              ? 'A workspace that you create makes you its owner.'
              : 'Sign in and take your work along to share it.'}
          </p>
        </EmptyState>
      )}
      <ul className="members">
        {sorted.map((member) => (
          <li key={member.id} className="member">
            <span className={`avatar avatar-${member.kind}`} aria-hidden="true">
              {(member.display_name || '?').charAt(0).toUpperCase()}
            </span>
            <span>
              {nameOf(member.user_id) === 'You' ? `${member.display_name} (you)` : member.display_name}
            </span>
            <span className="muted small">
              {ROLE_LABELS[member.role]}
              {member.kind === 'agent' && member.role !== 'agent' && ', an AI agent'}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
