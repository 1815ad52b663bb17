/** Agents that people make (section 4 of docs/work-model.md): the part of the Context Service that makes, pauses and revokes them. */

import type { RejectedError, ValidationError } from '@/core/errors';
import { ok, type Result } from '@/core/result';
import { charactersIn, hasUnstorableCharacter, isBlank } from '@/core/text';
import type { Activity, WorkspaceMember } from './entities';
import { asDetails, textIn } from './entries';
import { invalid } from './validation';
import { NORMAL_FORMS } from './values';

/** All of it needs the server. */
export interface AgentService {
  /**
   * Makes an agent that is a member of the workspace, as a person who owns or edits it. The agent has been signed in once by
   * then, where the network allowed it.
   * @param name what the members call it, 1 to 200 characters
   * @returns its membership, and what it signs in with: the secret is told once, and stored nowhere
   * Rejects with `rejected/forbidden`; `rejected/too_many`, where the workspace has 200 of them; `rejected/auth_changed`, where
   * the server's Auth takes no such user, or does not sign it in.
   */
  createAgent(workspaceId: string, name: string): Promise<CreatedAgent>;
  /**
   * Ends an agent's membership, which takes effect with its next call. An owner revokes every agent, an editor those that the
   * editor made. Rejects with `validation/not_found` for others.
   */
  revokeAgent(memberId: string): Promise<void>;
  /** Pauses an agent, or ends its pause; by the same people. While it is paused the server takes nothing from it. */
  pauseAgent(memberId: string, paused: boolean): Promise<WorkspaceMember>;
}

export interface CreatedAgent {
  member: WorkspaceMember;
  email: string;
  secret: string;
}

/** Characters of a name. */
const MOST_CHARACTERS = 200;

/** @returns the name as it is stored. */
export function checkAgentName(name: unknown): Result<string, ValidationError> {
  if (name === undefined || name === null) return invalid('required', 'name', 'Name is required.');
  if (typeof name !== 'string') return invalid('bad_value', 'name', 'Name must be text. Give a string.');
  if (hasUnstorableCharacter(name)) {
    return invalid('bad_character', 'name', 'Name holds a character that cannot be stored. Remove it.');
  }
  const line = NORMAL_FORMS.line(name);
  if (isBlank(line)) return invalid('required', 'name', 'Name is required. Give it a value.');
  return charactersIn(line) > MOST_CHARACTERS
    ? invalid('too_long', 'name', `Name is too long; shorten it to ${MOST_CHARACTERS} characters.`)
    : ok(line);
}

const pausedIn = (where: string) =>
  `You are paused in ${where}. Stop, keep your work, and go on when a person has ended the pause.`;

/** The agent's own refusal while it is paused. */
export const PAUSED_MESSAGE = pausedIn('this workspace');

const NO_MEMBER_MESSAGE =
  'You are no member here, or not any more: a person has revoked you, or never made you a member. Stop; what you wrote and could not send stays on this machine.';

/** A membership of the agent that asks. */
export type OwnMembership = Pick<WorkspaceMember, 'workspace_id' | 'paused_at'> & { workspace_name: string };

/**
 * @param memberships all that the agent has, as far as is known
 * @param workspaceId where it works; null: wherever it is a member
 * @returns why it has to stop; null: it need not
 */
export function haltIn(
  memberships: readonly OwnMembership[],
  workspaceId: string | null,
): RejectedError | null {
  const here = memberships.filter(({ workspace_id }) => workspaceId === null || workspace_id === workspaceId);
  const halt = (code: 'paused' | 'revoked', message: string): RejectedError => ({
    kind: 'rejected',
    code,
    column: null,
    message,
  });
  if (here.length === 0) return halt('revoked', NO_MEMBER_MESSAGE);
  const paused = here.filter(({ paused_at }) => paused_at !== null);
  if (paused.length === 0) return null;
  if (paused.length === here.length) return halt('paused', PAUSED_MESSAGE);
  return halt(
    'paused',
    pausedIn(paused.map(({ workspace_name }) => JSON.stringify(workspace_name)).join(', ')),
  );
}

const ENDED_SINCE = ['left', 'removed', 'role_lost', 'maker_is_agent', 'account_deleted'] as const;

/** An agent whose membership ended since its maker makes agents no more (A4). */
export interface EndedAgent {
  member_id: string | null;
  user_id: string | null;
  name: string | null;
  made_by: string | null;
  maker_name: string | null;
  /** Of the maker: left, was removed, has a lower role, became an agent, or deleted the account. Null: told by a newer server. */
  why: (typeof ENDED_SINCE)[number] | null;
  /** The user whose write it was; null for the service. */
  ended_by: string | null;
  ended_at: string;
}

/** @returns the agents that entries of a workspace's feed say have ended, in the order of the entries */
export function endedAgents(entries: readonly Activity[]): EndedAgent[] {
  return entries.flatMap(({ activity_type, entity_id, actor_id, created_at, details }) => {
    if (activity_type !== 'agent_ended') return [];
    const { agent, name, made_by, maker_name, why } = asDetails(details);
    return [
      {
        member_id: entity_id,
        user_id: textIn(agent),
        name: textIn(name),
        made_by: textIn(made_by),
        maker_name: textIn(maker_name),
        why: ENDED_SINCE.find((one) => one === why) ?? null,
        ended_by: actor_id,
        ended_at: created_at,
      },
    ];
  });
}
