/** A task's context put together from two answers. Pure. */

import type { TaskContext } from './entities';

/**
 * What is here stays as it is here, unsynced edits included; only what is missing comes from the server.
 * @param known the local answer
 * @param remote the server's
 */
export function completeContext(known: TaskContext | null, remote: TaskContext | null): TaskContext | null {
  if (known === null || remote === null) return remote ?? known;
  const { missing } = known;
  // Without the milestone, nothing is known here of the project, nor of what belongs to it.
  const names: (keyof TaskContext)[] = missing.includes('milestone')
    ? [...missing, 'project', 'patterns', 'best_practices']
    : [...missing];
  const parts = Object.fromEntries(names.map((name) => [name, remote[name]]));
  return { ...known, ...parts, missing: remote.missing };
}
