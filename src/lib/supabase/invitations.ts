/** Invitations by way of the server's functions; see `domain/invitations.ts`. */

import type { AppError, RejectedError } from '@/core/errors';
import type { AcceptedInvitation } from '@/core/invitations';
import { fail, ok, type Result } from '@/core/result';
import type { Invitation, InvitationService, SentInvitation } from '@/domain/invitations';
import { invalid } from '@/domain/validation';
import { ROLES, type Role } from '@/domain/vocabulary';
import type { ConvoyClient } from './client';
import { callRpc, type RpcName, type RpcOptions, signedOut } from './rpc';

export class SupabaseInvitations implements InvitationService {
  private readonly timeoutMs: number;

  /** @param options `timeoutMs`: how long no byte of an answer may come, ms (`RpcOptions`) */
  constructor(
    private readonly client: ConvoyClient,
    { timeoutMs = 15_000 }: { timeoutMs?: number } = {},
  ) {
    this.timeoutMs = timeoutMs;
  }

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

  async sent(workspaceId: string): Promise<Result<SentInvitation[], AppError>> {
    const answered = await this.call('get_invitations', { workspace_id: workspaceId });
    return answered.ok ? ok(answered.value.invitations as SentInvitation[]) : answered;
  }

  async revoke(invitationId: string): Promise<Result<null, AppError>> {
    const answered = await this.call('revoke_invitation', { invitation_id: invitationId });
    return answered.ok ? ok(null) : answered;
  }

  async received(): Promise<Result<Invitation[], AppError>> {
    const answered = await this.call('my_invitations', {});
    return answered.ok ? ok(answered.value as unknown as Invitation[]) : answered;
  }

  async find(invitationId: string): Promise<Result<Invitation, AppError>> {
    const answered = await this.call('get_invitation', { invitation_id: invitationId });
    return answered.ok ? ok(answered.value as unknown as Invitation) : answered;
  }

  /** Makes the user a member. A lost answer is given again; fails with `rejected/no_invitation` or `unconfirmed_address`. */
  async accept(
    invitationId: string,
    acceptedAs: string,
    signal?: AbortSignal,
  ): Promise<Result<AcceptedInvitation, AppError>> {
    const args = { invitation_id: invitationId, accepted_as: acceptedAs };
    const answered = await this.call('accept_invitation', args, signal);
    return answered.ok ? ok({ workspaceId: String(answered.value.workspace_id) }) : answered;
  }

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
    case 'wrong_user':
      return {
        kind: 'auth',
        code: 'wrong_user',
        message: 'Another account is signed in now. Sign in again.',
      };
    case 'too_many':
      return rejected('too_many', message ?? 'The workspace has too many open invitations.');
    case 'forbidden':
      return rejected('forbidden', 'Only a person who owns the workspace may do this.');
    case 'unconfirmed':
      return rejected(
        'unconfirmed_address',
        'The invitation is to your e-mail address, which you have not confirmed yet.',
      );
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
