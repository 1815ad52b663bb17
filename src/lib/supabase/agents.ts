/** Agents that people make, by way of the server's functions; see `domain/agents.ts`. */

import { type AppError, ConvoyError, orThrow } from '@/core/errors';
import { type AgentService, checkAgentName } from '@/domain/agents';
import type { WorkspaceMember } from '@/domain/entities';
import { noSuchRecord, validateId } from '@/domain/validation';
import { type AgentSignIn, signInOnce } from './agentSignIn';
import type { ConvoyClient } from './client';
import { toRecord } from './records';
import { callRpc, type RpcName, signedOut } from './rpc';

export interface AgentOptions {
  timeoutMs: number;
  /** Signs a new agent in, to see whether it can. Default: `signInOnce` on the client's server. */
  signIn?: AgentSignIn;
}

export function supabaseAgents(client: ConvoyClient, options: AgentOptions): AgentService {
  const { timeoutMs, signIn = (email, secret) => signInOnce(client, email, secret) } = options;

  async function call<Name extends RpcName>(
    name: Name,
    args: Parameters<typeof callRpc<Name>>[2],
  ): Promise<Record<string, unknown>> {
    const called = await callRpc(client, name, args, { timeoutMs });
    if (!called.ok) throw new ConvoyError(called.error);
    const answer = called.value.data as { error?: Refusal } & Record<string, unknown>;
    if (answer?.error) throw new ConvoyError(failureOf(answer.error));
    return answer;
  }

  const revokeAgent = async (memberId: string): Promise<void> => {
    await call('revoke_agent', { member_id: memberOf(memberId) });
  };

  return {
    revokeAgent,
    async createAgent(workspaceId, name) {
      const workspace_id = orThrow(validateId('workspace_id', workspaceId));
      const checked = orThrow(checkAgentName(name));
      const made = await call('create_agent', { workspace_id, name: checked });
      const member = toRecord<'workspace_members'>('workspace_members', made.member);
      const [email, secret] = [String(made.email), String(made.secret)];
      const fault = await signIn(email, secret);
      if (fault !== null) {
        await revokeAgent(member.id);
        throw new ConvoyError(authChanged(fault));
      }
      return { member, email, secret };
    },
    async pauseAgent(memberId, paused): Promise<WorkspaceMember> {
      const { member } = await call('pause_agent', { member_id: memberOf(memberId), paused });
      return toRecord<'workspace_members'>('workspace_members', member);
    },
  };
}

function memberOf(memberId: string): string {
  return orThrow(validateId('id', memberId));
}

interface Refusal {
  code: string;
  message?: string;
}

function failureOf({ code, message }: Refusal): AppError {
  switch (code) {
    case 'signed_out':
      return signedOut();
    case 'forbidden':
      return rejected('forbidden', 'Only a person who owns or edits the workspace makes agents.');
    case 'not_found':
      return orNotFound();
    case 'too_many':
      return rejected('too_many', message ?? 'The workspace has too many agents.');
    case 'auth_changed':
      return authChanged(`its tables refuse the user (${message ?? 'no code'})`);
    default:
      return {
        kind: 'protocol',
        code: 'malformed',
        message: message ?? 'The server does not understand the request.',
      };
  }
}

function orNotFound(): AppError {
  const missing = noSuchRecord('id', 'workspace_members');
  if (missing.ok) throw new Error('A failure is expected.');
  return missing.error;
}

/** The server's Auth is of a version that takes no user from the database. */
function authChanged(fault: string): AppError {
  return rejected(
    'auth_changed',
    `The agent was not made, since the server's Auth does not take it: ${fault}. Make a user there by hand, and invite it with the role agent.`,
  );
}

function rejected(code: string, message: string): AppError {
  return { kind: 'rejected', code, column: null, message };
}
