import { Link } from 'wouter';
import { count } from '@/core/count';
import { isLive } from '@/domain/ready';
import { useQuery } from '../hooks/useQuery';
import { routes } from '../routes';
import { useNow } from '../ui/useNow';

/** The number of agents that work on something now. */
export function AgentsAtWork() {
  const now = useNow();
  const agents = useQuery('workspace_members', { kind: 'agent' });
  const ids = [...new Set((agents ?? []).map(({ user_id }) => user_id))];
  const held = useQuery('tasks', { claimed_by: ids });
  const atWork = new Set(
    (held ?? []).filter((task) => isLive(task, false, now)).map(({ claimed_by }) => claimed_by),
  );
  if (!agents) return null;
  return (
    <p>
      {atWork.size > 0 ? `${count(atWork.size, 'agent')} at work.` : 'No agent is at work.'}{' '}
      <Link href={routes.agents()}>See the agents</Link>
    </p>
  );
}
