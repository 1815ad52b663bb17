/** The port of a device to the server for accepting invitations. */

import type { AppError } from './errors';
import type { Result } from './result';

export interface AcceptedInvitation {
  workspaceId: string;
}

export interface InvitationPort {
  /**
   * Makes the user a member; accepting again after a lost answer answers alike.
   * @param acceptedAs who accepted; fails with `auth/wrong_user` while somebody else is signed in
   */
  accept(
    invitationId: string,
    acceptedAs: string,
    signal?: AbortSignal,
  ): Promise<Result<AcceptedInvitation, AppError>>;
}
