/** Parts of tasks' contexts that are not on this device, asked of the server in the background: nobody waits for them. */

import type { FullLimits } from '@/domain/contextLimits';
import type { TaskContext } from '@/domain/entities';
import { completeContext } from '@/domain/taskContext';
import type { LocalFirst } from './localFirst';

/** Answers that are kept: each may be as large as a context. */
const MOST_KEPT = 20;

/** ms for which an answer is given, before the server is asked again. */
const KEPT_MS = 60_000;

export class MissingParts {
  /** The server's latest answer by task, by what was missing, and by limits. */
  private readonly answers = new Map<string, { remote: TaskContext | null; at: number }>();
  private readonly awaited = new Set<string>();

  constructor(private readonly local: LocalFirst) {}

  /**
   * Asks for what a context lacks, once a minute at most where the server answers, also where it has nothing either, such
   * as the workflow of a task that was deleted. A request that fails is made again with the next read.
   * @returns the context, with the missing parts where the server has answered already
   */
  complete(context: TaskContext, limits: FullLimits): TaskContext {
    if (context.missing.length === 0) return context;
    const key = JSON.stringify([context.task.id, context.missing, limits]);
    const answer = this.answers.get(key);
    const isFresh = answer !== undefined && performance.now() - answer.at < KEPT_MS;
    if (!isFresh && !this.awaited.has(key)) void this.ask(key, context.task.id, limits);
    return answer ? (completeContext(context, answer.remote, limits) ?? context) : context;
  }

  private async ask(key: string, taskId: string, limits: FullLimits): Promise<void> {
    const { remote, isOnline, requestSync } = this.local;
    if (remote === null || !isOnline()) return;
    this.awaited.add(key);
    try {
      const answer = { remote: await remote.getTaskContext(taskId, limits), at: performance.now() };
      // A part that the first sync does not bring, the next one does not bring either.
      if (!this.answers.has(key)) requestSync();
      this.answers.delete(key);
      this.answers.set(key, answer);
      const [oldest] = this.answers.keys();
      if (this.answers.size > MOST_KEPT && oldest !== undefined) this.answers.delete(oldest);
    } catch {
      // The local answer is incomplete but correct. The next read asks again.
    } finally {
      this.awaited.delete(key);
    }
  }
}
