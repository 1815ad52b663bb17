/** Invitations: those that the server knows, and the acceptances of this device. */

import type { AppError } from '@/core/errors';
import { fail, ok, type Result } from '@/core/result';
import type { Invitation, InvitationService, SentInvitation } from '@/domain/invitations';
import { validateId } from '@/domain/validation';
import type { Acceptance } from '@/lib/watermelon';
import { useAction } from '../ui/useAction';
import { useDevice } from './useDevice';
import { useObservable } from './useObservable';
import { type ServerData, useServerData } from './useServerData';

/** The open invitations to a workspace, for its human owners. */
export function useSentInvitations(workspaceId: string): ServerData<SentInvitation[]> {
  const { invitations } = useDevice();
  return useServerData(`sent ${workspaceId}`, invitations && (() => invitations.sent(workspaceId)));
}

/** The open invitations to the user's address. */
export function useReceivedInvitations(): ServerData<Invitation[]> {
  const { invitations } = useDevice();
  return useServerData('received', invitations && (() => invitations.received()));
}

/** An invitation, and whether it is to the user's address: only then it can be declined. */
export type ShownInvitation = Invitation & { isToAddress: boolean };

/** An invitation that the user may accept; its error is `rejected/no_invitation` where there is none. */
export function useInvitation(id: string): ServerData<ShownInvitation> {
  const { invitations } = useDevice();
  return useServerData(`invitation ${id}`, invitations && (() => find(invitations, id)));
}

async function find(
  invitations: Pick<InvitationService, 'received' | 'find'>,
  id: string,
): Promise<Result<ShownInvitation, AppError>> {
  if (!validateId('invitation', id).ok) return fail(NO_INVITATION);
  const received = await invitations.received();
  if (!received.ok) return received;
  const mine = received.value.find((one) => one.id === id);
  if (mine) return ok({ ...mine, isToAddress: true });
  const found = await invitations.find(id);
  return found.ok ? ok({ ...found.value, isToAddress: false }) : found;
}

const NO_INVITATION: AppError = {
  kind: 'rejected',
  code: 'no_invitation',
  column: null,
  message: 'The address of the page names no invitation.',
};

/** Accepted invitations that wait for the server, or that it has refused; live. */
export function useAcceptances(): readonly Acceptance[] | undefined {
  const device = useDevice();
  return useObservable(() => device.observeAcceptances(), [device]);
}

/** Accepting one invitation, from the click until the server has answered, at once or at a later sync. */
export function useJoining(id: string) {
  const device = useDevice();
  const acceptances = useAcceptances();
  const known = acceptances?.find((one) => one.id === id) ?? null;
  const joining = useAction(() => device.acceptInvitation(id));
  const dismissing = useAction(() => device.dismissAcceptance(id));
  return {
    /** null: nothing was accepted here, or the server has taken it. */
    acceptance: known?.state === 'accepted' ? null : known,
    /** The workspace, once the server has made the user a member. */
    workspaceId: known?.state === 'accepted' ? known.workspaceId : null,
    isRunning: joining.isRunning || dismissing.isRunning,
    error: joining.error ?? dismissing.error,
    join: () => void joining.run(),
    /** Takes back an acceptance that waits, or no longer shows one that was refused. */
    dismiss: () => void dismissing.run(),
  };
}
