import type { Task } from '@/domain/entities';

/** The claims that this page has seen, by task. Neither the claim nor the feed says when it began (C7). */
const seen = new Map<string, { claim: string; since: number }>();

/** @returns since when this page knows of the claim that the task has, ms since the epoch; null: it has none */
export function useWorkSince({
  id,
  claimed_by,
  claim_id,
}: Pick<Task, 'id' | 'claimed_by' | 'claim_id'>): number | null {
  if (claimed_by === null || claim_id === null) return null;
  const claim = `${claimed_by} ${claim_id}`;
  const known = seen.get(id);
  if (known?.claim === claim) return known.since;
  const since = Date.now();
  seen.set(id, { claim, since });
  return since;
}
