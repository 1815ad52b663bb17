/** Parts that the tools share: names of tasks, contexts as text, and how far behind the server an answer is. */

import type { Project, Task } from '@/domain/entities';
import { nameOfTask } from '@/domain/keys';
import { renderTaskContext } from '@/lib/contextText';
import type { Desk } from '../desk';

/** Reads the arguments first: what is wrong with them is told without a database. */
export type Tool = (given: unknown) => (desk: Desk, signal: AbortSignal) => Promise<string>;

/** Tokens of a context, unless the caller asks for another budget. */
export const CONTEXT_TOKENS = 6_000;
export const MOST_CONTEXT_TOKENS = 9_500;

export async function projectOf({ device }: Desk, task: Task): Promise<Project | null> {
  const context = await device.contextService.getTaskContext(task.id, NOTHING_BUT_SINGLES);
  return context?.project ?? null;
}

const NONE = { items: 0 };
const NOTHING_BUT_SINGLES = {
  subtasks: NONE,
  dependencies: NONE,
  activities: NONE,
  patterns: NONE,
  best_practices: NONE,
};

export async function named(desk: Desk, task: Task): Promise<string> {
  return nameOfTask(task, task.key === null ? await projectOf(desk, task) : null);
}

/** @returns the context as Markdown, with its hash for the next question */
export async function contextText(
  { device }: Desk,
  task: Task,
  maxTokens = CONTEXT_TOKENS,
  knownHash?: string,
): Promise<string> {
  const service = device.contextService;
  const context = await service.getTaskContext(task.id);
  if (!context) return 'The task is not there any more.';
  const [members, former] = await Promise.all([
    service.getMembers(task.workspace_id),
    service.getFormerMembers(task.workspace_id),
  ]);
  const { lastSyncedAt, pending, kind } = device.syncStatus;
  const rendered = await renderTaskContext(context, {
    maxTokens,
    members: [...members, ...former],
    freshness: {
      lastSyncedAt: lastSyncedAt === null ? null : new Date(lastSyncedAt).toISOString(),
      pending,
      isOnline: kind !== 'offline',
    },
    ...(knownHash && { knownHash }),
  });
  return `${rendered.markdown}\nhash: ${rendered.hash}`;
}
