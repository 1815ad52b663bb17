/**
 * Invitations as people see them: the only way into a workspace that one did not create. All of it needs the server;
 * `lib/supabase/invitations` implements it. Every failure is a value.
 */

import type { AppError } from '@/core/errors';
import type { InvitationPort } from '@/core/invitations';
import type { Result } from '@/core/result';
import type { Role } from './vocabulary';

/** An invitation as who may accept it sees it. */
export interface Invitation {
  id: string;
  workspace_id: string;
  workspace_name: string;
  role: Role;
  /** Display name of the owner who invited. */
  invited_by: string;
  /** ISO 8601. */
  expires_at: string;
  /** The user is a member of the workspace already. */
  is_member: boolean;
}

/** An invitation as owners of the workspace see it. */
export interface SentInvitation {
  id: string;
  /** null: a link, which makes one user a member, whoever it is. */
  email: string | null;
  role: Role;
  /** ISO 8601. */
  created_at: string;
  expires_at: string;
}

export interface InvitationService extends InvitationPort {
  /**
   * Invites as a human owner of the workspace.
   * @param email null: by link
   * @returns the invitation's id, which is the secret of a link
   */
  invite(
    workspaceId: string,
    email: string | null,
    role: Role,
  ): Promise<Result<{ invitationId: string }, AppError>>;
  /** @returns the open invitations to a workspace, newest first; none for anybody but its human owners. */
  sent(workspaceId: string): Promise<Result<SentInvitation[], AppError>>;
  /** Takes back an open invitation of a workspace that the user owns. */
  revoke(invitationId: string): Promise<Result<null, AppError>>;
  /** @returns the open invitations to the user's address, newest first; none before the user has confirmed it. */
  received(): Promise<Result<Invitation[], AppError>>;
  /**
   * @returns an invitation that the user may accept; fails with `rejected/no_invitation` where there is none, and with
   * `unconfirmed_address` where it is to the user's address and the user has to confirm that first.
   */
  find(invitationId: string): Promise<Result<Invitation, AppError>>;
  /** Removes an invitation to the user's address. */
  decline(invitationId: string): Promise<Result<null, AppError>>;
}
