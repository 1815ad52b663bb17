/** Completes a task's context from two answers. */

import type { TaskContext } from './entities';

/**
 * Keeps the parts of the local answer, unsynced edits included; takes only its missing parts from the server.
 * @param known the local answer
 * @param remote the server's answer
 */
export function completeContext(known: TaskContext | null, remote: TaskContext | null): TaskContext | null {
  if (known === null || remote === null) return remote ?? known;
  const { missing } = known;
  // Without the milestone, the local answer knows neither the project nor its patterns and best practices.
  const names: (keyof TaskContext)[] = missing.includes('milestone')
    ? [...missing, 'project', 'patterns', 'best_practices']
    : [...missing];
  const parts = Object.fromEntries(names.map((name) => [name, remote[name]]));
  return { ...known, ...parts, missing: remote.missing };
}
