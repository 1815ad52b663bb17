/** What tests of members do: invite, leave, look who is in. In the team of `teamForEachTest`. */

import type { SyncUser } from './syncUser';
import { database, team } from './teamDatabase';

/** Calls a function as a user, with texts as arguments. */
export async function call(
  user: SyncUser | null,
  name: string,
  ...args: (string | null)[]
): Promise<unknown> {
  const places = args.map((_, n) => `$${n + 1}${n === 0 ? '::uuid' : ''}`).join(', ');
  const [row] = await database.as(user?.id ?? null, (connection) =>
    connection.query<{ answer: unknown }>(`select public.${name}(${places}) as answer`, args),
  );
  return row?.answer;
}

export async function invite(email: string | null, role = 'editor', who = team.owner): Promise<string> {
  const answer = (await call(who, 'invite_member', team.workspace, email, role)) as {
    invitation_id?: string;
  };
  return answer.invitation_id ?? '';
}

export async function membershipOf(user: SyncUser, workspace = team.workspace): Promise<string> {
  const [row] = await database.query<{ id: string }>(
    `select id::text as id from public.workspace_members
      where workspace_id = $1::uuid and user_id = $2::uuid and deleted_at is null`,
    [workspace, user.id],
  );
  return row?.id ?? '';
}

export const leave = async (user: SyncUser, values = {}) =>
  user.pushOne(team.make.delete('workspace_members', await membershipOf(user), null, { values }));

export const sees = async (user: SyncUser) =>
  (await user.pull()).scopes.some((scope) => scope.id === team.workspace);
