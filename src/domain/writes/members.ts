/** Writes of memberships: another role, removal, and leaving. People become members by invitation alone. */

import { ok } from '@/core/result';
import type { UpdateOptions } from '../contextService';
import { validateChanges, validateId } from '../validation';
import type { Role } from '../vocabulary';
import { checkExpected, requireExpected } from './expected';
import type { Requested } from './plan';

export function requestRoleUpdate(
  memberId: string,
  role: Role,
  options?: UpdateOptions<object>,
): Requested<'workspace_members'> {
  const target = validateId('member_id', memberId);
  if (!target.ok) return target;
  const values = validateChanges('workspace_members', { role });
  if (!values.ok) return values;
  const expectation = checkExpected('workspace_members', options);
  if (!expectation.ok) return expectation;
  return ok({
    target: { table: 'workspace_members', id: target.value, field: 'member_id' },
    plan: async (before, context) => {
      const { id, workspace_id: workspaceId, role: present } = before;
      const given = values.value;
      const found = await requireExpected('workspace_members', before, expectation.value, given, context);
      if (!found.ok) return found;
      return ok({
        workspaceId,
        changes:
          present === given.role
            ? []
            : [{ op: 'update', table: 'workspace_members', id, values: given, ...found.value }],
        activities: [],
        answer: { table: 'workspace_members', id },
      });
    },
  });
}

/** Of the caller's own membership: leaving. The server refuses to take a workspace its last human owner (R2). */
export function requestMemberDelete(memberId: string): Requested<'workspace_members'> {
  const target = validateId('member_id', memberId);
  if (!target.ok) return target;
  return ok({
    target: { table: 'workspace_members', id: target.value, field: 'member_id' },
    plan: async ({ id, workspace_id: workspaceId, user_id }, context) => {
      const isOwn = user_id === (await context.userId());
      return ok({
        workspaceId,
        changes: [{ op: 'delete', table: 'workspace_members', id }],
        activities: [],
        answer: null,
        ...(isOwn && { leaves: true as const }),
      });
    },
  });
}
