/** The state of an agent, in the order in which a person wants to know it. Pure. */

import type { Task, WorkspaceMember } from '@/domain/entities';
import type { Inbox, InboxReview } from '@/domain/inbox';
import { isLive } from '@/domain/ready';

export type AgentState =
  | { kind: 'paused'; since: string }
  /** At a checkpoint, for a person. */
  | { kind: 'waiting'; task: Task; review: InboxReview }
  | { kind: 'working'; task: Task }
  | { kind: 'idle' };

/**
 * @param held tasks that the agent has claimed, live or not
 * @param now ms since the epoch
 */
export function stateOf(
  agent: Pick<WorkspaceMember, 'paused_at'>,
  held: readonly Task[],
  inbox: Pick<Inbox, 'reviews' | 'team'>,
  now: number,
): AgentState {
  if (agent.paused_at !== null) return { kind: 'paused', since: agent.paused_at };
  const working = held.find((task) => isLive(task, false, now));
  const waits = new Map([...inbox.reviews, ...inbox.team].map((review) => [review.task.id, review]));
  const waiting = held.find((task) => isLive(task, waits.has(task.id), now) && waits.has(task.id));
  const review = waiting && waits.get(waiting.id);
  if (waiting && review) return { kind: 'waiting', task: waiting, review };
  return working ? { kind: 'working', task: working } : { kind: 'idle' };
}

/** Agents that a person has to look at come first: those that wait, then those at work. */
const ORDER = ['waiting', 'working', 'paused', 'idle'];

export function byState<T extends { state: AgentState; name: string }>(agents: readonly T[]): T[] {
  return [...agents].sort(
    (a, b) => ORDER.indexOf(a.state.kind) - ORDER.indexOf(b.state.kind) || a.name.localeCompare(b.name),
  );
}
