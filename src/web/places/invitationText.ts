/** Invitations and memberships in words. Pure. */

import { ConvoyError } from '@/core/errors';
import type { WorkspaceMember } from '@/domain/entities';
import type { Invitation, SentInvitation } from '@/domain/invitations';
import type { Role } from '@/domain/vocabulary';
import { routes } from '../routes';

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** The work of a member with the role, as the end of a sentence. */
export const ROLE_MEANINGS: Record<Role, string> = {
  owner: 'changes everything, and invites and removes members',
  editor: 'changes everything but the workspace itself and its members',
  viewer: 'reads everything and changes nothing',
  agent: 'works on tasks, and stops at human checkpoints: the role of AI agents',
};

const AS: Record<Role, string> = {
  owner: 'as an owner',
  editor: 'as an editor',
  viewer: 'as a viewer',
  agent: 'as an agent',
};

/** @returns "as an editor" */
export function asRole(role: Role): string {
  return AS[role];
}

/** @returns "Mara invites you to the workspace “Lighthouse” as an editor." */
export function invitationSentence({ invited_by, workspace_name, role }: Invitation): string {
  return `${invited_by || 'An owner'} invites you to the workspace “${workspace_name}” ${asRole(role)}.`;
}

/** @param time ISO 8601 @returns "valid until 12 Dec 2026" */
export function validUntil(time: string): string {
  return `valid until ${day.format(new Date(time))}`;
}

/** Whom a sent invitation is for. */
export function receiverText({ email }: Pick<SentInvitation, 'email'>): string {
  return email ?? 'Whoever opens the link first';
}

/** @param origin of the app, without a slash at the end */
export function invitationLink(origin: string, id: string): string {
  return `${origin}${routes.invitation(id)}`;
}

/** @returns what an error of inviting means: a request whose answer is missing may have been carried out. */
export function inviteFailure(error: unknown): string {
  const isUncertain =
    error instanceof ConvoyError &&
    error.detail.kind === 'transport' &&
    (error.detail.code === 'offline' || error.detail.code === 'timeout');
  return isUncertain
    ? 'No answer came: look at the open invitations before you invite again.'
    : 'Nobody was invited.';
}

/** @returns the name of a member, where they have one */
export function memberName({ display_name }: Pick<WorkspaceMember, 'display_name'>): string {
  return display_name || 'A member without a name';
}
