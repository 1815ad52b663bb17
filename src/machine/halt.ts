/** Reasons for which an agent has to stop: every command and every tool call tells it, whatever else it answers. */

import type { RejectedError } from '@/core/errors';
import { haltIn, type OwnMembership } from '@/domain/agents';
import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { SESSION_KEY } from '@/lib/watermelon/accounts/sessionKey';
import { type MachineError, notSignedIn } from './errors';
import type { Link } from './link';
import type { OpenProfile } from './open';

export type Halt = RejectedError | MachineError;

/**
 * @returns why the agent has to stop, as far as its device knows: it is paused (`rejected/paused`), no member (`rejected/revoked`),
 * or its session has ended (`machine/not_signed_in`). null: it need not, or the user is a person
 * Rejects with a `ConvoyError` (storage)
 */
export async function haltOf(
  { profile, device, platform }: Pick<OpenProfile, 'profile' | 'device' | 'platform'>,
  link: Link | null,
): Promise<Halt | null> {
  if (profile.kind !== 'agent') return null;
  // Before the first sync nothing is known of memberships.
  if (device.database.seenRevision(GLOBAL_SCOPE_ID) > 0) {
    const halt = haltIn(await membershipsOf({ profile, device }), link?.workspace_id ?? null);
    // A first sync that is under way has not brought all memberships.
    if (halt && (halt.code === 'paused' || device.syncStatus.lastSyncedAt !== null)) return halt;
  }
  const session = await platform.sessionStorage().getItem(SESSION_KEY);
  if (session !== null) return null;
  const reason = `The session of ${profile.name} has ended, as it does where a person revokes an agent; what is not sent stays on this machine.`;
  return notSignedIn(reason, profile.url);
}

async function membershipsOf({
  profile,
  device,
}: Pick<OpenProfile, 'profile' | 'device'>): Promise<OwnMembership[]> {
  const service = device.contextService;
  const workspaces = await service.getWorkspaces();
  const own = await Promise.all(
    workspaces.map(async ({ id, name }) => {
      const members = await service.getMembers(id);
      return members
        .filter(({ user_id }) => user_id === profile.userId)
        .map(({ paused_at }) => ({ workspace_id: id, workspace_name: name, paused_at }));
    }),
  );
  return own.flat();
}
