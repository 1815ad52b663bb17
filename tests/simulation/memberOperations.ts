/** Work on members, and what nobody may do: members without an invitation, forged entries of the feed. */

import { ROLES, STANDARD_STAGES } from '@/domain/vocabulary';
import { NothingToDo, type Operations } from './hand';
import { ALL_USERS } from './server';

export const MEMBER_OPERATIONS: Operations = {
  invite: [
    2,
    async (hand) => {
      const workspace = await hand.some('workspaces');
      const user = hand.random.pick(ALL_USERS);
      const role = hand.random.pick(ROLES);
      return hand.database.write(() =>
        hand.database.records('workspace_members').create((draft) => {
          draft.setColumn('workspace_id', workspace.id);
          draft.setColumn('user_id', user.id);
          draft.setColumn('role', role);
        }),
      );
    },
  ],
  leave: [
    0.5,
    async (hand) => {
      const own = (await hand.all('workspace_members')).filter(
        ({ raw }) => raw.user_id === hand.life.device.userId,
      );
      if (own.length === 0) throw new NothingToDo();
      return hand.service.removeMember(hand.random.pick(own).id);
    },
  ],
  forge: [
    2,
    async (hand) => {
      const task = await hand.some('tasks');
      const stage = hand.random.pick(STANDARD_STAGES);
      const side = {
        base: null,
        local: stage,
        remote: task.raw.current_stage,
        chosen: task.raw.current_stage,
      };
      return hand.database.write(() =>
        hand.database.records('activity_feed').create((draft) => {
          draft.setColumn('workspace_id', task.workspaceId);
          draft.setColumn('task_id', task.id);
          draft.setColumn('activity_type', 'conflict_settled');
          draft.setColumn(
            'details',
            JSON.stringify({ table: 'tasks', record_id: task.id, columns: { current_stage: side } }),
          );
        }),
      );
    },
  ],
  changeRole: [
    2,
    async (hand) => {
      const member = await hand.some('workspace_members');
      const role = hand.random.pick(ROLES);
      return hand.database.write(() => member.update((draft) => draft.setColumn('role', role)));
    },
  ],
  removeMember: [
    1,
    async (hand) => {
      const member = await hand.some('workspace_members');
      return hand.database.write(() => member.markAsDeleted());
    },
  ],
};
