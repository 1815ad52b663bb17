/** Invitations: the only way into a workspace that one did not create. All of it needs the server. */

import type { AppError, RejectedError } from '@/core/errors';
import type { AcceptedInvitation, InvitationPort } from '@/core/invitations';
import { fail, ok, type Result } from '@/core/result';
import { invalid } from '@/domain/validation';
import { ROLES, type Role } from '@/domain/vocabulary';
import type { ConvoyClient } from './client';
import { callRpc, type RpcName, type RpcOptions, signedOut } from './rpc';

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

export class SupabaseInvitations implements InvitationPort {
  private readonly timeoutMs: number;

  constructor(
    private readonly client: ConvoyClient,
    { timeoutMs = 15_000 }: { timeoutMs?: number } = {},
  ) {
    this.timeoutMs = timeoutMs;
  }

  /**
   * Invites as a human owner of the workspace.
   * @param email null: by link
   * @returns the invitation's id, which is the secret of a link
   */
  async invite(
    workspaceId: string,
    email: string | null,
    role: Role,
  ): Promise<Result<{ invitationId: string }, AppError>> {
    if (!ROLES.includes(role))
      return invalid('bad_value', 'role', `The role must be one of ${ROLES.join(', ')}.`);
    if (email !== null && !/^[^@\s]+@[^@\s]+$/.test(email.trim())) {
      return invalid(
        'bad_value',
        'email',
        'The e-mail address must have a name and a host, as in ada@example.com.',
      );
    }
    // PostgREST takes the name of an argument for null too.
    const args = { workspace_id: workspaceId, email: email as string, role };
    const answered = await this.call('invite_member', args);
    return answered.ok ? ok({ invitationId: String(answered.value.invitation_id) }) : answered;
  }

  /** @returns the open invitations to a workspace, newest first; none for anybody but its human owners. */
  async sent(workspaceId: string): Promise<Result<SentInvitation[], AppError>> {
    const answered = await this.call('get_invitations', { workspace_id: workspaceId });
    return answered.ok ? ok(answered.value.invitations as SentInvitation[]) : answered;
  }

  /** Takes back an open invitation of a workspace that the user owns. */
  async revoke(invitationId: string): Promise<Result<null, AppError>> {
    const answered = await this.call('revoke_invitation', { invitation_id: invitationId });
    return answered.ok ? ok(null) : answered;
  }

  /** @returns the open invitations to the user's address, newest first. */
  async received(): Promise<Result<Invitation[], AppError>> {
    const answered = await this.call('my_invitations', {});
    return answered.ok ? ok(answered.value as unknown as Invitation[]) : answered;
  }

  /** @returns an invitation that the user may accept; fails with `rejected/no_invitation` where there is none. */
  async find(invitationId: string): Promise<Result<Invitation, AppError>> {
    const answered = await this.call('get_invitation', { invitation_id: invitationId });
    return answered.ok ? ok(answered.value as unknown as Invitation) : answered;
  }

  /** Makes the user a member. A lost answer is given again; fails with `rejected/no_invitation`. */
  async accept(invitationId: string, signal?: AbortSignal): Promise<Result<AcceptedInvitation, AppError>> {
    const answered = await this.call('accept_invitation', { invitation_id: invitationId }, signal);
    return answered.ok ? ok({ workspaceId: String(answered.value.workspace_id) }) : answered;
  }

  /** Removes an invitation to the user's address. */
  async decline(invitationId: string): Promise<Result<null, AppError>> {
    const answered = await this.call('decline_invitation', { invitation_id: invitationId });
    return answered.ok ? ok(null) : answered;
  }

  private async call<Name extends RpcName>(
    name: Name,
    args: Parameters<typeof callRpc<Name>>[2],
    signal?: AbortSignal,
  ): Promise<Result<Record<string, unknown>, AppError>> {
    const options: RpcOptions = { timeoutMs: this.timeoutMs, ...(signal && { signal }) };
    const called = await callRpc(this.client, name, args, options);
    if (!called.ok) return called;
    const answer = called.value.data as { error?: { code: string; message?: string } } & Record<
      string,
      unknown
    >;
    return answer?.error ? fail(failureOf(answer.error)) : ok(answer);
  }
}

function failureOf({ code, message }: { code: string; message?: string }): AppError {
  switch (code) {
    case 'signed_out':
      return signedOut();
    case 'forbidden':
      return rejected('forbidden', 'Only a person who owns the workspace may do this.');
    case 'not_found':
      return rejected('no_invitation', 'This invitation is not valid. Ask for another one.');
    default:
      return {
        kind: 'protocol',
        code: 'malformed',
        message: message ?? 'The server does not understand the request.',
      };
  }
}

function rejected(code: string, message: string): RejectedError {
  return { kind: 'rejected', code, column: null, message };
}
