import { useMemo } from 'react';
import type { Task, Workspace, WorkspaceMember } from '@/domain/entities';
import { observeActivity, type UserActivity } from '@/lib/watermelon';
import { useDevice } from '../hooks/useDevice';
import { useInbox } from '../hooks/useInbox';
import { useKept } from '../hooks/useKept';
import { useObservable } from '../hooks/useObservable';
import { useQuery } from '../hooks/useQuery';
import { useNow } from '../ui/useNow';
import { type AgentState, byState, stateOf } from './agentState';

export interface ShownAgent {
  member: WorkspaceMember;
  name: string;
  workspace: Workspace;
  state: AgentState;
  /** Live claims. */
  held: readonly Task[];
  activity: UserActivity | undefined;
}

/** The agents of all workspaces with what they do, live. @returns undefined until it is known */
export function useAgents(): ShownAgent[] | undefined {
  const { database } = useDevice();
  const now = useNow();
  const inbox = useInbox();
  const workspaces = useQuery('workspaces');
  const members = useQuery('workspace_members', { kind: 'agent' });
  const ids = useMemo(() => [...new Set((members ?? []).map(({ user_id }) => user_id))].sort(), [members]);
  const held = useQuery('tasks', { claimed_by: ids });
  const today = startOfDay(now);
  const activity = useObservable(
    () => observeActivity(database, ids, today),
    [database, JSON.stringify(ids), today],
  );
  const agents = useMemo(() => {
    if (!workspaces || !members || !held || !inbox) return undefined;
    const places = new Map(workspaces.map((workspace) => [workspace.id, workspace]));
    const shown = members.flatMap((member): ShownAgent[] => {
      const workspace = places.get(member.workspace_id);
      if (!workspace) return [];
      const own = held.filter(
        ({ claimed_by, workspace_id }) => claimed_by === member.user_id && workspace_id === workspace.id,
      );
      return [
        {
          member,
          name: member.display_name,
          workspace,
          state: stateOf(member, own, inbox, now),
          held: own,
          activity: activity?.find(({ user_id }) => user_id === member.user_id),
        },
      ];
    });
    return byState(shown);
  }, [workspaces, members, held, inbox, activity, now]);
  return useKept(agents);
}

/** Midnight of the person's day, ms since the epoch. */
function startOfDay(now: number): number {
  const day = new Date(now);
  return day.setHours(0, 0, 0, 0);
}
