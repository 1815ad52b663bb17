/** Parts of tasks' contexts that are not on this device, asked of the server in the background: nobody waits for them. */

import type { FullLimits } from '@/domain/contextLimits';
import type { TaskContext } from '@/domain/entities';
import { completeContext } from '@/domain/taskContext';
import type { LocalFirst } from './localFirst';

/** Answers that are kept: each may be as large as a context. */
const MOST_KEPT = 20;

export class MissingParts {
  /** The server's answer by task, by what was missing, and by limits; null while it is awaited. */
  private readonly answers = new Map<string, { remote: TaskContext | null } | null>();

  constructor(private readonly local: LocalFirst) {}

  /**
   * Asks once for what a context lacks. A request that fails is made again with the next read; one that is answered is
   * not, also where the server has nothing either, such as the workflow of a task that was deleted.
   * @returns the context, with the missing parts where the server has answered already
   */
  complete(context: TaskContext, limits: FullLimits): TaskContext {
    if (context.missing.length === 0) return context;
    const key = JSON.stringify([context.task.id, context.missing, limits]);
    const answer = this.answers.get(key);
    if (answer === undefined) void this.ask(key, context.task.id, limits);
    return answer ? (completeContext(context, answer.remote, limits) ?? context) : context;
  }

  private async ask(key: string, taskId: string, limits: FullLimits): Promise<void> {
    const { remote, isOnline, requestSync } = this.local;
    if (remote === null || !isOnline()) return;
    this.answers.set(key, null);
    try {
      this.answers.set(key, { remote: await remote.getTaskContext(taskId, limits) });
      const [oldest] = this.answers.keys();
      if (this.answers.size > MOST_KEPT && oldest !== undefined) this.answers.delete(oldest);
      requestSync();
    } catch {
      // The local answer is incomplete but correct. The next read asks again.
      this.answers.delete(key);
    }
  }
}
