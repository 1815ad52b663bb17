/** The port of a device to the server for accepting invitations. */

import type { AppError } from './errors';
import type { Result } from './result';

export interface AcceptedInvitation {
  workspaceId: string;
}

export interface InvitationPort {
  /** Makes the user a member; accepting again after a lost answer answers alike. */
  accept(invitationId: string, signal?: AbortSignal): Promise<Result<AcceptedInvitation, AppError>>;
}
